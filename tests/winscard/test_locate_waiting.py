# SPDX-License-Identifier: Apache-2.0
"""Cards found by name while others have them: who waits, for what, and what becomes of it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from locate_desk import Gids, cached, code_of, do, is_left_alone, start
from winscard_desk import ATR, Desk

from vreader.winscard.codes import SCARD
from vreader.winscard.events import CardNameEvent
from vreader.winscard.probing import GIDS_CARD
from vreader.winscard.profile import WINDOWS
from vreader.winscard.status_change import ReaderState


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


def test_nobody_comes_between_the_commands(desk):
    class Asked(Gids):
        def transmit(self, c_apdu):
            self.log.append(c_apdu)
            waits.append(not desk.start("begin_transaction", handle).done)
            return b"\x6a\x82"

    handle, waits = None, []
    desk.insert(Asked())
    handle = desk.connect()
    assert do(desk, "list_cards", ATR, ()) == []
    assert waits == [True, True]
    assert desk.reader.owner is handle


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


@pytest.fixture
def waiting(make_desk):
    """A desk whose two readers have the same card, both in a transaction that does not end."""
    desk = make_desk(WINDOWS._replace(transaction_idle_s=None))
    desk.second = desk.host.add_reader("Second")
    desk.mine = desk.context()
    for slot in (desk.slot, desk.second):
        slot.insert(Gids())
        desk.do("begin_transaction", desk.do("connect", desk.mine, slot.name, 2, 3)[0])
    return desk


def test_when_all_readers_have_left_meanwhile_a_card_has_no_name(waiting):
    call = start(waiting, "list_cards", ATR, ())
    waiting.second.unplug()
    waiting.slot.unplug()
    assert call.result() == []
    assert list(waiting.rm.contexts.values()) == [waiting.mine]


def test_a_reader_of_the_same_name_with_another_card_is_not_asked_in_its_place(waiting):
    call = start(waiting, "list_cards", ATR, ())
    waiting.second.unplug()
    other = Gids(bytes.fromhex("3B00"))
    second = waiting.host.add_reader("Second")
    second.insert(other)
    assert second.name == waiting.second.name
    waiting.slot.remove()
    assert call.result() == []
    assert not any(isinstance(each, bytes) for each in other.log)
    assert cached(waiting) == []


def test_when_whoever_asked_has_gone_no_other_reader_is_asked(waiting):
    contexts, handles = dict(waiting.rm.contexts), dict(waiting.rm.handles)
    call = start(waiting, "list_cards", ATR, ())
    waiting.host.run(call.abandon)
    assert code_of(call.result) is SCARD.E_CANCELLED
    assert not any(reader.places for reader in waiting.rm.readers.values())
    assert (waiting.rm.contexts, waiting.rm.handles) == (contexts, handles)


@pytest.mark.parametrize("name", ["list_cards", "locate_cards"])
def test_the_computer_is_shut_down_while_one_waits(waiting, name):
    states = [ReaderState(waiting.slot.name)]
    args = {"list_cards": (ATR, ()), "locate_cards": ([GIDS_CARD], states)}[name]
    call = start(waiting, name, *args)
    waiting.host.close()
    assert code_of(call.result) is SCARD.E_NO_SERVICE


def test_what_is_registered_meanwhile_counts_for_the_next_reader(waiting):
    call = start(waiting, "discover", ATR, list(waiting.rm.readers))
    waiting.rm.card_types(64).introduce("Mine", ATR)
    waiting.slot.remove()
    assert call.result().source == "registry"
    assert [e.reader for e in waiting.told if isinstance(e, CardNameEvent)] == [""]


STEPS = [
    "discover", "begin", "begin", "end", "remove", "insert", "wait", "reset", "abandon", "unplug",
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), max_size=12))
@example([("begin", 0), ("begin", 1), ("discover", 0), ("abandon", 0)])
@example([("begin", 0), ("discover", 0), ("remove", 0), ("insert", 0), ("discover", 0),
          ("begin", 0), ("discover", 0), ("wait", 0)])  # fmt: skip
def test_whatever_happens_meanwhile_nothing_is_left_behind(steps):
    desk = Desk(WINDOWS)
    slots = [desk.slot, desk.host.add_reader("Second")]
    context, searches, handles = desk.context(), [], {}
    for slot in slots:
        slot.insert(Gids())
    for step, at in steps:
        slot, handle = slots[at], handles.get(at)
        if step == "discover":
            searches.append(start(desk, "list_cards", ATR, ()))
        elif step == "begin" and handle is None:
            handles[at] = desk.start("connect", context, slot.name, 2, 3)
        elif step == "begin" and handle.done and not handle.error:
            desk.start("begin_transaction", handle.result()[0])
        elif step in ("end", "reset") and handle and handle.done and not handle.error:
            desk.start("end_transaction", handle.result()[0], int(step == "reset"))
        elif step == "remove" and slot.card is not None:
            slot.remove()
        elif step == "insert" and slot.card is None:
            slot.insert(Gids())
        elif step == "wait":
            desk.pass_time(6)
        elif step == "abandon" and searches:
            desk.host.run(searches.pop().abandon)
        elif step == "unplug" and at:
            slot.unplug()
            slots[at] = desk.host.add_reader("Second")
            handles.pop(at, None)
    desk.do("release_context", context)
    assert all(call.result() in ([], [GIDS_CARD]) for call in searches)
    assert cached(desk) in ([], [ATR])
    assert is_left_alone(desk)
    desk.host.close()
