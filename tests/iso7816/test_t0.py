# SPDX-License-Identifier: Apache-2.0
"""Procedure bytes, and the guess which way data goes."""

import pytest

from vreader.iso7816.t0 import is_status, is_valid_ins, takes_data


@pytest.mark.parametrize("byte", range(256))
def test_a_status_byte_is_told_from_an_instruction(byte):
    assert is_status(byte) == (0x61 <= byte <= 0x6F or 0x90 <= byte <= 0x9F)
    assert is_valid_ins(byte) == (not 0x60 <= byte <= 0x6F and not 0x90 <= byte <= 0x9F)
    assert not (is_status(byte) and is_valid_ins(byte))


@pytest.mark.parametrize(
    ("ins", "incoming"),
    [(0xA4, True), (0x20, True), (0xCB, True), (0xCA, False), (0xB0, False), (0xC0, False)],
)
def test_which_way_data_goes(ins, incoming):
    assert takes_data(bytes((0, ins, 0, 0, 5))) is incoming
