# SPDX-License-Identifier: Apache-2.0
"""The *signal*: every WAIT is balanced by exactly one 8-byte message.

It is written by whichever thread saw the change. While a client waits, a lock decides who may
write, but is never held while a send could block: a client that does not read must not stop the
thread that has news for everybody. A signal that comes while the connection's own thread is sending
is held back until that is done. So it is after the WAIT of a 4.6 client, which fetches the states
by two more requests: a signal between them would be taken for a reply.
"""

import socket
import threading
from collections.abc import Callable

from vreader.bridge.pcsclite import wire
from vreader.winscard.codes import SCARD

States = Callable[[], bytes]
"""Makes the state array; called when a change that comes later finds the client waiting."""


class Waiting:
    """What is written to one client: replies of its own thread, signals of any.

    Args:
        connection: to the client.
        reader_events: returns the count of reader arrivals and departures.
        hang_up: ends the connection; called if the client does not read.
        looked: called when the client has seen what it was told of.
    """

    def __init__(
        self,
        connection: socket.socket,
        reader_events: Callable[[], int],
        hang_up: Callable[[], None],
        looked: Callable[[], None],
    ) -> None:
        self._socket = connection
        self._reader_events = reader_events
        self._hang_up = hang_up
        self._looked = looked
        self._lock = threading.Lock()
        # Set to True by the connection's own thread alone; all below change under the lock.
        self._waiting = False
        self._sending = False
        self._fetching = False
        self._held_back: int | None = None
        self._signalled = False
        self._cancel_next = False
        self._told = self._seen = 0  # changes, by those this client has waited for

    # ------------------------------------------------------------------ of its own thread

    def send(self, data: bytes) -> None:
        """Write a reply, and behind it the signal that came meanwhile."""
        if self._waiting:
            with self._lock:
                self._sending = True
            self._socket.sendall(data)
            self._sent()
        else:
            self._socket.sendall(data)

    def look(self, states: States) -> None:
        """Write the states to a client that asks for them."""
        told = self._told
        self.send(states())
        self._has_seen(told)

    def begin(self, states: States | None) -> None:
        """Wait for a change; write the states, or None where the client will :meth:`fetch` them."""
        with self._lock:
            # Registered before the states are read: a later change finds the client waiting.
            self._waiting, self._signalled = True, False
            self._fetching = states is None
            self._sending = not self._fetching
            self._held_back = SCARD.E_CANCELLED if self._cancel_next else None
            self._cancel_next = False
            told = self._told
        if states is not None:
            self._socket.sendall(states())
            self._sent()
            self._has_seen(told)

    def fetch(self, states: States) -> None:
        """Write the states that a client fetches after its WAIT."""
        told = self._told
        data = states()
        with self._lock:
            self._sending, self._fetching = True, False
        self._socket.sendall(data)
        self._sent()
        self._has_seen(told)

    def stop(self) -> None:
        """Wait no longer: write the one message, unless it is on its way already."""
        with self._lock:
            self._signalled = self._cancel_next = self._fetching = False
            if self._waiting:
                self._write_signal(self._held_back or 0)
            # Else a signal is on its way already and is the answer.
        self._has_seen(self._told)

    def _sent(self) -> None:
        """Write the signal that came while this thread was sending."""
        with self._lock:
            self._sending = False
            if self._held_back is not None and not self._fetching:
                self._write_signal(self._held_back)

    def _has_seen(self, told: int) -> None:
        """Note that the client has the states as they were after so many changes, or later."""
        if self._seen != told:
            self._seen = told
            self._looked()

    # ------------------------------------------------------------------ of any thread

    @property
    def to_look(self) -> bool:
        """Whether it waited for a change, was told of one, and has not asked for it since."""
        return self._seen != self._told

    def changed(self) -> None:
        """Tell the client, once, if it waits for a change."""
        with self._lock:
            if self._waiting:
                self._told += 1
                self._signalled = True
                self._signal(0)

    def cancel(self) -> None:
        """End the client's wait as SCardCancel does."""
        with self._lock:
            if self._waiting:
                self._signal(SCARD.E_CANCELLED)
            elif self._signalled:
                # It has been told of a change and is about to look and to wait again.
                self._cancel_next = True

    def _signal(self, rv: int) -> None:
        if self._sending or self._fetching:
            # A change must not swallow a cancel: after a change the client only looks again.
            self._held_back = max(rv, self._held_back or 0)
        else:
            self._write_signal(rv)

    def _write_signal(self, rv: int) -> None:
        """Write the one message; the caller holds the lock."""
        # The first word is ignored by the library, unless it reads the signal as the reply to
        # GET_READER_EVENTS: then it must be the counter.
        message = wire.SIGNAL.pack(self._reader_events(), rv)
        try:
            self._socket.send(message, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._hang_up()  # it does not read what it asked for
        except OSError:
            pass  # it has gone; its own thread notices
        self._held_back = None
        self._waiting = False
