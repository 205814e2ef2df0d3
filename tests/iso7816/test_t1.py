# SPDX-License-Identifier: Apache-2.0
"""Blocks of T=1: encoding, notation, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.t1 import (
    ABORT,
    EDC_ERROR,
    IFS,
    OTHER_ERROR,
    RESPONSE,
    RESYNCH,
    WTX,
    Block,
    BlockChecksumError,
    BlockError,
    BlockFormatError,
    BlockLengthError,
    edc,
    swap_nad,
)

BLOCKS = st.one_of(
    st.builds(Block.i, st.integers(0, 1), st.booleans(), st.binary(max_size=254)),
    st.builds(Block.r, st.integers(0, 1), st.sampled_from((0, EDC_ERROR, OTHER_ERROR))),
    st.builds(
        Block,
        st.sampled_from((IFS, IFS | RESPONSE, WTX, WTX | RESPONSE)),
        st.integers(1, 254).map(lambda n: bytes((n,))),
    ),
    st.sampled_from((RESYNCH, RESYNCH | RESPONSE, ABORT, ABORT | RESPONSE)).map(Block),
)


@given(block=BLOCKS, crc=st.booleans(), nad=st.sampled_from((0x00, 0x12, 0x21, 0x70)))
def test_what_is_encoded_is_read_back(block, crc, nad):
    block = block._replace(nad=nad)
    assert Block.parse(block.encode(crc=crc), crc=crc) == block


@pytest.mark.wdk("t1.i-block", "t1.r-block", "t1.s-resynch", "t1.s-ifs", "t1.s-abort", "t1.s-wtx")
@pytest.mark.parametrize(
    ("block", "notation", "raw"),
    [
        (Block.i(0, False, b"\1\2"), "I(0,0)", "0000020102"),
        (Block.i(1, False, b""), "I(1,0)", "004000"),
        (Block.i(0, True, b"\1"), "I(0,1)", "00200101"),
        (Block.i(1, True, b"\1"), "I(1,1)", "00600101"),
        (Block.r(0), "R(0)", "008000"),
        (Block.r(1), "R(1)", "009000"),
        (Block.r(1, EDC_ERROR), "R(1) EDC error", "009100"),
        (Block.r(0, OTHER_ERROR), "R(0) other error", "008200"),
        (Block(RESYNCH), "S(RESYNCH request)", "00C000"),
        (Block(RESYNCH).response(), "S(RESYNCH response)", "00E000"),
        (Block(IFS, b"\xfe"), "S(IFS request 254)", "00C101FE"),
        (Block(IFS, b"\xfe").response(), "S(IFS response 254)", "00E101FE"),
        (Block(ABORT), "S(ABORT request)", "00C200"),
        (Block(ABORT).response(), "S(ABORT response)", "00E200"),
        (Block(WTX, b"\5"), "S(WTX request 5)", "00C30105"),
        (Block(WTX, b"\5").response(), "S(WTX response 5)", "00E30105"),
    ],
)
def test_coding_and_notation(block, notation, raw):
    assert block.encode()[:-1] == bytes.fromhex(raw)
    assert str(block) == notation
    assert (block.is_i, block.is_r, block.is_request) == (
        notation[0] == "I",
        notation[0] == "R",
        "request" in notation,
    )


def test_numbers_and_more():
    assert [Block.i(n, False, b"").number for n in (0, 1)] == [0, 1]
    assert [Block.r(n, OTHER_ERROR).number for n in (0, 1)] == [0, 1]
    assert Block.i(1, True, b"").more
    assert not Block.r(1).more


@pytest.mark.wdk("t1.lrc")
def test_lrc_is_the_xor():
    assert Block(IFS, b"\xfe").encode() == bytes.fromhex("00C101FE3E")


@pytest.mark.wdk("t1.crc")
@pytest.mark.parametrize(  # captured between libccid and a card (Popovec, OsEID, 2021)
    "raw",
    ["00C101FE544E", "00E101FE5775", "00000500A4000000B8DA", "009000206E"],
)
def test_crc_as_seen_on_a_line(raw):
    assert Block.parse(bytes.fromhex(raw), crc=True)
    assert edc(bytes.fromhex(raw)[:-2], crc=True) == bytes.fromhex(raw)[-2:]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ("", BlockLengthError),
        ("000000", BlockLengthError),
        ("0000FF00", BlockLengthError),
        ("0000020102", BlockLengthError),
        ("00000201020100", BlockLengthError),
        ("0000020102FF", BlockChecksumError),
        ("00010001", BlockFormatError),  # an I-block with a reserved bit
        ("00830083", BlockFormatError),
        ("00A000A0", BlockFormatError),
        ("0080010081", BlockFormatError),  # an R-block has no INF
        ("00C400C4", BlockFormatError),
        ("00C10100C0", BlockFormatError),  # IFS 0 and 255 are reserved
        ("00C101FF3F", BlockFormatError),
        ("00C30100C2", BlockFormatError),
        ("00C100C1", BlockFormatError),
        ("00C00100C1", BlockFormatError),
        ("08000008", BlockFormatError),  # bit 4 of NAD
        ("11000011", BlockFormatError),  # source and destination are one
    ],
)
def test_what_is_no_block(raw, error):
    with pytest.raises(error) as caught:
        Block.parse(bytes.fromhex(raw))
    assert caught.value.code == (EDC_ERROR if error is BlockChecksumError else OTHER_ERROR)


@pytest.mark.wdk("t1.vpp-error")
def test_the_old_vpp_error_is_not_understood():
    with pytest.raises(BlockFormatError):
        Block.parse(bytes.fromhex("00E400E4"))


@given(raw=st.binary(max_size=300), crc=st.booleans())
def test_any_bytes_are_a_block_or_a_typed_error(raw, crc):
    try:
        block = Block.parse(raw, crc=crc)
    except BlockError:
        return
    assert block.encode(crc=crc) == raw


def test_too_much_for_a_block():
    with pytest.raises(ValueError, match="at most 254"):
        Block.i(0, False, bytes(255)).encode()


def test_the_way_back():
    assert swap_nad(0x12) == 0x21
    assert Block(WTX, b"\1", 0x12).response().nad == 0x21
    assert Block(WTX, b"\1").response().answers(Block(WTX, b"\1"))
    assert not Block(WTX, b"\2").response().answers(Block(WTX, b"\1"))
