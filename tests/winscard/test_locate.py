# SPDX-License-Identifier: Apache-2.0
"""Cards found by name, by ATR, and by what they answer; some leave, or are not to be had."""

from uuid import UUID

import pytest
from locate_desk import Gids, cached, code_of, discover, do, is_left_alone
from winscard_desk import ATR, Card

from vreader.card import CardGone, MemoryStore
from vreader.kinds import find_kind
from vreader.winscard import locate
from vreader.winscard.codes import SCARD, ReaderFlag, ScardError
from vreader.winscard.events import CardNameEvent
from vreader.winscard.locate import AtrMask
from vreader.winscard.probing import GIDS_CARD, PIV_CARD
from vreader.winscard.status_change import ReaderState

F = ReaderFlag


def real(name):
    kind = find_kind(name)
    return kind.create(next(iter(kind.profiles())), {}, MemoryStore(), b"seed")


# ------------------------------------------------------------------ the name of a card


def test_a_card_is_asked_once_and_left_as_it_is(desk):
    card = desk.insert(Gids())
    before = desk.reader.insertion
    found = discover(desk)
    assert (found.name, found.source) == (GIDS_CARD, "GIDS application")
    assert cached(desk) == [ATR]
    assert is_left_alone(desk)
    assert (desk.reader.insertion, card.log.count("reset")) == (before, 0)
    again = discover(desk)
    assert (again.name, again.source, again.asked) == (GIDS_CARD, "IDMP cache", [])


def test_a_trace_tells_why(desk):
    desk.insert(Gids())
    found = discover(desk)
    (told,) = [event for event in desk.told if isinstance(event, CardNameEvent)]
    assert told == CardNameEvent(
        desk.slot.name, ATR, GIDS_CARD, "GIDS application", tuple(found.steps)
    )
    assert str(told).splitlines() == [
        f"the card's name is '{GIDS_CARD}': GIDS application",
        r"  Calais\SmartCards: no entry matches",
        "  PIV Device ATR Cache: the ATR is not there",
        "  IDMP ATR Cache: the ATR is not there",
        "  SELECT the GIDS application: yes",
        "  IDMP ATR Cache: the ATR is written there",
    ]
    desk.rm.card_types(64).introduce("Mine", ATR)
    discover(desk)
    told = desk.told[-1]
    assert (told.reader, told.name, told.source) == ("", "Mine", "registry")


@pytest.mark.parametrize("at", [1, 2])
def test_a_card_that_leaves_in_the_middle_is_not_remembered(desk, at):
    class Leaving(Card):
        def transmit(self, c_apdu):
            self.log.append(c_apdu)
            if len([each for each in self.log if isinstance(each, bytes)]) == at:
                raise CardGone
            return b"\x6a\x82"

    desk.insert(Leaving())
    found = discover(desk)
    assert (found.name, found.source) == ("", "")
    assert "Removed card" in found.problem
    assert cached(desk) == []
    assert is_left_alone(desk)


def test_a_mute_card_and_no_card_have_no_name(desk):
    assert discover(desk).problem == ""
    assert discover(desk, b"").problem == ""
    desk.insert(Gids(b""))
    assert discover(desk).name == ""
    assert discover(desk, b"").problem == ""
    assert do(desk, "list_cards", b"", ()) == []


def test_another_reader_is_asked_where_one_is_taken(desk):
    second = desk.host.add_reader("Second")
    first_card, second_card = desk.insert(Gids()), Gids()
    second.insert(second_card)
    handle = desk.connect(share=1)
    assert discover(desk).name == GIDS_CARD
    assert desk.told[-1].reader == second.name
    assert not any(isinstance(each, bytes) for each in first_card.log)
    desk.do("disconnect", handle, 0)


def test_a_card_in_exclusive_use_is_not_asked(desk):
    desk.insert(Gids())
    desk.connect(share=1)
    found = discover(desk)
    assert found.name == ""
    assert found.problem == "SELECT the GIDS application: Sharing violation (0x8010000B)"


def test_two_cards_with_one_atr_share_what_is_remembered(desk):
    desk.insert(Gids())
    assert discover(desk).name == GIDS_CARD
    desk.slot.remove()
    desk.insert(Card())
    assert discover(desk).name == GIDS_CARD


# ------------------------------------------------------------------ searches


def test_cards_by_atr_and_by_registration(desk):
    types = desk.rm.card_types(64)
    types.introduce("B", b"\x3b\x00\x00\x00\x00", b"\xff\0\0\0\0")
    types.introduce("A", ATR)
    types.introduce("C", b"\x3b\x00")
    assert do(desk, "list_cards", None, ()) == ["A", "B", "C"]
    assert do(desk, "list_cards", ATR, ()) == ["A", "B"]
    assert do(desk, "list_cards", b"\x3b", ()) == []


