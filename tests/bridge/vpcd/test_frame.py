# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.bridge.vpcd.frame import MAX_PAYLOAD, FrameDecoder, encode

PAYLOADS = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


@given(PAYLOADS, st.data())
def test_any_fragmentation_gives_the_same_frames(payloads, data):
    stream = b"".join(map(encode, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = FrameDecoder()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += decoder.feed(stream[start:end])
    assert found == payloads
    assert not decoder.partial


@given(st.lists(st.binary(max_size=50)))
def test_garbage_is_frames_or_waits_for_more(chunks):
    decoder = FrameDecoder()
    found = [payload for chunk in chunks for payload in decoder.feed(chunk)]
    stream = b"".join(chunks)
    used = b"".join(len(p).to_bytes(2) + p for p in found)
    assert stream.startswith(used)
    assert decoder.partial == (used != stream)


@pytest.mark.parametrize("size", [1, 255, 256, MAX_PAYLOAD])
def test_longest_and_shortest(size):
    payload = bytes(size)
    assert FrameDecoder().feed(encode(payload)) == [payload]


@pytest.mark.parametrize("size", [0, MAX_PAYLOAD + 1])
def test_what_cannot_be_framed_is_never_sent(size):
    with pytest.raises(ValueError, match="1 to 65535"):
        encode(bytes(size))


def test_an_empty_frame_is_seen():
    assert FrameDecoder().feed(b"\0\0") == [b""]
    assert FrameDecoder().feed(b"\0\0\0\1\4") == [b"", b"\4"]
