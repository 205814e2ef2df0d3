# SPDX-License-Identifier: Apache-2.0
"""A blocking PC/SC client that speaks the protocol of :mod:`vreader.bridge.pcsclite.wire` itself.

It needs no libpcsclite and talks to our door and to any pcscd, in whichever minor version it is
told to. One client is one connection and one context, for one thread; :meth:`PcscClient.cancel`
alone may be called from another. Each method is one request, so that tests can put any order on
the wire: retrying after a sharing violation and comparing reader states is the caller's affair,
:meth:`PcscClient.get_status_change` excepted.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.connection import Connection
from vreader.bridge.pcsclite.error import PcscError, check
from vreader.bridge.pcsclite.wire import Command, ReaderState
from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD

__all__ = ["PcscClient", "PcscError", "Signal"]

# libpcsclite asks again after so long, which shows a server that died in silence.
_REPOLL_S = 60.0


class Signal(NamedTuple):
    """The one message that answers a WAIT.

    Attributes:
        reader_events: our server puts its count of reader arrivals here, pcscd puts 0.
        rv: 0, or the code of SCARD_E_CANCELLED.
    """

    reader_events: int
    rv: int


class PcscClient(Connection):
    """One connection to a PC/SC server, from construction to :meth:`close`.

    Attributes:
        minor: the minor protocol version in use, the lower of the two sides'.
        hcontext: the context that :meth:`establish` made; 0 before.
    """

    def __init__(
        self,
        path: str,
        minor: int = wire.MAX_MINOR,
        reader_slots: int = wire.READER_SLOTS,
        *,
        timeout_s: float = 120.0,
        handshake: bool = True,
    ) -> None:
        """Connect to the socket ``path`` and agree on a version.

        Args:
            path: the server's UNIX socket.
            minor: 4, 5 or 6. A server that refuses it is asked once more for its own, older one.
            reader_slots: records per state array, needed below 4.6.
            timeout_s: how long a single answer may take.
            handshake: False sends no VERSION, as the library's connection for SCardCancel does.

        Raises:
            VreaderError: nobody serves ``path``, or no common protocol version.
        """
        super().__init__(path, timeout_s)
        self.minor = minor
        self.hcontext = 0
        self._slots = reader_slots
        self._readers: dict[int, str] = {}
        try:
            if handshake:
                self._agree_on_version(minor)
        except BaseException:
            self.close()
            raise

    def _ask(self, command: Command, *fields: object, payload: bytes = b"") -> tuple[int, ...]:
        """Send a request whose reply is the same struct; return the reply's fields but for rv."""
        layout = wire.REQUEST[command]
        self.send(command, layout.pack(*fields, 0), payload)
        *values, rv = layout.unpack(self.receive(layout.size))
        check(rv)
        return tuple(values)

    def _agree_on_version(self, minor: int) -> None:
        rv, offered = self._offer_version(minor)
        if rv == SCARD.E_SERVICE_STOPPED and wire.MIN_MINOR <= offered < minor:
            minor = offered
            rv, offered = self._offer_version(minor)
        check(rv)
        self.minor = min(minor, offered)

    def _offer_version(self, minor: int) -> tuple[int, int]:
        self.send(Command.VERSION, wire.VERSION.pack(wire.MAJOR, minor, 0))
        _, offered, rv = wire.VERSION.unpack(self.receive(wire.VERSION.size))
        return rv, offered

    # Context and readers -------------------------------------------------------------------

    def establish(self, scope: int = 2) -> int:
        """Make this connection a context and return it; scope 2 is SCARD_SCOPE_SYSTEM."""
        _, self.hcontext = self._ask(Command.ESTABLISH_CONTEXT, scope, 0)
        return self.hcontext

    def release(self) -> None:
        """Release the context; its card handles go with it."""
        self._ask(Command.RELEASE_CONTEXT, self.hcontext)
        self._readers.clear()

    def readers(self) -> list[ReaderState]:
        """Return the state of each reader, in slot order."""
        return [slot for slot in self.slots() if slot.name]

    def slots(self) -> list[ReaderState]:
        """Return the whole state array, free slots with an empty name."""
        if self.minor < 6:
            self.send(Command.GET_READERS_STATE)
            return self._receive_states(self._slots)
        self.send(Command.GET_READERS_STATE_SIZE)
        (count,) = wire.READERS_STATE_SIZE.unpack(self.receive(wire.READERS_STATE_SIZE.size))
        self.send(Command.GET_READERS_STATE_ARRAY)
        return self._receive_states(count)

    def _receive_states(self, count: int) -> list[ReaderState]:
        return wire.unpack_states(self.receive(count * wire.READER_STATE.size))

    def reader_events(self) -> int:
        """Return the count of reader arrivals and departures (since 4.5)."""
        if self.minor < wire.SINCE_MINOR[Command.GET_READER_EVENTS]:
            raise ValueError(f"protocol 4.{self.minor} does not count reader events")
        self.send(Command.GET_READER_EVENTS)
        events, rv = wire.READER_EVENTS.unpack(self.receive(wire.READER_EVENTS.size))
        check(rv)
        return int(events)

    # Waiting for a change ------------------------------------------------------------------

    def wait(self) -> list[ReaderState]:
        """Register for the next change and return the state array as it was then.

        Exactly one message answers: read it with :meth:`receive_signal` or :meth:`stop_waiting`.
        """
        self.send(Command.WAIT_READER_STATE_CHANGE)
        return self._receive_states(self._slots) if self.minor < 6 else self.slots()

    def receive_signal(self, timeout_s: float | None = None) -> Signal | None:
        """Read the message that answers :meth:`wait`; None when it has not come in time.

        Args:
            timeout_s: None waits as long as for any answer and then raises VreaderError.
        """
        if timeout_s is not None and not self.readable(timeout_s):
            return None
        return Signal(*wire.SIGNAL.unpack(self.receive(wire.SIGNAL.size)))

    def stop_waiting(self) -> Signal:
        """Take :meth:`wait` back and read its message, the reply or a signal that came first."""
        self.send(Command.STOP_WAITING)
        return Signal(*wire.SIGNAL.unpack(self.receive(wire.SIGNAL.size)))

    def get_status_change(
        self, known: Sequence[ReaderState], timeout_s: float | None = None
    ) -> list[ReaderState]:
        """Wait until the readers differ from ``known`` and return them.

        Args:
            known: what :meth:`readers` or the previous call returned; empty: wait for a reader.
            timeout_s: None waits for ever, as long as the server answers.

        Returns:
            The readers' states; equal to ``known`` when the time is over.

        Raises:
            PcscError: SCARD_E_CANCELLED after :meth:`cancel`.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            now = [slot for slot in self.wait() if slot.name]
            if now != list(known):
                check(self.stop_waiting().rv)
                return now
            left = _REPOLL_S if deadline is None else deadline - time.monotonic()
            signal = self.receive_signal(min(left, _REPOLL_S)) or self.stop_waiting()
            check(signal.rv)
            if deadline is not None and time.monotonic() >= deadline:
                return self.readers()

    def cancel(self, hcontext: int | None = None) -> None:
        """End the wait of a context, by default this one's, through a connection of its own."""
        target = self.hcontext if hcontext is None else hcontext
        with PcscClient(self.path, handshake=False, timeout_s=self._timeout_s) as other:
            other._ask(Command.CANCEL, target)

    # Cards ---------------------------------------------------------------------------------

    def connect(self, reader: str, share: int, protocols: int) -> tuple[int, int]:
        """Open the card in ``reader``; return (hCard, active protocol).

        Args:
            reader: its full name.
            share: EXCLUSIVE 1, SHARED 2, DIRECT 3.
            protocols: bits in the library's numbers: T=0 1, T=1 2, RAW 4.
        """
        name = wire.encode_name(reader)
        fields = self._ask(Command.CONNECT, self.hcontext, name, share, protocols, 0, 0)
        *_, hcard, active = fields
        self._readers[hcard] = reader
        return hcard, active

    def reconnect(self, hcard: int, share: int, protocols: int, initialization: int) -> int:
        """Reopen a card, LEAVE 0, RESET 1 or UNPOWER 2 first; return the active protocol."""
        return self._ask(Command.RECONNECT, hcard, share, protocols, initialization, 0)[-1]

    def disconnect(self, hcard: int, disposition: int = 0) -> None:
        """Close a card handle: LEAVE 0, RESET 1, UNPOWER 2, EJECT 3."""
        self._ask(Command.DISCONNECT, hcard, disposition)
        self._readers.pop(hcard, None)

    def begin(self, hcard: int) -> None:
        """Begin a transaction; SCARD_E_SHARING_VIOLATION while another handle has one."""
        self._ask(Command.BEGIN_TRANSACTION, hcard)

    def end(self, hcard: int, disposition: int = 0) -> None:
        """End a transaction: LEAVE 0, RESET 1, UNPOWER 2, EJECT 3."""
        self._ask(Command.END_TRANSACTION, hcard, disposition)

    def transmit(
        self, hcard: int, protocol: int, apdu: bytes, recv_length: int = wire.MAX_DATA
    ) -> bytes:
        """Send a C-APDU and return the R-APDU.

        Args:
            hcard: the card handle.
            protocol: the active protocol as :meth:`connect` returned it.
            apdu: at most 65548 bytes.
            recv_length: size of the receive buffer the server is told of.
        """
        # An SCARD_IO_REQUEST has two C longs, 16 bytes on the machines we know; nobody checks.
        fields = self._ask(
            Command.TRANSMIT, hcard, protocol, 16, len(apdu), 0, 0, recv_length, payload=apdu
        )
        return self._receive_data(fields[-1], recv_length)

    def control(
        self, hcard: int, code: int, data: bytes = b"", recv_length: int = wire.MAX_DATA
    ) -> bytes:
        """Send a control code with its input and return the output."""
        fields = self._ask(Command.CONTROL, hcard, code, len(data), recv_length, 0, payload=data)
        return self._receive_data(fields[-1], recv_length)

    def _receive_data(self, length: int, recv_length: int) -> bytes:
        if length > recv_length:
            self.close()
            raise VreaderError(
                f"the PC/SC server at {self.path} announced {length} bytes, {recv_length} asked",
                hint="it does not speak libpcsclite's protocol",
            )
        return self.receive(length)

    def status(self, hcard: int) -> ReaderState:
        """Return the state of the reader a card handle is for.

        Raises:
            PcscError: the handle has an event pending (reset, removed), or its reader is gone.
        """
        state = next((r for r in self.readers() if r.name == self._readers.get(hcard)), None)
        if state is None:
            raise PcscError(SCARD.E_READER_UNAVAILABLE)
        self._ask(Command.STATUS, hcard)
        return state

    def get_attrib(self, hcard: int, attribute: int) -> bytes:
        """Return a reader attribute of at most 264 bytes."""
        layout = wire.ATTRIB
        body = layout.pack(hcard, attribute, b"", wire.MAX_ATTRIBUTE, 0)
        self.send(Command.GET_ATTRIB, body)
        _, _, value, length, rv = layout.unpack(self.receive(layout.size))
        check(rv)
        return bytes(value[:length])

    def set_attrib(self, hcard: int, attribute: int, value: bytes) -> None:
        """Set a reader attribute of at most 264 bytes."""
        self._ask(Command.SET_ATTRIB, hcard, attribute, value, len(value))
