# SPDX-License-Identifier: Apache-2.0
"""The ISO 7816-4 layer with a toy application: classes, chaining, GET RESPONSE, SELECT, commits."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_card import AID_A, AID_B, ATR, BUG, Toy, select, send

from cards.platform import AppletCard, Nvm, NvmError, Refuse
from cards.platform.applet import CardStatus
from cards.platform.nvm import MemoryBackend
from vreader.card import Card, CardMute
from vreader.iso7816 import SW, CommandApdu


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


@pytest.mark.parametrize("ending", ["select", "reset", "power", "garbled", "refused class"])
def test_what_ends_a_chain(card, ending):
    select(card)
    send(card, "1010000001AA")
    match ending:
        case "select":
            select(card)
        case "reset":
            card.reset()
            select(card)
        case "power":
            card.power_off()
            card.power_on()
            select(card)
        case "garbled":
            assert send(card, "0010000002BB") == "6700"
        case "refused class":
            assert send(card, "0410000001BB") == "6882"  # not part of it; the chain goes on
            assert send(card, "0010000001CC00") == "AACC9000"
    assert send(card, "0010000001BB00") == "BB9000"


def test_a_select_is_never_chained_and_ends_a_chain(card):
    select(card)
    send(card, "1010000001AA")
    assert send(card, "10A4040005A000000001") == "6884"
    assert send(card, "0010000001BB00") == "BB9000"


def test_without_an_application_no_chain_starts(card):
    assert send(card, "1010000001AA") == "6D00"
    select(card)
    assert send(card, "0010000001BB00") == "BB9000"


def test_the_links_of_a_chain_may_be_extended(card):
    select(card)
    assert card.transmit(bytes(CommandApdu(0x10, 0x10, 0, 0, bytes(1000)))) == b"\x90\0"
    answer = card.transmit(bytes(CommandApdu(0, 0x10, 0, 0, bytes(1000), 65536)))
    assert answer == bytes(2000) + b"\x90\0"


def test_a_refused_whole_leaves_no_chain(card):
    select(card)
    send(card, "1016000001AA")
    assert send(card, "0016000001AA") == "6A80"
    assert send(card, "0010000001BB00") == "BB9000"


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


@pytest.mark.parametrize("end", ["reset", "power_off"])
def test_a_reset_drops_the_pending_answer(card, end):
    select(card)
    assert send(card, "0014020000")[-4:] == "6100"
    getattr(card, end)()
    card.power_on()
    assert send(card, "00C0000000") == "6985"


@pytest.mark.parametrize("end", ["reset", "power_off"])
def test_a_reset_drops_the_status_that_all_applications_share(end):
    status = CardStatus()
    card = AppletCard(ATR, tuple, Nvm(MemoryBackend()), status=status)
    card.power_on()
    status.verified.add("global PIN")
    status.authentication = card
    getattr(card, end)()
    assert not status.verified
    assert status.authentication is None


def test_le_cuts_the_answer(card):
    select(card)
    assert send(card, "0014000A04") == "000102036106"
    assert send(card, "0014000A") == bytes(range(10)).hex().upper() + "9000"
    assert len(card.transmit(bytes.fromhex("00140200"))) == 258
    assert len(card.transmit(bytes.fromhex("0014040000000000"[:14]))) == 1026
    assert send(card, "0014040000" + "0002") == "00016100"
    # Extended length without Le: as much as there is.
    assert len(card.transmit(bytes.fromhex("00140400000001AA"))) == 1026


@pytest.fixture
def exact(card):
    card.applications[0].exact_le = True
    select(card)
    return card


def test_exact_le_tells_the_right_one(exact):
    assert send(exact, "0014000A04") == "6C0A"
    assert send(exact, "0014000A0B") == "6C0A"
    assert send(exact, "0014000A0A") == bytes(range(10)).hex().upper() + "9000"
    assert send(exact, "0014000A00") == bytes(range(10)).hex().upper() + "9000"
    assert send(exact, "0014000A000000") == bytes(range(10)).hex().upper() + "9000"
    assert send(exact, "0014000A000009") == "6C0A"
    assert send(exact, "0014010010") == "6C00"
    assert len(send(exact, "0014020000")) == 516


def test_exact_le_concerns_case_2_alone(exact):
    assert send(exact, "0010000003AABBCC02") == "AABB6101"
    assert send(exact, "0014000A") == bytes(range(10)).hex().upper() + "9000"


def test_exact_le_does_not_concern_a_chain_whose_last_link_is_empty(exact):
    send(exact, "1010000003AABBCC")
    assert send(exact, "0010000002") == "AABB6101"  # with data in the links the whole is case 4


def test_exact_le_has_nothing_to_say_about_an_answer_without_data(exact):
    assert send(exact, "0014000004") == "9000"  # 6C00 would promise 256 bytes


def test_exact_le_of_get_response_keeps_the_answer(exact):
    assert send(exact, "0010000003AABBCC01") == "AA6102"
    assert send(exact, "00C0000005") == "6C02"
    assert send(exact, "00C0000002") == "BBCC9000"
    assert send(exact, "00C0000000") == "6985"


@pytest.mark.parametrize("p2", range(16))
def test_every_occurrence_with_every_template(card, p2):
    found = {0: "01", 1: "02", 2: "02", 3: ""}[p2 & 3]
    select(card)
    answer = send(card, f"00A404{p2:02X}05A000000001")
    data = (b"I am " + found.encode()).hex().upper() if p2 & 0x0C != 0x0C else ""
    assert answer == (data + "9000" if found else "6A82")


def test_next_and_previous_with_nothing_selected_are_first_and_last(card):
    assert send(card, "00A4040205A000000001")[:14] == b"I am 01".hex().upper()
    card.reset()
    assert send(card, "00A4040305A000000001")[:14] == b"I am 02".hex().upper()


def test_what_it_refuses_with_can_be_chosen():
    nvm = Nvm(MemoryBackend())
    card = AppletCard(ATR, tuple, nvm, unknown=SW(0x6999), unselected=SW.CLA_NOT_SUPPORTED)
    card.power_on()
    assert send(card, "00A4040005A000000001") == "6999"
    assert send(card, "00B0000000") == "6E00"
    assert send(card, "1010000001AA") == "6E00"


class Listener(Toy):
    """Takes INS 30 and SELECT by file identifier wherever the card is."""

    anywhere = True

    def takes(self, apdu):
        return apdu.ins == 0x30 or (apdu.ins == 0xA4 and apdu.p1 == 0)

    def execute(self, command):
        if command.ins == 0xA4 and command.data != b"\x3f\0":
            raise Refuse(SW.FILE_NOT_FOUND)
        return b"heard" if command.ins in (0x30, 0xA4) else super().execute(command)


def test_an_application_may_listen_while_it_is_not_selected():
    nvm = Nvm(MemoryBackend())
    area = nvm.area("a")
    card = AppletCard(ATR, lambda: [Toy(AID_A, area), Listener(b"", area)], nvm, channels=4)
    card.power_on()
    heard = b"heard".hex().upper() + "9000"
    assert send(card, "0030000000") == heard
    assert send(card, "001000000100") == "6D00"  # it is not selected by this
    select(card)
    send(card, "00120000")
    assert send(card, "0030000000") == heard
    assert send(card, "00A4000002AAAA") == "6A82"
    assert send(card, "001C000000") == "019000"
    select(card, cla=1)
    assert send(card, "0130000000") == heard  # also on another channel
    assert send(card, "00A40000023F0000") == heard
    assert send(card, "001C000000") == "009000"  # by this it is
    select(card)
    assert send(card, "001C000000") == "009000"  # which dropped the status of the other


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
    command = bytes(CommandApdu(0, 0x10, 0, 0, data, 65536))
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


def test_a_bug_costs_the_security_status(card):
    select(card)
    send(card, "00120000")
    with pytest.raises(ZeroDivisionError):
        send(card, "00180000")
    assert send(card, "001C000000") == "009000"


def test_a_failing_store_costs_the_status_of_all_applications(backend):
    nvm = Nvm(backend)
    card = AppletCard(ATR, lambda: [Toy(AID_A, nvm.area("a")), Marked(AID_B, nvm.area("b"))], nvm)
    card.power_on()
    select(card)
    send(card, "00120000")
    assert card.applications[1].marked  # by a command it took while it was not selected
    backend.broken = True
    assert send(card, "001A000001AA") == "6581"
    assert not card.applications[1].marked


class Marked(Toy):
    anywhere = True

    def takes(self, apdu):
        return apdu.ins == 0x12


class Terminated(Toy):
    def select(self, wanted):
        self.area.put("x", b"never")
        raise Refuse(SW(0x6285))


def test_a_default_application_that_refuses_is_not_selected(backend):
    nvm = Nvm(backend)
    card = AppletCard(ATR, lambda: [Terminated(AID_A, nvm.area("a"))], nvm, default=AID_A)
    assert card.power_on() == ATR
    assert send(card, "0010000001AA00") == "6D00"
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


@pytest.mark.parametrize(("committed", "writes"), [(False, 0), (True, 1)])
def test_power_lost_in_the_middle_of_a_write(card, backend, committed, writes):
    select(card)
    send(card, "00120000")
    card.tear(bytes.fromhex("001A000001AA"), committed)
    assert len(backend.writes) == writes
    with pytest.raises(CardMute):
        send(card, "00120000")
    card.power_on()
    select(card)
    assert send(card, "001C000000") == "009000"  # nothing volatile stays
    assert send(card, "001A000001BB") == "9000"  # and the next write lasts
    assert backend.writes[-1] == {("a", "x"): b"\xbb"}


def test_power_lost_where_nothing_is_written(card, backend):
    select(card)
    card.tear(bytes.fromhex("00120000"), True)
    assert backend.writes == []
    with pytest.raises(CardMute):
        card.transmit(bytes.fromhex("00120000"))
