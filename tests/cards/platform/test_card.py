# SPDX-License-Identifier: Apache-2.0
"""The ISO 7816-4 layer with a toy application: classes, chaining, GET RESPONSE, SELECT, commits."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.platform import Applet, AppletCard, Nvm, NvmError, Refuse
from cards.platform.nvm import MemoryBackend
from vreader.card import Card, CardMute
from vreader.iso7816 import SW, CommandApdu

AID_A = bytes.fromhex("A0000000010101")
AID_B = bytes.fromhex("A0000000010102")
ATR = bytes.fromhex("3B80800101")
ECHO, SET, GIVE, FAIL, BUG, WRITE = 0x10, 0x12, 0x14, 0x16, 0x18, 0x1A


class Toy(Applet[CommandApdu]):
    """INS 10 echoes, 12 marks the session, 14 gives P1P2 bytes, 16 refuses, 18 breaks."""

    def __init__(self, aid, area, proprietary=False):
        self.aid, self.area, self.proprietary_class = aid, area, proprietary
        self.marked = False
        self.seen = []

    def select(self, wanted):
        return b"I am " + self.aid[-1:].hex().encode()

    def reset(self):
        self.marked = False

    def parse(self, apdu):
        self.seen.append(apdu)
        return apdu

    def execute(self, command):
        match command.ins:
            case 0x10:
                return command.data
            case 0x12:
                self.marked = True
                return b""
            case 0x14:
                return bytes(i & 0xFF for i in range(command.p1 << 8 | command.p2))
            case 0x16:
                self.area.put("x", b"never")
                raise Refuse(SW.WRONG_DATA)
            case 0x18:
                self.area.put("x", b"never")
                raise ZeroDivisionError("a bug")
            case 0x1A:
                self.area.put("x", command.data)
                return b""
            case _:
                raise Refuse(SW.INS_NOT_SUPPORTED)


class Backend(MemoryBackend):
    """Remembers writes and fails on demand."""

    def __init__(self):
        self.writes, self.broken = [], False

    def write(self, changes):
        if self.broken:
            raise NvmError("disk full")
        self.writes.append(dict(changes))


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def card(backend):
    nvm = Nvm(backend)
    card = AppletCard(
        ATR, lambda: [Toy(AID_A, nvm.area("a")), Toy(AID_B, nvm.area("b"), True)], nvm
    )
    card.power_on()
    return card


def send(card, text):
    return card.transmit(bytes.fromhex(text)).hex().upper()


def select(card, aid=AID_A):
    return card.transmit(b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid)


def test_it_is_a_card(card):
    assert isinstance(card, Card)
    assert card.power_on() == ATR
    assert card.reset() == ATR


def test_without_power_it_is_mute(card):
    card.power_off()
    with pytest.raises(CardMute):
        card.transmit(bytes(4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "00A4",
        "00A404",
        "00A4040001",
        "0010000002AA",
        "00100000000000",
        "00100000000001",
        "001000000000",
    ],
)
def test_what_is_no_apdu_gets_6700(card, text):
    # 00A4040001 is a well-formed case 2: SELECT without a name.
    assert send(card, text) in ("6700", "6A82", "6D00")
    if len(text) < 8:
        assert send(card, text) == "6700"


@pytest.mark.parametrize(
    ("cla", "sw"),
    [("01", "6881"), ("13", "6881"), ("04", "6882"), ("0C", "6882"), ("40", "6881"), ("7F", "6881"),
     ("20", "6E00"), ("3F", "6E00"), ("80", "6E00"), ("FF", "6E00"), ("A0", "6E00")],
)  # fmt: skip
def test_classes_it_does_not_speak(card, cla, sw):
    select(card)
    assert send(card, cla + "100000") == sw


def test_proprietary_class_only_for_who_wants_it(card):
    select(card, AID_B)
    assert send(card, "8010000001AA00") == "AA9000"
    assert send(card, "9010000001AA") == "9000"
    assert send(card, "8010000001BB00") == "AABB9000"
    assert send(card, "C010000001BB00") == "6E00"


def test_nothing_is_selected_after_a_reset(card):
    assert send(card, "00100000") == "6D00"
    select(card)
    assert send(card, "00100000") == "9000"
    card.reset()
    assert send(card, "00100000") == "6D00"


def test_select_by_full_and_truncated_aid(card):
    assert select(card)[:-2] == b"I am 01"
    assert select(card, AID_B)[:-2] == b"I am 02"
    assert select(card, AID_A[:5])[:-2] == b"I am 01"
    assert send(card, "00A4040005A00000000100")[-4:] == "9000"
    assert send(card, "00A4040C05A000000001") == "9000"
    assert send(card, "00A4040405A000000001")[-4:] == "9000"


def test_next_occurrence(card):
    assert select(card, AID_A[:5])[:-2] == b"I am 01"
    assert send(card, "00A4040205A000000001") == (b"I am 02".hex().upper() + "9000")
    assert send(card, "00A4040205A000000001") == "6A82"
    assert send(card, "00A4040105A000000001") == (b"I am 02".hex().upper() + "9000")
    assert send(card, "00A4040305A000000001") == (b"I am 01".hex().upper() + "9000")
    assert send(card, "00A4040305A000000001") == "6A82"
    assert send(card, "00A4041005A000000001") == "6A86"


@pytest.mark.parametrize(
    "name", ["A000000002", "A0000000010103", "A000000001010101", "A0000000", "00" * 16]
)
def test_an_unknown_aid_leaves_everything_as_it_was(card, name):
    select(card)
    send(card, "00120000")
    assert send(card, f"00A40400{len(name) // 2:02X}{name}") == "6A82"
    assert card.applications[0].marked
    assert send(card, "0010000001AA00") == "AA9000"


def test_selecting_again_keeps_the_security_status_and_another_clears_it(card):
    select(card)
    send(card, "00120000")
    select(card, AID_A[:6])
    assert card.applications[0].marked
    select(card, AID_B)
    assert not card.applications[0].marked
    select(card)
    send(card, "00120000")
    card.reset()
    assert not card.applications[0].marked


def test_a_chain_is_one_command(card):
    select(card)
    assert send(card, "10100000FF" + "AA" * 255) == "9000"
    assert send(card, "1010000001BB") == "9000"
    assert send(card, "0010000001CC00") == "AA" * 255 + "BB" + "6101"
    assert send(card, "00C0000001") == "CC9000"
    assert len(card.applications[0].seen) == 1


def test_a_link_may_carry_le(card):
    select(card)
    assert send(card, "10100000FF" + "AA" * 255 + "00") == "9000"
    assert send(card, "0010000001CC00") == "AA" * 255 + "CC9000"


@pytest.mark.parametrize("other", ["00120000", "1010000101DD", "00110000", "00", "80100000"])
def test_another_header_discards_the_chain(card, other):
    select(card)
    send(card, "1010000001AA")
    send(card, other)
    # Class errors are refused before the chain is looked at.
    expected = "AABB9000" if other == "80100000" else "BB9000"
    assert send(card, "0010000001BB00") == expected


def test_an_endless_chain_ends(card):
    select(card)
    link = bytes.fromhex("10100000FF") + bytes(255)
    for _ in range(257):
        assert card.transmit(link) == b"\x90\x00"
    assert card.transmit(link) == b"\x67\x00"
    assert send(card, "0010000001BB00") == "BB9000"


def test_get_response(card):
    select(card)
    assert send(card, "0014030000")[-4:] == "6100"
    assert send(card, "00C0000000")[-4:] == "6100"
    assert send(card, "00C0000010")[-4:] == "61F0"
    assert send(card, "00C00000FF") == bytes(range(16, 256)).hex().upper() + "9000"
    assert send(card, "00C0000000") == "6985"


def test_get_response_is_strict_about_its_form(card):
    select(card)
    for text, sw in (("00C0010000", "6A86"), ("00C0000001AA", "6700")):
        send(card, "0014020000")
        assert send(card, text) == sw
        assert send(card, "00C0000000") == "6985"


def test_get_response_of_a_proprietary_class(card):
    select(card, AID_B)
    send(card, "8014010100")
    assert send(card, "80C0000000") == "009000"
    assert send(card, "80C0000000") == "6D00"


@pytest.mark.parametrize("other", ["00120000", "00A4040005A0000000FF", "00", "04000000"])
def test_another_command_drops_the_pending_answer(card, other):
    select(card)
    assert send(card, "0014020000")[-4:] == "6100"
    send(card, other)
    assert send(card, "00C0000000") == "6985"


def test_le_cuts_the_answer(card):
    select(card)
    assert send(card, "0014000A04") == "000102036106"
    assert send(card, "0014000A") == bytes(range(10)).hex().upper() + "9000"
    assert len(card.transmit(bytes.fromhex("00140200"))) == 258
    assert len(card.transmit(bytes.fromhex("0014040000000000"[:14]))) == 1026
    assert send(card, "0014040000" + "0002") == "00016100"
    # Extended length without Le: as much as there is.
    assert len(card.transmit(bytes.fromhex("00140400000001AA"))) == 1026


def test_a_short_chain_of_many_bytes_still_answers_in_short_form(card):
    select(card)
    for _ in range(2):
        card.transmit(bytes.fromhex("10100000FF") + bytes(255))
    answer = card.transmit(bytes.fromhex("0010000001AA"))
    assert len(answer) == 258
    assert answer[-2:] == b"\x61\xff"


def test_an_extended_command(card):
    select(card)
    data = bytes(i & 0xFF for i in range(3000))
    command = bytes(CommandApdu(0, ECHO, 0, 0, data, 65536))
    assert card.transmit(command) == data + b"\x90\x00"


def test_writes_are_committed_before_the_answer(card, backend):
    select(card)
    assert send(card, "001A000001AA") == "9000"
    assert backend.writes == [{("a", "x"): b"\xaa"}]


def test_a_refused_command_leaves_nothing(card, backend):
    select(card)
    send(card, "001A000001AA")
    assert send(card, "00160000") == "6A80"
    assert card.nvm.get(("a", "x")) == b"\xaa"
    assert len(backend.writes) == 1


def test_a_bug_is_not_hidden_and_leaves_nothing(card, backend):
    select(card)
    with pytest.raises(ZeroDivisionError):
        send(card, "00180000")
    assert card.nvm.get(("a", "x")) is None
    assert send(card, "0010000001AA00") == "AA9000"
    assert not backend.writes


def test_a_failing_store_gives_6581_and_undoes_the_command(card, backend, caplog):
    select(card)
    send(card, "00120000")
    backend.broken = True
    with caplog.at_level(logging.WARNING):
        assert send(card, "001A000001AA") == "6581"
    assert "disk full" in caplog.text
    assert not card.applications[0].marked
    backend.broken = False
    assert send(card, "0010000001AA00") == "AA9000"
    assert card.nvm.get(("a", "x")) is None


def test_the_atr_is_handed_out_as_it_is():
    nvm = Nvm(MemoryBackend())
    assert AppletCard(b"\x3b", list, nvm).power_on() == b"\x3b"


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_get_an_answer(commands):
    nvm = Nvm(MemoryBackend())
    card = AppletCard(ATR, lambda: [Toy(AID_A, nvm.area("a"))], nvm)
    card.power_on()
    select(card)
    for command in commands:
        if len(command) > 1 and command[1] == BUG:
            continue
        assert len(card.transmit(command)) >= 2
    assert select(card)[-2:] == b"\x90\x00"
