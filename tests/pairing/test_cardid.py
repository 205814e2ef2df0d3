# SPDX-License-Identifier: Apache-2.0
import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.pairing.cardid import CardIdError, parse_card_id

OCTETS = bytes(range(16))
LITTLE, RAW = UUID(bytes_le=OCTETS), UUID(bytes=OCTETS)
# Version left out, as DER has it, and written.
BARE = bytes.fromhex("301A16044D5346543012") + b"\x04\x10" + OCTETS
VERSION = bytes.fromhex("301D02010016044D5346543012") + b"\x04\x10" + OCTETS


@pytest.mark.parametrize("answer", [BARE, VERSION])
@pytest.mark.parametrize("wrapped", [False, True])
def test_every_form_that_the_page_leaves_open_is_read(answer, wrapped):
    if wrapped:
        answer = b"\x7f\x68" + bytes((len(answer),)) + answer
    assert parse_card_id(answer) == [LITTLE]
    assert parse_card_id(answer, "raw") == [RAW]


def test_the_object_may_stand_among_others():
    others = bytes.fromhex("430180") + b"\x7f\x68\x1c" + BARE + bytes.fromhex("4601FF0000")
    assert parse_card_id(others) == [LITTLE]


def test_all_guids_are_read_in_order():
    two = bytes.fromhex("302C16044D5346543024") + (
        b"\x04\x10" + OCTETS + b"\x04\x10" + OCTETS[::-1]
    )
    assert parse_card_id(two) == [LITTLE, UUID(bytes_le=OCTETS[::-1])]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "empty"),
        (BARE[:-1], "no DER"),
        (BARE + b"\x00\x00", "no DER"),
        (BARE + BARE, "no 7F68"),
        (b"\x04" + BARE[1:], "tag 04"),
        (bytes.fromhex("301D02010116044D5346543012") + BARE[-18:], "version is 01"),
        (bytes.fromhex("301C020016044D5346543012") + BARE[-18:], "version is "),
        (bytes.fromhex("301A16044D5346533012") + BARE[-18:], "vendor is 'MSFS'"),
        (bytes.fromhex("300816044D5346543000"), "no GUID"),
        (bytes.fromhex("301916044D5346543011040F") + OCTETS[:15], "16 bytes"),
        (bytes.fromhex("3006 16044D534654"), "version, vendor, GUIDs"),
    ],
)
def test_what_is_none_says_why(answer, why):
    with pytest.raises(CardIdError, match=why):
        parse_card_id(answer)


@given(st.binary(max_size=64))
def test_anything_is_read_or_refused(answer):
    with contextlib.suppress(CardIdError):
        assert parse_card_id(answer)
