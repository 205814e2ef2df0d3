# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.bridge.serialccid.ccid import Request
from vreader.bridge.serialccid.frame import (
    MAX_DATA,
    NAK_FRAME,
    SYNC,
    FrameDecoder,
    Signal,
    encode,
)

bytes_ = st.integers(0, 255)
messages = st.builds(
    lambda kind, slot, seq, rest, data: bytes(Request(kind, slot, seq, rest, data)),
    bytes_,
    bytes_,
    bytes_,
    st.binary(min_size=3, max_size=3),
    st.binary(max_size=MAX_DATA),
)
STATUS = bytes(Request(0x65, 0, 7))


def feed_in(decoder: FrameDecoder, data: bytes, cuts: list[int]) -> list[bytes | Signal]:
    found = []
    for cut in cuts:
        found += decoder.feed(data[:cut])
        data = data[cut:]
    return found + decoder.feed(data)


def test_a_frame_as_a_twin_sends_it():
    # PC_to_RDR_Escape that asks for the firmware, as libccid's driver sends it.
    frame = bytes.fromhex("03066b010000000000000000026d")
    assert FrameDecoder().feed(frame) == [bytes.fromhex("6b0100000000000000 00 02")]
    assert encode(bytes.fromhex("6b010000000000000000 02")) == frame
    assert bytes.fromhex("031516") == NAK_FRAME


@given(st.lists(messages | st.none(), max_size=4), st.lists(st.integers(0, 50), max_size=20))
def test_messages_come_out_however_they_are_cut(sent, cuts):
    data = b"".join(NAK_FRAME if message is None else encode(message) for message in sent)
    expected = [Signal.RESEND if message is None else message for message in sent]
    assert feed_in(FrameDecoder(), data, cuts) == expected


@given(st.binary().filter(lambda data: SYNC not in data), messages)
def test_garbage_without_sync_is_skipped(garbage, message):
    assert FrameDecoder().feed(garbage + encode(message)) == [message]


@given(st.binary(max_size=600), messages)
def test_it_finds_back_after_any_garbage(garbage, message):
    decoder = FrameDecoder()
    decoder.feed(garbage)
    # A false beginning may swallow as much as the longest frame before its check byte fails.
    frames = 2 + (MAX_DATA + 13) // len(encode(message))
    found = decoder.feed(encode(message) * frames)
    assert message in found
    assert decoder.feed(encode(STATUS)) == [STATUS]


@given(messages, st.data())
def test_one_wrong_byte_never_makes_another_message(message, data):
    frame = bytearray(encode(message))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    decoder = FrameDecoder()
    found = decoder.feed(bytes(frame))
    assert all(isinstance(item, Signal) or len(item) < len(message) for item in found)
    assert found.count(Signal.DAMAGED) <= 1


@pytest.mark.parametrize("at", [2, 7, 12])
def test_damage_asks_for_a_nak(at):
    frame = bytearray(encode(STATUS))
    frame[at] ^= 0x10
    assert FrameDecoder().feed(bytes(frame)) == [Signal.DAMAGED]


def test_a_frame_longer_than_any_asks_for_a_nak():
    message = bytes(Request(0x6F, 0, 0, bytes(3), bytes(MAX_DATA + 1)))
    assert FrameDecoder().feed(encode(message)) == [Signal.DAMAGED]


def test_a_frame_behind_a_truncated_one_is_not_lost():
    truncated = encode(bytes(Request(0x6F, 0, 1, bytes(3), bytes(5))))[:15]
    assert FrameDecoder().feed(truncated + encode(STATUS)) == [STATUS]


def test_a_nak_with_a_wrong_check_byte_is_nothing():
    assert FrameDecoder().feed(bytes.fromhex("031517") + encode(STATUS)) == [STATUS]
