# SPDX-License-Identifier: Apache-2.0
"""The raw layer: what pyscard gets from us is what it gets from libpcsclite."""

import json
import subprocess
import sys
import threading

import raw_calls
from raw_calls import PNP, SELECT
from smartcard import scard as s

PATIENCE_S = 60.0


def test_every_call_answers_as_behind_libpcsclite(seen, vreader):
    real = subprocess.run(
        [*vreader, "run", "--card", "piv", "--", sys.executable, raw_calls.__file__],
        check=True, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    # Behind a failure a connection of pyscard's own says more on stderr than it should.
    assert json.loads(json.dumps(raw_calls.calls())) == json.loads(real.stdout)


def context() -> int:
    code, context = s.SCardEstablishContext(s.SCARD_SCOPE_USER)
    assert code == s.SCARD_S_SUCCESS
    return context


def waiting(asked: list) -> tuple[threading.Thread, int, list]:
    answers: list = []
    number = context()

    def wait() -> None:
        answers.append(s.SCardGetStatusChange(number, s.INFINITE, asked))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread, number, answers


def test_cancel_from_another_thread(seen):
    thread, number, answers = waiting(_known())
    while thread.is_alive():  # it may not wait yet
        assert s.SCardCancel(number) == s.SCARD_S_SUCCESS
        thread.join(0.001)
    assert answers[0][0] == s.SCARD_E_CANCELLED


def _known() -> list:
    _, states = s.SCardGetStatusChange(context(), 0, [("Virtual Reader 00 00", 0), (PNP, 0)])
    return [state[:2] for state in states]


def test_a_card_that_goes_ends_a_wait(seen):
    thread, _, answers = waiting(_known())
    seen.remove()
    thread.join(PATIENCE_S)
    code, [(name, state, atr), _] = answers[0]
    assert (code, name, atr) == (s.SCARD_S_SUCCESS, "Virtual Reader 00 00", [])
    assert state & s.SCARD_STATE_CHANGED
    assert state & s.SCARD_STATE_EMPTY


def test_a_reader_that_comes_ends_a_wait(seen):
    thread, _, answers = waiting(_known())
    seen.host.add_reader("Another")
    thread.join(PATIENCE_S)
    code, [_, (name, state, _)] = answers[0]
    assert (code, name) == (s.SCARD_S_SUCCESS, PNP)
    assert state & s.SCARD_STATE_CHANGED


def test_after_a_time_out_states_are_true(seen):
    code, [(_, state, atr), _] = s.SCardGetStatusChange(context(), 1, _known())
    assert code == s.SCARD_E_TIMEOUT
    assert state & s.SCARD_STATE_PRESENT
    assert not state & s.SCARD_STATE_CHANGED
    assert atr[0] == 0x3B


def test_a_transaction_makes_others_wait(seen):
    first, second = (
        s.SCardConnect(context(), "Virtual Reader 00 00", s.SCARD_SHARE_SHARED, 3)[1]
        for _ in range(2)
    )
    assert s.SCardBeginTransaction(first) == s.SCARD_S_SUCCESS
    answers: list = []
    thread = threading.Thread(
        target=lambda: answers.append(s.SCardTransmit(second, s.SCARD_PCI_T1, SELECT))
    )
    thread.start()
    assert s.SCardTransmit(first, s.SCARD_PCI_T1, SELECT)[0] == s.SCARD_S_SUCCESS
    assert not answers
    assert s.SCardEndTransaction(first, s.SCARD_LEAVE_CARD) == s.SCARD_S_SUCCESS
    thread.join(PATIENCE_S)
    assert answers[0][0] == s.SCARD_S_SUCCESS


def test_no_readers(make_world):
    world = make_world()
    with world.pyscard():
        world.host.readers[0].unplug()
        assert s.SCardListReaders(context(), []) == [s.SCARD_E_NO_READERS_AVAILABLE, []]
