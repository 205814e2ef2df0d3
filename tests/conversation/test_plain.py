# SPDX-License-Identifier: Apache-2.0
"""A conversation as text: what is random or secret is masked, and recordings' reader reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.conversation.plain import Free, plain_text, settled
from vreader.conversation.telling import holes
from vreader.errors import UsageError
from vreader.reader.events import ApduEvent, CardEvent
from vreader.recording import Exchange, Reset, read_plain

COLD = CardEvent("reader0", "cold reset", bytes.fromhex("3B80800101"))


def apdu(command, response, text="", masked=(), masked_response=(), problem=""):
    data = bytes.fromhex(command), bytes.fromhex(response)
    return ApduEvent("reader0", *data, masked, masked_response, text, 0.5, problem)


def written(*said, masks=()):
    return plain_text(settled(said, Free.parse(masks))).splitlines()


def test_of_idle_resets_nothing_is_left():
    warm = CardEvent("reader0", "warm reset", b"\x3b\x00")
    assert written(COLD, warm, apdu("00A4", "9000"), COLD) == [
        "RESET 3B 00",
        "> 00 A4",
        "< 90 00   # OK",
    ]


def test_words_secrets_and_randomness():
    verify = apdu("00200080040000FFFF", "63C2", "VERIFY PIV PIN", ((5, 9),))
    challenge = apdu("0084000004", "01020304 9000", "GET CHALLENGE")
    assert written(verify, challenge) == [
        "> 00 20 00 80 04 ** ** ** **   # VERIFY PIV PIN",
        "< 63 C2   # 2 tries left",
        "> 00 84 00 00 04   # GET CHALLENGE",
        "< ** ** ** ** 90 00   # OK  4 B",
    ]
    assert written(challenge, masks=["none"])[1] == "< 01 02 03 04 90 00   # OK  4 B"


def test_what_get_response_fetches_is_as_random_as_its_beginning():
    first, rest = apdu("0088000002010200", "0102 6103"), apdu("00C0000003", "030405 9000")
    assert written(first, rest)[1::2] == [
        "< ** ** 61 **   # " + written(first)[1].partition("# ")[2],
        "< ** ** ** 90 00   # OK  3 B",
    ]
    assert written(first, COLD, rest)[-1].startswith("< 03 04 05 90 00")


def test_long_answers_have_rows():
    lines = written(apdu("00B0000046", "AB" * 70 + "9000"))
    assert [len(line.split("#")[0].split()) - 1 for line in lines] == [5, 32, 32, 8]


def test_no_answer_is_a_remark():
    assert written(apdu("00A4", "", problem="gone")) == ["> 00 A4", "<", "# the card is gone"]


def test_masks_of_ones_own():
    put = apdu("00DB3FFF0401020304", "9000")
    get = apdu("00CA000000", "0102039000")
    assert written(put, get, masks=[">00DB*@5-7", "00CA*@1"]) == [
        "> 00 DB 3F FF 04 ** ** 03 04",
        "< 90 00   # OK",
        "> 00 CA 00 00 00",
        "< 01 ** ** 90 00   # OK  3 B",
    ]
    for wrong in ("zz", ">zz", ">00CA@", "> none"):
        with pytest.raises(UsageError):
            Free.parse([wrong, wrong]) if wrong != "> none" else Free.parse(["none@1"])


APDUS = st.builds(
    apdu,
    st.binary(min_size=2, max_size=80).map(bytes.hex),
    st.binary(max_size=80).map(bytes.hex),
    st.text(max_size=9),
    st.sampled_from([(), ((0, 1),), ((1, 40),), ((0, 2), (2, 3))]),
)


@given(st.lists(st.one_of(st.just(COLD), APDUS), max_size=6))
def test_what_is_written_can_be_read(said):
    told = settled(said, Free.parse([]))
    read = list(read_plain(plain_text(told), "x"))
    assert len(read) == len(told)
    for event, one in zip(told, read, strict=True):
        if isinstance(event, CardEvent):
            assert isinstance(one, Reset)
            assert one.atr == event.atr
            continue
        assert isinstance(one, Exchange)
        assert one.command.fits(event.command)
        assert holes(one.command) == event.masked
        if event.response:
            assert one.expected.fits(event.response)
            assert holes(one.expected) == event.masked_response
        else:
            assert one.expected is None
