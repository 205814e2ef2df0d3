# SPDX-License-Identifier: Apache-2.0
"""SCardGetStatusChange and SCardCancel: waiting until readers differ from what a caller knows."""

from collections.abc import Sequence
from typing import NamedTuple

from vreader.host.scard_base import ScardFunctions, Wait
from vreader.winscard.codes import INFINITE, SCARD, ReaderFlag, ScardError
from vreader.winscard.manager import ResourceManager
from vreader.winscard.model import ReaderStatus
from vreader.winscard.status_change import ReaderState, is_pnp, observe, observe_pnp


class NothingChangedError(ScardError):
    """TIMEOUT: the time is over; ``states`` are true all the same, none of them CHANGED."""

    def __init__(self, states: list[ReaderState]) -> None:
        super().__init__(SCARD.E_TIMEOUT)
        self.states = states


class _Snapshot(NamedTuple):
    """What is true at one moment: the readers asked for, how many there are, the counter."""

    statuses: dict[str, ReaderStatus | None]
    readers: int
    events: int


class StatusFunctions(ScardFunctions):
    """The functions by which applications learn of changes."""

    def SCardGetStatusChange(
        self, hContext: int, dwTimeout: int, rgReaderStates: Sequence[ReaderState]
    ) -> list[ReaderState]:
        r"""Wait until a reader differs from what the caller knows.

        Args:
            hContext: the context; SCardCancel from another thread ends its waits.
            dwTimeout: milliseconds; 0 only looks, INFINITE waits for ever.
            rgReaderStates: readers with ``current_state`` as returned before (UNAWARE at first);
                ``\\?PnP?\Notification`` stands for readers coming and going.

        Returns:
            The same list with ``event_state`` and ``atr``; entries with IGNORE unchanged.

        Raises:
            NothingChangedError: TIMEOUT.
            ScardError: CANCELLED, UNKNOWN_READER for a reader that is not there when the
                wait begins.
        """
        asked = list(rgReaderStates)
        if all(state.current_state & ReaderFlag.IGNORE for state in asked):
            return asked
        wait = Wait(self._context(hContext))
        rm = self._rm
        self._waits.add(wait)
        stop = self._host.run(rm.add_listener, wait.tell)
        try:
            return self._watch(rm, wait, dwTimeout, asked)
        finally:
            self._waits.discard(wait)
            self._host.run(stop)
            self._has_looked()

    def _watch(
        self, rm: ResourceManager, wait: Wait, timeout_ms: int, asked: list[ReaderState]
    ) -> list[ReaderState]:
        clock = self._host.clock
        now = self._host.run(_snapshot, rm, asked)
        before = now.readers
        for state in asked:
            if now.statuses[state.reader] is None and not is_pnp(state.reader):
                raise ScardError(SCARD.E_UNKNOWN_READER)
        deadline = clock.now() + timeout_ms / 1000
        timer = None
        if timeout_ms != INFINITE:
            timer = self._host.run(clock.call_at, deadline, wait.woken.set)
        try:
            while True:
                # Before the first wait too: who ends it may have been faster.
                if wait.cancelled:
                    raise ScardError(SCARD.E_CANCELLED)
                if not wait.context.valid:
                    raise ScardError(wait.context.failure)
                found = [_look(rm, state, now, before) for state in asked]
                if any(state.event_state & ReaderFlag.CHANGED for state in found):
                    return found
                if timeout_ms != INFINITE and clock.now() >= deadline:
                    raise NothingChangedError(found)
                wait.woken.wait()
                wait.woken.clear()
                now = self._host.run(_look_again, rm, asked, wait)
                self._has_looked()
        finally:
            if timer is not None:
                self._host.run(timer.cancel)

    def _has_looked(self) -> None:
        with self._looked:
            self._looked.notify_all()

    def SCardCancel(self, hContext: int) -> None:
        """End the waits of a context with CANCELLED; nothing happens where there is none."""
        context = self._context(hContext)
        for wait in list(self._waits):
            if wait.context is context:
                wait.cancelled = True
        self._wake(context)


def _snapshot(rm: ResourceManager, asked: list[ReaderState]) -> _Snapshot:
    statuses: dict[str, ReaderStatus | None] = {}
    for state in asked:
        reader = rm.find_reader(state.reader)
        statuses[state.reader] = None if reader is None else reader.status
    return _Snapshot(statuses, len(rm.readers), rm.reader_events)


def _look_again(rm: ResourceManager, asked: list[ReaderState], wait: Wait) -> _Snapshot:
    wait.seen = wait.told
    return _snapshot(rm, asked)


def _look(rm: ResourceManager, state: ReaderState, now: _Snapshot, before: int) -> ReaderState:
    if state.current_state & ReaderFlag.IGNORE:
        return state
    rules, status = rm.profile.status, now.statuses[state.reader]
    if status is None and is_pnp(state.reader):
        return observe_pnp(state, before, now.readers, now.events, rules)
    return observe(state, status, rules)
