# SPDX-License-Identifier: Apache-2.0
"""The card end of vpcd: one reader served to one slot of a driver, by one blocking thread.

The door holds its reader open as a resource manager would. It waits for a card (IS_PRESENT), powers
it up to learn its ATR, dials the driver and answers it until either side leaves. While a card is
in, it dials again and again: at once after a restart of pcscd, more slowly while nobody listens.

The driver notices a removal only by the end of the connection and looks every 0.4 s, so after one
that ended because of the card there is none for 0.5 s.

What frames mean is in ``session``, the wire in ``conversation``; who listens is the Dial's affair.
"""

import contextlib
import enum
import socket
import threading
from dataclasses import dataclass

from vreader.bridge.device import DeviceHandle, Unserved
from vreader.bridge.vpcd.conversation import converse
from vreader.bridge.vpcd.dial import Dial, explain
from vreader.bridge.vpcd.events import (
    VpcdConnected,
    VpcdDisconnected,
    VpcdEvent,
    VpcdIgnored,
    VpcdRefused,
)
from vreader.bridge.vpcd.session import CardSession
from vreader.errors import VreaderError
from vreader.events import Emitter
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import NTSTATUS


@dataclass(frozen=True, slots=True)
class DoorTiming:
    """How long a door waits, in seconds.

    Attributes:
        redial_s: least pause after the card left or failed; the driver looks every 0.4 s.
        retry_s: first pause after the driver left or nobody listened.
        retry_max_s: where the doubling of a pause ends that follows the same failure again.
        taken_s: silence of a new connection after which the slot must have another card.
        silence_s: silence after ON, OFF or RST after which the driver must be stuck: a living one
            asks for the ATR every 0.4 s (see ``converse``).
    """

    redial_s: float = 0.5
    retry_s: float = 0.05
    retry_max_s: float = 2.0
    taken_s: float = 1.0
    silence_s: float = 5.0


class _Outcome(enum.Enum):
    """What came of one attempt to serve the card."""

    DRIVER_LEFT = enum.auto()
    UNREACHABLE = enum.auto()
    CARD_FAILED = enum.auto()


class _Insertion:
    """One stay of a card in the reader."""

    def __init__(self, session: CardSession) -> None:
        self.session = session
        self.over = False


