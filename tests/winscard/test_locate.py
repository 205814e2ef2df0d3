# SPDX-License-Identifier: Apache-2.0
"""Cards found by name while others use them, leave, or are not to be had."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from winscard_desk import ATR, Card, Desk

from vreader.card import CardGone, MemoryStore
from vreader.kinds import find_kind
from vreader.winscard import locate
from vreader.winscard.call import Call
from vreader.winscard.codes import SCARD, ReaderFlag, ScardError
from vreader.winscard.discovery import IDMP_CACHE
from vreader.winscard.events import CardNameEvent
from vreader.winscard.locate import AtrMask
from vreader.winscard.probing import GIDS_CARD, PIV_CARD
from vreader.winscard.profile import WINDOWS
from vreader.winscard.status_change import ReaderState

F = ReaderFlag
CALAIS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais"


class Gids(Card):
    """Has all applications."""

    def transmit(self, c_apdu):
        self.log.append(c_apdu)
        return b"\x90\x00"


def real(name):
    kind = find_kind(name)
    return kind.create(next(iter(kind.profiles())), {}, MemoryStore(), b"seed")


def start(desk, name, *args):
    """Start one of the searches; it may have to wait."""
    types = desk.rm.card_types(64)
    call = Call(desk.host.io, getattr(locate, name)(desk.rm, types, *args))
    desk.host.run(call.start)
    return call


def do(desk, name, *args):
    call = start(desk, name, *args)
    assert call.done, "waits"
    return call.result()


def discover(desk, atr=ATR):
    return do(desk, "discover", atr, list(desk.rm.readers))


def cached(desk):
    key = desk.host.registry.find(f"{CALAIS}\\{IDMP_CACHE}")
    return [value.data for _, value in key.values()] if key is not None else []


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


def is_left_alone(desk):
    return not (desk.rm.contexts or desk.rm.handles or desk.reader.owner or desk.reader.sharing)


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
    desk.insert(Gids(b""))
    assert discover(desk).name == ""
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


@pytest.mark.wdk("discovery.winscard.transaction", "rm.transaction.timer")
def test_in_a_transaction_of_its_own_a_program_waits_until_its_card_is_reset(desk):
    """SDK SCardListCards: called within a transaction it resets the card of the transaction."""
    card = desk.insert(Gids())
    handle = desk.connect()
    desk.do("begin_transaction", handle)
    call = start(desk, "list_cards", ATR, ())
    assert not call.done
    desk.pass_time(4.9)
    assert not call.done
    desk.pass_time(0.2)
    assert call.result() == [GIDS_CARD]
    assert card.log.count("reset") == 1
    assert handle.event is SCARD.W_RESET_CARD
    assert desk.reader.owner is None


def test_who_gives_up_waiting_has_an_answer_without_discovery(make_desk):
    desk = make_desk(WINDOWS._replace(transaction_idle_s=None))
    desk.insert(Gids())
    handle = desk.connect()
    desk.do("begin_transaction", handle)
    call = start(desk, "list_cards", ATR, ())
    assert not call.done
    assert not call.parked.patient  # the host's patience ends it
    desk.host.run(call.give_up, SCARD.E_SHARING_VIOLATION)
    assert call.result() == []
    assert cached(desk) == []
    desk.do("end_transaction", handle, 0)
    assert do(desk, "list_cards", ATR, ()) == [GIDS_CARD]


def test_a_card_that_has_another_atr_by_its_turn_is_not_asked(desk):
    class Warm(Gids):
        def reset(self):
            return bytes.fromhex("3B00")

    card = desk.insert(Warm())
    desk.do("begin_transaction", desk.connect())
    call = start(desk, "discover", ATR, [desk.slot.name])
    desk.pass_time(6)
    assert call.result().problem == "SELECT the GIDS application: Removed card (0x80100069)"
    assert not any(isinstance(each, bytes) for each in card.log)
    assert cached(desk) == []


def test_a_reader_that_leaves_while_one_waits(desk):
    desk.insert(Gids())
    context = desk.context()
    desk.do("begin_transaction", desk.connect(context))
    call = start(desk, "list_cards", ATR, ())
    desk.slot.unplug()
    assert call.result() == []
    assert list(desk.rm.contexts.values()) == [context]


def test_two_cards_with_one_atr_share_what_is_remembered(desk):
    desk.insert(Gids())
    assert discover(desk).name == GIDS_CARD
    desk.slot.remove()
    desk.insert(Card())
    assert discover(desk).name == GIDS_CARD


@given(
    st.lists(
        st.sampled_from(["discover", "begin", "end", "remove", "insert", "wait", "reset"]),
        max_size=12,
    )
)
@example(["begin", "discover", "remove", "insert", "discover", "begin", "discover", "wait"])
def test_whatever_happens_meanwhile_nothing_is_left_behind(steps):
    desk = Desk(WINDOWS)
    desk.insert(Gids())
    context, searches, handle = desk.context(), [], None
    for step in steps:
        if step == "discover":
            searches.append(start(desk, "list_cards", ATR, ()))
        elif step == "begin" and desk.slot.card is not None:
            handle = handle or desk.start("connect", context, desk.slot.name, 2, 3)
            if handle.done:
                desk.start("begin_transaction", handle.result()[0])
        elif step in ("end", "reset") and handle is not None and handle.done:
            desk.start("end_transaction", handle.result()[0], int(step == "reset"))
        elif step == "remove" and desk.slot.card is not None:
            desk.slot.remove()
        elif step == "insert" and desk.slot.card is None:
            desk.slot.insert(Gids())
        elif step == "wait":
            desk.pass_time(6)
    desk.do("release_context", context)
    assert all(call.result() in ([], [GIDS_CARD]) for call in searches)
    assert cached(desk) in ([], [ATR])
    assert is_left_alone(desk)
    assert not desk.reader.places
    desk.host.close()


# ------------------------------------------------------------------ searches


def test_cards_by_atr_and_by_registration(desk):
    types = desk.rm.card_types(64)
    types.introduce("B", b"\x3b\x00\x00\x00\x00", b"\xff\0\0\0\0")
    types.introduce("A", ATR)
    types.introduce("C", b"\x3b\x00")
    assert do(desk, "list_cards", None, ()) == ["A", "B", "C"]
    assert do(desk, "list_cards", ATR, ()) == ["A", "B"]
    assert do(desk, "list_cards", b"\x3b", ()) == []


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
    for bad in (AtrMask(b"", b""), AtrMask(bytes(37), bytes(37)), AtrMask(ATR, b"\xff")):
        assert code_of(found, bad) == SCARD.E_INVALID_PARAMETER
    assert not any(isinstance(each, bytes) for each in card.log)
