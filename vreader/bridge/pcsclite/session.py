# SPDX-License-Identifier: Apache-2.0
"""One connection of the embedded door: one thread, one context, strict request and response.

The exception is the signal that answers a WAIT (:mod:`vreader.bridge.pcsclite.waiting`).
"""

import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.events import ClientEvent, DoorFaultEvent
from vreader.bridge.pcsclite.incoming import Incoming, ProtocolError
from vreader.bridge.pcsclite.waiting import Waiting
from vreader.bridge.pcsclite.wire import Command
from vreader.smclib.ioctl import Attr, Protocol
from vreader.winscard import operations
from vreader.winscard.call import Operation
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.model import CardHandle, Context

if TYPE_CHECKING:
    from vreader.bridge.pcsclite.server import PcscliteDoor

T = TypeVar("T")

# Attributes of Windows that pcsc-lite does not have.
_UTF_16_NAMES = (Attr.DEVICE_FRIENDLY_NAME_W, Attr.DEVICE_SYSTEM_NAME_W)
_STOP_TIMEOUT_S = 5.0


class Session:
    """Serves one connection on its own thread.

    Attributes:
        context: the context this connection has established, or None.
        changed: tells the client, once, if it waits for a change.
        cancel: ends the client's wait as SCardCancel does.
    """

    def __init__(self, door: "PcscliteDoor", connection: socket.socket) -> None:
        self.door = door
        self.host = door.host
        self.rm = door.rm
        self.context: Context | None = None
        self._socket = connection
        self._minor = wire.MIN_MINOR
        self._told_slots: int | None = None
        self._waiting = Waiting(
            connection, lambda: self.rm.reader_events, self.hang_up, door.looked
        )
        self.changed, self.cancel = self._waiting.changed, self._waiting.cancel
        self._incoming = Incoming(connection)
        self._pid = self._incoming.peer_pid
        self._thread = threading.Thread(target=self._serve, name="pcsclite client", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up and wait until the context is released, five seconds for a card at work."""
        self.hang_up()
        self._thread.join(_STOP_TIMEOUT_S)

    def hang_up(self) -> None:
        """End the connection; its thread releases the context."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster

    # ------------------------------------------------------------------ reading and writing

    def _serve(self) -> None:
        self._tell("connected")
        reason = ""
        try:
            while True:
                self._one_request()
        except EOFError:
            pass
        except (ProtocolError, OSError) as error:
            reason = str(error)
        finally:
            self._release()
            self._socket.close()
            self.door.left(self)
            self._tell("dropped" if reason else "left", reason)

    def _tell(self, change: str, reason: str = "") -> None:
        if self.host.events:
            self.host.events.emit(ClientEvent(self._pid, change, reason))

    def _send(self, data: bytes) -> None:
        self._waiting.send(data)

    def _one_request(self) -> None:
        size, number = wire.HEADER.unpack(self._incoming.read(wire.HEADER.size))
        entry = _HANDLERS.get(number)
        if entry is None:
            raise ProtocolError(f"unknown command {number:#x}")
        expected, handler = entry
        if size != expected:
            raise ProtocolError(f"command {number:#x} with {size} instead of {expected} bytes")
        try:
            handler(self, self._incoming.read(size) if size else b"")
        except EOFError:
            raise ProtocolError("the connection ended inside a message") from None

    # ------------------------------------------------------------------ helpers of the handlers

    def _call(self, operation: Operation[T], failed: T) -> tuple[int, T]:
        """Run an operation; return rv in pcsc-lite's numbers, and its value or ``failed``."""
        try:
            return 0, self.host.call(operation, alive=self._incoming.peer_is_there)
        except ScardError as error:
            return wire.RV_TO_WIRE.get(error.code, error.code), failed
        except Exception:
            self._fault()
            return SCARD.F_INTERNAL_ERROR, failed

    def _fault(self) -> None:
        """Make a bug of ours known; the client is told F_INTERNAL_ERROR."""
        if self.host.events:
            import traceback

            self.host.events.emit(DoorFaultEvent(self._pid, traceback.format_exc()))
        threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))

    def _handle(self, number: int) -> CardHandle:
        """Return one of this connection's card handles; anything else ends the connection."""
        if self.context is not None and (found := self.context.handles.get(number)) is not None:
            return found
        raise ProtocolError(f"card handle {number:#x} is not this connection's")

    def _release(self) -> None:
        context, self.context = self.context, None
        if context is None:
            return
        try:
            self.host.call(operations.release_context(self.rm, context))
        except ScardError:
            pass  # the host was closed meanwhile
        except Exception:
            self._fault()

    # ------------------------------------------------------------------ contexts

    def _version(self, body: bytes) -> None:
        major, minor, _ = wire.VERSION.unpack(body)
        reply_minor, rv = wire.negotiate(major, minor)
        if rv == SCARD.S_SUCCESS:
            self._minor = reply_minor
        self._send(wire.VERSION.pack(wire.MAJOR, reply_minor, rv))

    def _establish(self, body: bytes) -> None:
        scope, _, _ = wire.ESTABLISH_CONTEXT.unpack(body)
        self._release()  # the library asks again when a number is known in its process
        number, rv = 0, 0
        try:
            self.context = self.host.run(self.rm.establish_context, scope)
            number = self.context.id
        except ScardError as error:
            rv = error.code
        self._send(wire.ESTABLISH_CONTEXT.pack(scope, number, rv))

    def _release_context(self, body: bytes) -> None:
        number, _ = wire.RELEASE_CONTEXT.unpack(body)
        rv: int = SCARD.E_INVALID_HANDLE
        if self.context is not None and self.context.id == number:
            self._release()
            rv = SCARD.S_SUCCESS
        self._send(wire.RELEASE_CONTEXT.pack(number, rv))

    def _cancel(self, body: bytes) -> None:
        number, _ = wire.CANCEL.unpack(body)
        rv = SCARD.S_SUCCESS if self.door.cancel(number) else SCARD.E_INVALID_HANDLE
        self._send(wire.CANCEL.pack(number, rv))

    # ------------------------------------------------------------------ card handles

    def _connect(self, body: bytes) -> None:
        number, name, share, preferred, _, _, _ = wire.CONNECT.unpack(body)
        context = self.context
        if context is None:
            raise ProtocolError("CONNECT without a context")
        hcard = active = 0
        rv: int = SCARD.E_INVALID_VALUE
        if number == context.id:
            reader, protocols = wire.decode_name(name), wire.protocols_from_wire(preferred)
            operation = operations.connect(self.rm, context, reader, share, protocols)
            rv, (handle, protocol) = self._call(operation, (None, Protocol.UNDEFINED))
            if handle is not None:
                hcard, active = handle.id, wire.protocols_to_wire(protocol)
        self._send(wire.CONNECT.pack(number, name, share, preferred, hcard, active, rv))

    def _reconnect(self, body: bytes) -> None:
        hcard, share, preferred, initialization, _, _ = wire.RECONNECT.unpack(body)
        protocols = wire.protocols_from_wire(preferred)
        operation = operations.reconnect(
            self.rm, self._handle(hcard), share, protocols, initialization
        )
        rv, protocol = self._call(operation, Protocol.UNDEFINED)
        active = wire.protocols_to_wire(protocol)
        self._send(wire.RECONNECT.pack(hcard, share, preferred, initialization, active, rv))

    def _disconnect(self, body: bytes) -> None:
        hcard, disposition, _ = wire.DISCONNECT.unpack(body)
        operation = operations.disconnect(self.rm, self._handle(hcard), disposition)
        rv, _ = self._call(operation, None)
        self._send(wire.DISCONNECT.pack(hcard, disposition, rv))

    def _begin(self, body: bytes) -> None:
        hcard, _ = wire.BEGIN_TRANSACTION.unpack(body)
        rv, _ = self._call(operations.begin_transaction(self.rm, self._handle(hcard)), None)
        self._send(wire.BEGIN_TRANSACTION.pack(hcard, rv))

    def _end(self, body: bytes) -> None:
        hcard, disposition, _ = wire.END_TRANSACTION.unpack(body)
        operation = operations.end_transaction(self.rm, self._handle(hcard), disposition)
        rv, _ = self._call(operation, None)
        self._send(wire.END_TRANSACTION.pack(hcard, disposition, rv))

    def _status(self, body: bytes) -> None:
        hcard, _ = wire.STATUS.unpack(body)
        handle = self._handle(hcard)
        rv = 0
        try:
            self.host.run(operations.status, self.rm, handle)
        except ScardError as error:
            rv = error.code
        self._send(wire.STATUS.pack(hcard, rv))

    # ------------------------------------------------------------------ exchange with the card

    def _transmit(self, body: bytes) -> None:
        hcard, protocol, pci_length, length, reply_protocol, reply_pci, room, _ = (
            wire.TRANSMIT.unpack(body)
        )
        if length > wire.MAX_DATA:
            raise ProtocolError(f"TRANSMIT of {length} bytes")
        command = self._incoming.read(length)
        operation = operations.transmit(
            self.rm,
            self._handle(hcard),
            wire.protocols_from_wire(protocol),
            command,
            wire.MAX_DATA,
        )
        rv, response = self._call(operation, b"")
        count = len(response)
        if count > room:
            # The client learns how much it would have been, and gets nothing.
            rv, response = SCARD.E_INSUFFICIENT_BUFFER, b""
        reply = wire.TRANSMIT.pack(
            hcard, protocol, pci_length, length, reply_protocol, reply_pci, count, rv
        )
        self._send(reply + response)

    def _control(self, body: bytes) -> None:
        hcard, code, length, room, _, _ = wire.CONTROL.unpack(body)
        if length > wire.MAX_DATA:
            raise ProtocolError(f"CONTROL of {length} bytes")
        data = self._incoming.read(length)
        operation = operations.control(self.rm, self._handle(hcard), code, data, room)
        rv, reply = self._call(operation, b"")
        self._send(wire.CONTROL.pack(hcard, code, length, room, len(reply), rv) + reply)

    def _get_attribute(self, body: bytes) -> None:
        hcard, tag, _, room, _ = wire.ATTRIB.unpack(body)
        operation = operations.get_attribute(self.rm, self._handle(hcard), tag)
        rv, value = self._call(operation, b"")
        if tag in _UTF_16_NAMES:
            rv, value = wire.RV_TO_WIRE[SCARD.E_UNSUPPORTED_FEATURE], b""
        elif len(value) > min(room, wire.MAX_ATTRIBUTE):
            rv = SCARD.E_INSUFFICIENT_BUFFER
        self._send(wire.ATTRIB.pack(hcard, tag, value, len(value), rv))

    def _set_attribute(self, body: bytes) -> None:
        hcard, tag, value, length, _ = wire.ATTRIB.unpack(body)
        handle = self._handle(hcard)
        if length > wire.MAX_ATTRIBUTE:
            raise ProtocolError(f"SET_ATTRIB of {length} bytes")
        operation = operations.set_attribute(self.rm, handle, tag, value[:length])
        rv, _ = self._call(operation, None)
        self._send(wire.ATTRIB.pack(hcard, tag, value, length, rv))

    # ------------------------------------------------------------------ reader states and waiting

    def _states(self, body: bytes) -> None:
        count = self.door.slot_count(self._minor)
        self._waiting.look(lambda: self.door.states(count))

    def _states_size(self, body: bytes) -> None:
        self._told_slots = self.door.slot_count(wire.MAX_MINOR)
        self._send(wire.READERS_STATE_SIZE.pack(self._told_slots))

    def _states_array(self, body: bytes) -> None:
        # As many as the client was told, whatever has arrived since: it reads exactly those.
        count, self._told_slots = self._told_slots, None
        slots = count or self.door.slot_count(wire.MAX_MINOR)
        self._waiting.fetch(lambda: self.door.states(slots))

    def _wait(self, body: bytes) -> None:
        count = self.door.slot_count(self._minor)
        fetches = self._minor >= wire.SINCE_MINOR[Command.GET_READERS_STATE_SIZE]
        self._waiting.begin(None if fetches else lambda: self.door.states(count))

    def _stop_waiting(self, body: bytes) -> None:
        self._waiting.stop()

    @property
    def to_look(self) -> bool:
        """Whether it waited for a change, was told of one, and has not asked for it since."""
        return self._waiting.to_look

    def _reader_events(self, body: bytes) -> None:
        self._send(wire.READER_EVENTS.pack(self.rm.reader_events, SCARD.S_SUCCESS))