class VpcdDoor:
    """Serves one reader to one vpcd slot, in a thread of its own.

    The door owns ``handle`` from now on and closes it. What happens is told by VpcdEvents, so
    nothing is raised at anybody; ``failure`` keeps what stands in the way at this moment.

    Attributes:
        reader: name of the reader, for events.
        peer: address of the driver, for events and errors.
        failure: (what is wrong, what to do about it) while the card is not served, else None.
        card_failure: why the card inside could not be powered up, or nothing.
        atr: what the card inside, or the last one, answered when it was inserted.
    """

    def __init__(
        self,
        reader: str,
        handle: DeviceHandle,
        dial: Dial,
        *,
        peer: str = "vpcd",
        events: Emitter | None = None,
        timing: DoorTiming | None = None,
    ) -> None:
        self.reader = reader
        self.peer = peer
        self.failure: tuple[str, str] | None = None
        self.card_failure = ""
        self.atr = b""
        self._handle = handle
        self._dial = dial
        self._events = Emitter() if events is None else events
        self._timing = timing or DoorTiming()
        # Guards what callbacks and stop() touch; held for moments, never while anybody works.
        self._changed = threading.Condition()
        self._stopping = False
        self._noticed = False
        self._socket: socket.socket | None = None
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"vpcd {reader}", daemon=True)

    def start(self) -> None:
        """Begin to serve; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Close the connection and the reader; may be called twice.

        Waits at most ``timeout_s`` for a card that is in the middle of a command.
        """
        with self._changed:
            self._stopping = True
            self._shut(socket.SHUT_RDWR)
            self._changed.notify_all()
        self._handle.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the driver has spoken on the present connection; False if it did not."""
        return self._connected.wait(timeout_s)

    def forget_failure(self) -> None:
        """Forget the last card's ``card_failure`` and ``atr``: another one is about to come."""
        self.card_failure, self.atr = "", b""

    def noticed(self) -> None:
        """Hear that the driver has seen the card leave: the next one need not wait for that."""
        with self._changed:
            self._noticed = True
            self._changed.notify_all()

    # The thread, from the outside in.

    def _run(self) -> None:
        try:
            while (insertion := self._wait_for_card()) is not None:
                self._serve_card(insertion)
        finally:
            self._handle.close()

    def _wait_for_card(self) -> _Insertion | None:
        """Return the next insertion, or None when the reader is gone or the door is stopping."""
        answers: list[NTSTATUS] = []
        insertion = _Insertion(CardSession(self._handle, self._remark))

        def present(status: NTSTATUS, _: bytes) -> None:
            with self._changed:
                answers.append(status)
                self._changed.notify_all()

        def absent(_status: NTSTATUS, _: bytes) -> None:
            with self._changed:
                insertion.over = True
                # Of reading only: an R-APDU on its way still leaves whole.
                self._shut(socket.SHUT_RD)
                self._changed.notify_all()

        self._handle.start(Ioctl.SMARTCARD_IS_PRESENT, b"", 0, present)
        with self._changed:
            self._changed.wait_for(lambda: answers or self._stopping)
            if self._stopping or answers[0] != NTSTATUS.SUCCESS:
                return None
        self._handle.start(Ioctl.SMARTCARD_IS_ABSENT, b"", 0, absent)
        return insertion

    def _serve_card(self, insertion: _Insertion) -> None:
        """Dial and answer until the card has left; then rest, so that its leaving is noticed."""
        timing = self._timing
        self._noticed = False
        before: _Outcome | None = None
        repeats = 0
        while not self._over(insertion):
            exchanges = insertion.session.exchanges
            outcome = self._attempt(insertion)
            again = outcome is before and insertion.session.exchanges == exchanges
            repeats = repeats + 1 if again and outcome is not _Outcome.DRIVER_LEFT else 0
            before = outcome
            first = timing.redial_s if outcome is _Outcome.CARD_FAILED else timing.retry_s
            pause = min(first * 2.0 ** min(repeats, 16), max(first, timing.retry_max_s))
            with self._changed:
                self._changed.wait_for(lambda: self._over(insertion), pause)
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._noticed, timing.redial_s)

    def _attempt(self, insertion: _Insertion) -> _Outcome:
        """Power up if need be, dial once and hold the conversation."""
        try:
            self.atr = insertion.session.learn_atr()
        except Unserved as error:
            if self._over(insertion):
                return _Outcome.CARD_FAILED  # it has left: that is no failure of the next one
            self.card_failure = str(error)
            self._refuse(f"the card cannot be powered up: {error}", "")
            return _Outcome.CARD_FAILED
        self.card_failure = ""
        try:
            sock = self._dial()
        except OSError as error:
            self._refuse(*explain(error, self.peer))
            return _Outcome.UNREACHABLE
        except VreaderError as error:
            self._refuse(str(error), error.hint)
            return _Outcome.UNREACHABLE
        with contextlib.closing(sock):
            return self._hold(sock, insertion)

    def _hold(self, sock: socket.socket, insertion: _Insertion) -> _Outcome:
        """Hold the conversation and say how it ended."""
        outcome = _Outcome.DRIVER_LEFT
        with self._changed:
            if self._over(insertion):
                return outcome
            self._socket = sock
        try:
            reason = converse(
                sock,
                insertion.session,
                taken_s=self._timing.taken_s,
                silence_s=self._timing.silence_s,
                spoken=self._spoken,
                kept_waiting=self._kept_waiting,
            )
        except Unserved as error:
            reason, outcome = str(error), _Outcome.CARD_FAILED
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            with self._changed:
                self._socket = None
        if not self._connected.is_set():
            return _Outcome.UNREACHABLE
        self._connected.clear()
        if self._stopping:
            reason = "the door was closed"
        elif insertion.over:
            reason = "the card was removed"
        self._say(VpcdDisconnected(self.reader, self.peer, reason))
        return outcome

    # Small parts.

    def _over(self, insertion: _Insertion) -> bool:
        return self._stopping or insertion.over

    def _shut(self, how: int) -> None:
        """Wake the thread from its receive; the caller holds the lock."""
        if self._socket is not None:
            # The peer may have been faster; then there is nothing to wake.
            with contextlib.suppress(OSError):
                self._socket.shutdown(how)

    def _spoken(self) -> None:
        self.failure = None
        self._connected.set()
        self._say(VpcdConnected(self.reader, self.peer))

    def _kept_waiting(self) -> None:
        self._refuse(
            f"{self.peer} takes the connection but does not speak: its slot seems to be taken",
            "remove the other card or use another port; this one stays in line",
        )

    def _refuse(self, reason: str, hint: str) -> None:
        """Say it once for as long as it stays the same."""
        if self.failure != (reason, hint):
            self.failure = (reason, hint)
            self._say(VpcdRefused(self.reader, self.peer, reason, hint))

    def _remark(self, reason: str) -> None:
        self._say(VpcdIgnored(self.reader, self.peer, reason))

    def _say(self, event: VpcdEvent) -> None:
        if self._events:
            self._events.emit(event)
