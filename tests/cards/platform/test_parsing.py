# SPDX-License-Identifier: Apache-2.0
"""The small tools of parsers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.platform import Refuse
from cards.platform.parsing import data_span, read_template, read_tlvs, require
from vreader.iso7816 import SW, CommandApdu


def test_require():
    require(True, SW.WRONG_DATA)
    with pytest.raises(Refuse, match="6A86"):
        require(False, SW.INCORRECT_P1P2)


def test_series_and_templates():
    assert read_tlvs(bytes.fromhex("8001AA8100")) == {0x80: b"\xaa", 0x81: b""}
    assert read_template(bytes.fromhex("7C038001AA"), 0x7C) == {0x80: b"\xaa"}
    for bad in ("80018001", "80", "800080008000", "7D00"):
        with pytest.raises(Refuse, match="6984"):
            read_template(bytes.fromhex(bad), 0x7C, SW.REFERENCE_DATA_NOT_USABLE)


@given(st.binary(max_size=300), st.integers(0, 65536), st.booleans())
def test_the_data_of_a_command(data, ne, extended):
    raw = bytes(CommandApdu(0, 0x20, 0, 0, data, ne, extended))
    span = data_span(raw)
    assert b"".join(raw[start:end] for start, end in span) == data
    assert bool(span) is bool(data)


@given(st.binary(min_size=4, max_size=20))
def test_of_bytes_that_are_no_command_everything(raw):
    for start, end in data_span(raw):
        assert 4 < start < end <= len(raw)
