# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.minidriver.abi.codes import KeySpec


@pytest.mark.parametrize(
    ("number", "bits", "is_exchange"),
    [
        (1, 0, True),
        (2, 0, False),
        (3, 256, False),
        (4, 384, False),
        (5, 521, False),
        (6, 256, True),
        (7, 384, True),
        (8, 521, True),
    ],
)
def test_key_specifications(number, bits, is_exchange):
    spec = KeySpec(number)
    assert (spec.bits, spec.is_exchange, spec.is_rsa) == (bits, is_exchange, number <= 2)