_BY_COMMAND: dict[Command, Callable[[Session, bytes], None]] = {
    Command.ESTABLISH_CONTEXT: Session._establish,
    Command.RELEASE_CONTEXT: Session._release_context,
    Command.CONNECT: Session._connect,
    Command.RECONNECT: Session._reconnect,
    Command.DISCONNECT: Session._disconnect,
    Command.BEGIN_TRANSACTION: Session._begin,
    Command.END_TRANSACTION: Session._end,
    Command.TRANSMIT: Session._transmit,
    Command.CONTROL: Session._control,
    Command.STATUS: Session._status,
    Command.CANCEL: Session._cancel,
    Command.GET_ATTRIB: Session._get_attribute,
    Command.SET_ATTRIB: Session._set_attribute,
    Command.VERSION: Session._version,
    Command.GET_READERS_STATE: Session._states,
    Command.WAIT_READER_STATE_CHANGE: Session._wait,
    Command.STOP_WAITING: Session._stop_waiting,
    Command.GET_READER_EVENTS: Session._reader_events,
    Command.GET_READERS_STATE_SIZE: Session._states_size,
    Command.GET_READERS_STATE_ARRAY: Session._states_array,
}

# The number on the wire → size of the struct its header must announce, what serves it.
_HANDLERS = {int(c): (wire.REQUEST[c].size, handler) for c, handler in _BY_COMMAND.items()}
