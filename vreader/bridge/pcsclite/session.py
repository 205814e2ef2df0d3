# SPDX-License-Identifier: Apache-2.0
"""One connection of the embedded door: one thread, one context, strict request and response.

The exception is the *signal*: every WAIT is balanced by exactly one 8-byte message, written by
whichever thread saw the change, so all writing goes through one lock. A 4.6 client fetches the
states after WAIT by two more requests; a signal between them would be taken for a reply and is
held back until the array has been sent.
"""

import socket
import struct
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.events import ClientEvent, DoorFaultEvent
from vreader.bridge.pcsclite.wire import Command
from vreader.smclib.ioctl import Attr
from vreader.winscard import operations
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.model import CardHandle, Context

if TYPE_CHECKING:
    from vreader.bridge.pcsclite.server import PcscliteDoor

_CHUNK = 65536
_COMMANDS = {int(command): command for command in Command}


class ProtocolError(Exception):
    """The peer broke the protocol; its connection ends."""


class Session:
    """Serves one connection on its own thread.

    Attributes:
        context: the context this connection has established, or None.
    """

    def __init__(self, door: "PcscliteDoor", connection: socket.socket) -> None:
        self.door = door
        self.host = door.host
        self.rm = door.rm
        self.context: Context | None = None
        self._socket = connection
        self._buffer = b""
        self._minor = wire.MIN_MINOR
        self._write_lock = threading.Lock()
        self._waiting = False
        self._holding_back = False
        self._held_back: int | None = None
        self._pid = _peer_pid(connection)
        self._thread = threading.Thread(target=self._serve, name="pcsclite client", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End the connection and wait until its context is released."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster
        self._thread.join(timeout=5)

    # ------------------------------------------------------------------ reading and writing

    def _serve(self) -> None:
        self._tell("connected")
        reason = ""
        try:
            while True:
                self._one_request()
        except EOFError:
            pass
        except (ProtocolError, struct.error, OSError) as error:
            reason = str(error)
        finally:
            self.door.left(self)
            self._release()
            self._socket.close()
            self._tell("dropped" if reason else "left", reason)

    def _tell(self, change: str, reason: str = "") -> None:
        if self.host.events:
            self.host.events.emit(ClientEvent(self._pid, change, reason))

    def _read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes; EOFError when the peer is gone."""
        buffer = self._buffer
        while len(buffer) < size:
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                if buffer:
                    raise ProtocolError("the connection ended inside a message")
                raise EOFError
            buffer = buffer + chunk if buffer else chunk
        self._buffer = buffer[size:]
        return buffer[:size]

    def _send(self, data: bytes) -> None:
        with self._write_lock:
            self._socket.sendall(data)

    def _one_request(self) -> None:
        size, number = wire.HEADER.unpack(self._read(wire.HEADER.size))
        command = _COMMANDS.get(number)
        if command is None:
            raise ProtocolError(f"unknown command {number:#x}")
        layout = wire.REQUEST[command]
        if size != layout.size:
            raise ProtocolError(f"{command.name} with {size} instead of {layout.size} bytes")
        body = self._read(size) if size else b""
        _HANDLERS[command](self, body)

    def _peer_is_there(self) -> bool:
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    # ------------------------------------------------------------------ helpers of the handlers

    def _try(self, function: Callable[[], None]) -> int:
        """Run the heart of a request; return the rv to send, in pcsc-lite's numbers."""
        try:
            function()
        except ScardError as error:
            return wire.RV_TO_WIRE.get(error.code, error.code)
        except (ProtocolError, OSError):
            raise
        except Exception:
            if self.host.events:
                self.host.events.emit(DoorFaultEvent(self._pid, traceback.format_exc()))
            return SCARD.F_INTERNAL_ERROR
        return SCARD.S_SUCCESS

    def _handle(self, number: int) -> CardHandle:
        """Return one of this connection's card handles; anything else ends the connection."""
        if self.context is not None and (found := self.context.handles.get(number)) is not None:
            return found
        raise ProtocolError(f"card handle {number:#x} is not this connection's")

    def _release(self) -> None:
        context, self.context = self.context, None
        if context is not None and context.valid:
            self._try(lambda: self.host.call(operations.release_context(self.rm, context)))

    # ------------------------------------------------------------------ contexts

    def _version(self, body: bytes) -> None:
        major, minor, _ = wire.VERSION.unpack(body)
        reply_minor, rv = wire.negotiate(major, minor)
        if rv == SCARD.S_SUCCESS:
            self._minor = reply_minor
        self._send(wire.VERSION.pack(wire.MAJOR, reply_minor, rv))

    def _establish(self, body: bytes) -> None:
        scope, _, _ = wire.ESTABLISH_CONTEXT.unpack(body)
        if self.context is not None:
            self._release()  # the library asks again when a number is known in its process

        def establish() -> None:
            self.context = self.host.run(self.rm.establish_context, scope)

        rv = self._try(establish)
        number = self.context.id if self.context is not None else 0
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
        found = self.door.cancel(number)
        rv = SCARD.S_SUCCESS if found else SCARD.E_INVALID_HANDLE
        self._send(wire.CANCEL.pack(number, rv))

    # ------------------------------------------------------------------ card handles

    def _connect(self, body: bytes) -> None:
        number, name, share, preferred, _, _, _ = wire.CONNECT.unpack(body)
        context = self.context
        if context is None:
            raise ProtocolError("CONNECT without a context")
        hcard = active = 0

        def connect() -> None:
            nonlocal hcard, active
            if number != context.id:
                raise ScardError(SCARD.E_INVALID_VALUE)
            operation = operations.connect(
                self.rm,
                context,
                wire.decode_name(name),
                share,
                wire.protocols_from_wire(preferred),
            )
            handle, protocol = self.host.call(operation, alive=self._peer_is_there)
            hcard, active = handle.id, wire.protocols_to_wire(protocol)

        rv = self._try(connect)
        self._send(wire.CONNECT.pack(number, name, share, preferred, hcard, active, rv))

    def _reconnect(self, body: bytes) -> None:
        hcard, share, preferred, initialization, _, _ = wire.RECONNECT.unpack(body)
        handle = self._handle(hcard)
        active = 0

        def reconnect() -> None:
            nonlocal active
            operation = operations.reconnect(
                self.rm, handle, share, wire.protocols_from_wire(preferred), initialization
            )
            active = wire.protocols_to_wire(self.host.call(operation, alive=self._peer_is_there))

        rv = self._try(reconnect)
        self._send(wire.RECONNECT.pack(hcard, share, preferred, initialization, active, rv))

    def _disconnect(self, body: bytes) -> None:
        hcard, disposition, _ = wire.DISCONNECT.unpack(body)
        handle = self._handle(hcard)
        operation = operations.disconnect(self.rm, handle, disposition)
        rv = self._try(lambda: self.host.call(operation, alive=self._peer_is_there))
        self._send(wire.DISCONNECT.pack(hcard, disposition, rv))

    def _begin(self, body: bytes) -> None:
        hcard, _ = wire.BEGIN_TRANSACTION.unpack(body)
        operation = operations.begin_transaction(self.rm, self._handle(hcard))
        rv = self._try(lambda: self.host.call(operation, alive=self._peer_is_there))
        self._send(wire.BEGIN_TRANSACTION.pack(hcard, rv))

    def _end(self, body: bytes) -> None:
        hcard, disposition, _ = wire.END_TRANSACTION.unpack(body)
        operation = operations.end_transaction(self.rm, self._handle(hcard), disposition)
        rv = self._try(lambda: self.host.call(operation, alive=self._peer_is_there))
        self._send(wire.END_TRANSACTION.pack(hcard, disposition, rv))

    def _status(self, body: bytes) -> None:
        hcard, _ = wire.STATUS.unpack(body)
        handle = self._handle(hcard)
        rv = self._try(lambda: void(self.host.run(operations.status, self.rm, handle)))
        self._send(wire.STATUS.pack(hcard, rv))

    # ------------------------------------------------------------------ exchange with the card

    def _transmit(self, body: bytes) -> None:
        hcard, protocol, pci_length, length, reply_protocol, reply_pci, room, _ = (
            wire.TRANSMIT.unpack(body)
        )
        if length > wire.MAX_DATA:
            raise ProtocolError(f"TRANSMIT of {length} bytes")
        command = self._read(length)
        handle = self._handle(hcard)
        response = b""

        def transmit() -> None:
            nonlocal response
            operation = operations.transmit(
                self.rm, handle, wire.protocols_from_wire(protocol), command, wire.MAX_DATA
            )
            response = self.host.call(operation, alive=self._peer_is_there)

        rv = self._try(transmit)
        count = len(response)
        if count > room:
            # The client learns how much it would have been, and gets nothing.
            rv, response = SCARD.E_INSUFFICIENT_BUFFER, b""
        self._send(
            wire.TRANSMIT.pack(
                hcard, protocol, pci_length, length, reply_protocol, reply_pci, count, rv
            )
            + response
        )

    def _control(self, body: bytes) -> None:
        hcard, code, length, room, _, _ = wire.CONTROL.unpack(body)
        if length > wire.MAX_DATA:
            raise ProtocolError(f"CONTROL of {length} bytes")
        data = self._read(length)
        handle = self._handle(hcard)
        reply = b""

        def control() -> None:
            nonlocal reply
            operation = operations.control(self.rm, handle, code, data, min(room, wire.MAX_DATA))
            reply = self.host.call(operation, alive=self._peer_is_there)

        rv = self._try(control)
        self._send(wire.CONTROL.pack(hcard, code, length, room, len(reply), rv) + reply)

    def _get_attribute(self, body: bytes) -> None:
        hcard, tag, _, room, _ = wire.ATTRIB.unpack(body)
        handle = self._handle(hcard)
        value = b""

        def get_attribute() -> None:
            nonlocal value
            if tag in (Attr.DEVICE_FRIENDLY_NAME_W, Attr.DEVICE_SYSTEM_NAME_W):
                raise ScardError(SCARD.E_UNSUPPORTED_FEATURE)  # pcsc-lite knows the A forms alone
            operation = operations.get_attribute(self.rm, handle, tag)
            value = self.host.call(operation, alive=self._peer_is_there)
            if len(value) > min(room, wire.MAX_ATTRIBUTE):
                raise ScardError(SCARD.E_INSUFFICIENT_BUFFER)

        rv = self._try(get_attribute)
        self._send(wire.ATTRIB.pack(hcard, tag, value, len(value), rv))

    def _set_attribute(self, body: bytes) -> None:
        hcard, tag, value, length, _ = wire.ATTRIB.unpack(body)
        handle = self._handle(hcard)
        if length > wire.MAX_ATTRIBUTE:
            raise ProtocolError(f"SET_ATTRIB of {length} bytes")
        operation = operations.set_attribute(self.rm, handle, tag, value[:length])
        rv = self._try(lambda: self.host.call(operation, alive=self._peer_is_there))
        self._send(wire.ATTRIB.pack(hcard, tag, value, length, rv))

    # ------------------------------------------------------------------ reader states and waiting

    def _states(self, body: bytes) -> None:
        self._send(self.door.states(self._minor))

    def _states_size(self, body: bytes) -> None:
        self._send(wire.READERS_STATE_SIZE.pack(self.door.slot_count(wire.MAX_MINOR)))

    def _states_array(self, body: bytes) -> None:
        with self._write_lock:
            self._socket.sendall(self.door.states(wire.MAX_MINOR))
            self._holding_back = False
            if self._held_back is not None and self._waiting:
                self._write_signal(self._held_back)
            self._held_back = None

    def _wait(self, body: bytes) -> None:
        # The write lock is taken before the states are: a later change finds us waiting.
        with self._write_lock:
            if self._minor < 6:
                self._socket.sendall(self.door.states(self._minor))
            else:
                self._holding_back = True
            self._waiting = True

    def _stop_waiting(self, body: bytes) -> None:
        with self._write_lock:
            self._holding_back, self._held_back = False, None
            if self._waiting:
                self._write_signal(SCARD.S_SUCCESS)
            # Else a signal is on its way already and is the answer.

    def _reader_events(self, body: bytes) -> None:
        self._send(wire.READER_EVENTS.pack(self.rm.reader_events, SCARD.S_SUCCESS))

    def signal(self, rv: int) -> None:
        """Tell a waiting client, once, that something changed or (``rv``) that it is cancelled."""
        with self._write_lock:
            if not self._waiting:
                return
            if self._holding_back:
                self._held_back = rv
                return
            try:
                self._write_signal(rv)
            except OSError:
                pass  # the client has gone; its own thread notices

    def cancel(self) -> None:
        """End the client's wait as SCardCancel does."""
        self.signal(SCARD.E_CANCELLED)

    def _write_signal(self, rv: int) -> None:
        self._waiting = False
        # The first word is ignored by the library, unless it reads the signal as the reply to
        # GET_READER_EVENTS: then it must be the counter.
        self._socket.sendall(wire.SIGNAL.pack(self.rm.reader_events, rv))


def void(_value: object) -> None:
    """Drop a value."""


def _peer_pid(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", raw)[0]
    return pid


_HANDLERS: dict[Command, Callable[[Session, bytes], None]] = {
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
