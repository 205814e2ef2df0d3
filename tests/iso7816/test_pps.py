# SPDX-License-Identifier: Apache-2.0
"""PPS requests and responses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.pps import Pps, PpsError, answer

VALUES = st.none() | st.integers(0, 255)


@pytest.mark.wdk("atr.pps", "example.pps-ta1", "example.pps-no-pps1")
@pytest.mark.parametrize(
    ("pps", "raw"),
    [
        (Pps(1, 0x18), "FF1118F6"),
        (Pps(1), "FF01FE"),
        (Pps(0, 0x95), "FF10957A"),
        (Pps(0, 0x11, 2, 3), "FF701102039F"),
    ],
)
def test_coding(pps, raw):
    assert bytes(pps) == bytes.fromhex(raw)
    assert Pps.parse(bytes.fromhex(raw)) == pps


@given(pps=st.builds(Pps, st.integers(0, 14), VALUES, VALUES, VALUES))
def test_what_is_encoded_is_read_back(pps):
    assert Pps.parse(bytes(pps)) == pps


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "do not start"),
        ("FF01", "do not start"),
        ("FE01FF", "do not start"),
        ("FF0100", "PCK is 00, should be FE"),
        ("FF1118", "PPS0=11"),
        ("FF01FEFE", "PPS0=01"),
        ("FF817E", "PPS0=81"),
    ],
)
def test_what_is_no_pps(raw, problem):
    with pytest.raises(PpsError, match=problem):
        Pps.parse(bytes.fromhex(raw))


@given(raw=st.binary(max_size=8))
def test_any_bytes_are_a_pps_or_a_typed_error(raw):
    try:
        pps = Pps.parse(raw)
    except PpsError:
        return
    assert bytes(pps) == raw


@pytest.mark.parametrize(
    ("response", "agreed"),
    [
        (Pps(1, 0x18), Pps(1, 0x18)),
        (Pps(1), Pps(1)),  # the card leaves the speed out: defaults
        (Pps(1, 0x11), "changed PPS1"),
        (Pps(1, 0x18, 1), "changed PPS2"),
        (Pps(0, 0x18), "the card says T=0"),
    ],
)
def test_what_a_response_may_say(response, agreed):
    request = Pps(1, 0x18)
    if isinstance(agreed, str):
        with pytest.raises(PpsError, match=agreed):
            request.check(bytes(response))
    else:
        assert request.check(bytes(response)) == agreed


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Pps(1, 0x18), Pps(1, 0x18)),
        (Pps(1, 0x11), Pps(1, 0x11)),
        (Pps(1, 0x96), Pps(1)),  # a speed the card does not know
        (Pps(1), Pps(1)),
        (Pps(1, None, 1, 1), Pps(1)),
        (Pps(0), None),  # a protocol it does not offer
    ],
)
def test_how_a_card_answers(request_, said):
    raw = answer(bytes(request_), (1,), ta1=0x18)
    assert raw == (None if said is None else bytes(said))


def test_a_card_does_not_answer_noise():
    assert answer(b"\xff\x01\xff", (1,)) is None
