# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.smclib.ioctl import Ioctl
from vreader.trace.notation import hex_pairs, ioctl_name, one_line


@pytest.mark.parametrize(
    ("masked", "pairs"),
    [((), ["00", "AB", "FF"]), (((1, 2),), ["00", "**", "FF"]),
     (((-1, 1), (2, 9)), ["**", "AB", "**"])],
)  # fmt: skip
def test_bytes_are_pairs_and_secret_ones_stars(masked, pairs):
    assert hex_pairs(b"\x00\xab\xff", masked) == pairs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("é 中", "é 中"),
        ("a\nb", r"a\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u2028\u202e", r"\u2028\u202e"),
    ],
)
def test_what_is_not_printable_is_escaped(text, shown):
    assert one_line(text) == shown


def test_only_standard_codes_have_names():
    assert ioctl_name(Ioctl.SMARTCARD_TRANSMIT) == "SMARTCARD_TRANSMIT"
    assert ioctl_name(0x42000D48) is None