def test_cards_by_interface(desk):
    """That of a card without an entry is asked of the entry of its name."""
    types, one, other = desk.rm.card_types(64), UUID(int=1), UUID(int=2)
    types.introduce("A", b"\x3b\x00", interfaces=[one])
    types.introduce(GIDS_CARD, b"\x3b\x01", interfaces=[one, other])
    desk.insert(Gids())
    assert do(desk, "list_cards", None, (one,)) == ["A", GIDS_CARD]
    assert do(desk, "list_cards", None, (one, other)) == [GIDS_CARD]
    assert do(desk, "list_cards", ATR, (other,)) == [GIDS_CARD]
    assert do(desk, "list_cards", ATR, (other, UUID(int=3))) == []


def look(desk, names, *states):
    return do(desk, "locate_cards", names, states)


@pytest.mark.wdk("rm.cards.locate")
def test_readers_with_a_card_of_a_name(desk):
    desk.insert(real("piv"))
    asked = ReaderState(desk.slot.name)
    (found,) = look(desk, ["nobody's", PIV_CARD.upper()], asked)
    assert found.event_state & F.ATRMATCH
    assert found.event_state & F.PRESENT
    assert not found.event_state & F.INUSE
    assert found.atr == desk.reader.atr
    (other,) = look(desk, ["nobody's", GIDS_CARD, ""], asked)
    assert other._replace(event_state=other.event_state | F.ATRMATCH) == found
    (none,) = look(desk, [], asked)
    assert not none.event_state & F.ATRMATCH


def test_a_registered_name_is_one_of_a_cards_names_though_another_is_first(desk):
    types = desk.rm.card_types(64)
    for name in ("A", "B"):
        types.introduce(name, ATR)
    desk.insert()
    for name, matches in (("A", True), ("b", True), ("C", False)):
        (found,) = look(desk, [name], ReaderState(desk.slot.name))
        assert bool(found.event_state & F.ATRMATCH) is matches


def test_each_reader_is_asked_for_its_own_card_but_not_an_ignored_one(desk):
    cards = [desk.insert(Gids())]
    for atr in ("3B00", "3B0100"):
        cards.append(Gids(bytes.fromhex(atr)))
        desk.host.add_reader().insert(cards[-1])
    *asked, last = map(ReaderState, desk.rm.readers)
    found = look(desk, [GIDS_CARD], *asked, last._replace(current_state=F.IGNORE))
    assert [bool(state.event_state & F.ATRMATCH) for state in found] == [True, True, False]
    assert [any(isinstance(each, bytes) for each in card.log) for card in cards] == [
        True, True, False,
    ]  # fmt: skip


def test_of_two_readers_with_one_atr_the_one_that_is_free_is_asked(desk):
    desk.insert(Gids())
    second = desk.host.add_reader("Second")
    second.insert(Gids())
    desk.do("connect", desk.context(), second.name, 1, 3)
    found = look(desk, [GIDS_CARD], *map(ReaderState, desk.rm.readers))
    assert all(state.event_state & F.ATRMATCH for state in found)


def test_a_card_without_a_name_is_not_called_nothing(desk):
    desk.insert(real("blank"))
    (found,) = look(desk, [""], ReaderState(desk.slot.name))
    assert not found.event_state & F.ATRMATCH


def test_readers_without_a_card_and_what_is_no_reader(desk):
    asked = [
        ReaderState(desk.slot.name),
        ReaderState("nobody", F.IGNORE),
        ReaderState(r"\\?PnP?\Notification"),
    ]
    empty, ignored, pnp = look(desk, [GIDS_CARD], *asked)
    assert empty.event_state & F.EMPTY
    assert not empty.event_state & F.ATRMATCH
    assert ignored == asked[1]
    assert pnp.event_state >> 16 == 1
    with pytest.raises(ScardError) as caught:
        look(desk, [GIDS_CARD], ReaderState("nobody"))
    assert caught.value.code is SCARD.E_UNKNOWN_READER
    nobody = [ReaderState("nobody")]
    assert code_of(locate.locate_by_atr, desk.rm, [], nobody) is SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.cards.locate-by-atr")
def test_readers_with_a_card_of_an_atr(desk):
    card = desk.insert(Gids())
    states = [ReaderState(desk.slot.name)]

    def found(*masks):
        (state,) = locate.locate_by_atr(desk.rm, masks, states)
        return bool(state.event_state & F.ATRMATCH)

    assert found(AtrMask(ATR, b"\xff" * 5))
    assert found(AtrMask(b"\0", b"\0"), AtrMask(b"\x3b\0\0\0\0", b"\xff\0\0\0\0"))
    assert not found(AtrMask(ATR, b"\xff\xff\xff\xff\0"))
    assert not found()
    assert not found(AtrMask(b"", b""), AtrMask(bytes(36), bytes(36)))
    for bad in (AtrMask(bytes(37), bytes(37)), AtrMask(ATR, b"\xff"), AtrMask(b"", b"\xff")):
        assert code_of(found, bad) == SCARD.E_INVALID_PARAMETER
    assert not any(isinstance(each, bytes) for each in card.log)
