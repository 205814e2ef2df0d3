# SPDX-License-Identifier: Apache-2.0
"""Instruction bytes have the names that ISO/IEC 7816-4 gives them."""

from vreader.iso7816.ins import INS_NAMES


def test_names():
    assert INS_NAMES[0x20] == INS_NAMES[0x21] == "VERIFY"
    assert INS_NAMES[0xCB] == "GET DATA"
    # 6X and 9X are no instructions: a card's procedure bytes of T=0 look like that.
    assert not [ins for ins in INS_NAMES if ins >> 4 in (6, 9)]
