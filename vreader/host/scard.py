# SPDX-License-Identifier: Apache-2.0
"""The SCard* functions by name, for programs in the same process: blocking, any thread.

What winscard.h and libpcsclite do in the caller's process is done here: waiting for another's
transaction, and SCardGetStatusChange. Numbers are those of winscard.h throughout. Handles are plain
integers; everything fails with ScardError. What the calls mean is the resource manager's affair.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from vreader.host.host import Host
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard import operations
from vreader.winscard.call import Operation
from vreader.winscard.codes import (
    INFINITE,
    MAX_APDU_BUFFER,
    SCARD,
    Disposition,
    ReaderFlag,
    ScardError,
    ShareMode,
)
from vreader.winscard.manager import ResourceManager
from vreader.winscard.model import CardHandle, Context, ReaderStatus
from vreader.winscard.status_change import ReaderState, is_pnp, observe, observe_pnp

T = TypeVar("T")

READER_GROUPS = ("SCard$DefaultReaders",)
# libpcsclite's pause before it asks again after a sharing violation.
RETRY_S = 0.1


class CardStatus(NamedTuple):
    """What SCardStatus says: the reader's name, its state, the protocol in force, the ATR."""

    reader: str
    state: CardState
    protocol: Protocol
    atr: bytes


class _Wait:
    """One SCardGetStatusChange in progress."""

    __slots__ = ("cancelled", "context", "woken")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.cancelled = False
        self.woken = threading.Event()


class ScardApi:
    """The SCard* functions of one host.

    Args:
        host: the computer; it must have a resource manager.
        blocking: whether BeginTransaction, Transmit, Status and Reconnect wait while another
            application holds the transaction, as libpcsclite does; False lets them fail
            SHARING_VIOLATION.

    Every function may raise ScardError: INVALID_HANDLE for a context or card handle that is not
    (any more) one, NO_SERVICE once the host is closed, and what the call itself says.
    """

    def __init__(self, host: Host, *, blocking: bool = True) -> None:
        self._host = host
        self._blocking = blocking
        self._waits: set[_Wait] = set()

    # ------------------------------------------------------------------ contexts

    def SCardEstablishContext(self, dwScope: int = 2) -> int:
        """Make a context and return it; 0 user, 1 terminal, 2 system, else INVALID_VALUE."""
        return self._host.run(self._rm.establish_context, dwScope).id

    def SCardReleaseContext(self, hContext: int) -> None:
        """Release a context: its cards are disconnected, its waits end."""
        context = self._context(hContext)
        self._host.call(operations.release_context(self._rm, context))
        self._wake(context)

    def SCardIsValidContext(self, hContext: int) -> None:
        """Return for a context, raise INVALID_HANDLE for anything else."""
        self._context(hContext)

    # ------------------------------------------------------------------ readers

    def SCardListReaders(self, hContext: int, mszGroups: Sequence[str] = ()) -> list[str]:
        """Return the readers' names; all are in every group. NO_READERS_AVAILABLE without one."""
        self._context(hContext)
        names = [status.name for status in self._host.run(self._rm.statuses)]
        if not names:
            raise ScardError(SCARD.E_NO_READERS_AVAILABLE)
        return names

    def SCardListReaderGroups(self, hContext: int) -> list[str]:
        """Return the one group there is."""
        self._context(hContext)
        return list(READER_GROUPS)

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
            ScardError: TIMEOUT, CANCELLED, UNKNOWN_READER for a reader that is not there when the
                wait begins.
        """
        asked = list(rgReaderStates)
        if all(state.current_state & ReaderFlag.IGNORE for state in asked):
            return asked
        wait = _Wait(self._context(hContext))
        rm = self._rm
        self._waits.add(wait)
        stop = self._host.run(rm.add_listener, wait.woken.set)
        try:
            return self._watch(rm, wait, dwTimeout, asked)
        finally:
            self._waits.discard(wait)
            self._host.run(stop)

    def _watch(
        self, rm: ResourceManager, wait: _Wait, timeout_ms: int, asked: list[ReaderState]
    ) -> list[ReaderState]:
        clock = self._host.clock
        readers, events = self._host.run(_snapshot, rm)
        count = len(readers)
        for state in asked:
            if state.reader not in readers and not is_pnp(state.reader):
                raise ScardError(SCARD.E_UNKNOWN_READER)
        deadline = clock.now() + timeout_ms / 1000
        timer = None
        if timeout_ms != INFINITE:
            timer = self._host.run(clock.call_at, deadline, wait.woken.set)
        try:
            while True:
                found = [_look(state, readers, count, events) for state in asked]
                if any(state.event_state & ReaderFlag.CHANGED for state in found):
                    return found
                if timeout_ms != INFINITE and clock.now() >= deadline:
                    raise ScardError(SCARD.E_TIMEOUT)
                wait.woken.wait()
                wait.woken.clear()
                if wait.cancelled:
                    raise ScardError(SCARD.E_CANCELLED)
                if not wait.context.valid:
                    raise ScardError(SCARD.E_NO_SERVICE if rm.closed else SCARD.E_INVALID_HANDLE)
                readers, events = self._host.run(_snapshot, rm)
        finally:
            if timer is not None:
                self._host.run(timer.cancel)

    def SCardCancel(self, hContext: int) -> None:
        """End the waits of a context with CANCELLED; nothing happens where there is none."""
        context = self._context(hContext)
        for wait in list(self._waits):
            if wait.context is context:
                wait.cancelled = True
        self._wake(context)

    def _wake(self, context: Context) -> None:
        for wait in list(self._waits):
            if wait.context is context:
                wait.woken.set()

    # ------------------------------------------------------------------ connections

    def SCardConnect(
        self,
        hContext: int,
        szReader: str,
        dwShareMode: int = ShareMode.SHARED,
        dwPreferredProtocols: int = Protocol.T0 | Protocol.T1,
    ) -> tuple[int, Protocol]:
        """Connect to the card in a reader; return (hCard, active protocol).

        Waits as long as another application holds a transaction.
        """
        context = self._context(hContext)
        handle, protocol = self._host.call(
            operations.connect(self._rm, context, szReader, dwShareMode, dwPreferredProtocols)
        )
        return handle.id, protocol

    def SCardReconnect(
        self,
        hCard: int,
        dwShareMode: int = ShareMode.SHARED,
        dwPreferredProtocols: int = Protocol.T0 | Protocol.T1,
        dwInitialization: int = Disposition.LEAVE,
    ) -> Protocol:
        """Reconnect, after W_RESET_CARD for example; return the active protocol."""
        handle = self._handle(hCard)

        def reconnect() -> Operation[Protocol]:
            return operations.reconnect(
                self._rm, handle, dwShareMode, dwPreferredProtocols, dwInitialization
            )

        return self._patiently(lambda: self._host.call(reconnect()))

    def SCardDisconnect(self, hCard: int, dwDisposition: int = Disposition.LEAVE) -> None:
        """End a connection, and its transaction with it."""
        self._host.call(operations.disconnect(self._rm, self._handle(hCard), dwDisposition))

    def SCardBeginTransaction(self, hCard: int) -> None:
        """Begin a transaction; transactions nest."""
        handle = self._handle(hCard)
        self._patiently(lambda: self._host.call(operations.begin_transaction(self._rm, handle)))

    def SCardEndTransaction(self, hCard: int, dwDisposition: int = Disposition.LEAVE) -> None:
        """End a transaction; after RESET and UNPOWER the caller needs Reconnect too."""
        self._host.call(operations.end_transaction(self._rm, self._handle(hCard), dwDisposition))

    def SCardStatus(self, hCard: int) -> CardStatus:
        """Say what there is to know of a connection's reader and card."""
        handle = self._handle(hCard)

        def look() -> ReaderStatus:
            if handle.reader.gone:
                raise ScardError(SCARD.E_READER_UNAVAILABLE)
            return operations.status(self._rm, handle)

        status = self._patiently(lambda: self._host.run(look))
        state = CardState.SPECIFIC if status.protocol else status.state
        return CardStatus(status.name, state, status.protocol, status.atr)

    # ------------------------------------------------------------------ exchange

    def SCardTransmit(
        self, hCard: int, dwProtocol: int, bSendBuffer: bytes, cbRecvLength: int = MAX_APDU_BUFFER
    ) -> bytes:
        """Send a C-APDU and return the R-APDU.

        Args:
            hCard: the connection.
            dwProtocol: the active protocol, what the ``dwProtocol`` of pioSendPci says.
            bSendBuffer: the C-APDU.
            cbRecvLength: bytes of R-APDU the caller has room for, else INSUFFICIENT_BUFFER.
        """
        handle = self._handle(hCard)
        if len(bSendBuffer) > MAX_APDU_BUFFER:
            raise ScardError(SCARD.E_INSUFFICIENT_BUFFER)
        command = bytes(bSendBuffer)

        def transmit() -> Operation[bytes]:
            return operations.transmit(self._rm, handle, dwProtocol, command, MAX_APDU_BUFFER)

        response = self._patiently(lambda: self._host.call(transmit()))
        if len(response) > cbRecvLength:
            raise ScardError(SCARD.E_INSUFFICIENT_BUFFER)
        return response

    def SCardControl(
        self,
        hCard: int,
        dwControlCode: int,
        bSendBuffer: bytes = b"",
        cbRecvLength: int = MAX_APDU_BUFFER,
    ) -> bytes:
        """Send a control code to the reader driver; UNSUPPORTED_FEATURE for one it lacks."""
        operation = operations.control(
            self._rm, self._handle(hCard), dwControlCode, bytes(bSendBuffer), cbRecvLength
        )
        return self._host.call(operation)

    def SCardGetAttrib(self, hCard: int, dwAttrId: int) -> bytes:
        """Return a reader attribute; UNSUPPORTED_FEATURE for one it lacks."""
        return self._host.call(operations.get_attribute(self._rm, self._handle(hCard), dwAttrId))

    def SCardSetAttrib(self, hCard: int, dwAttrId: int, bAttr: bytes) -> None:
        """Set a reader attribute; UNSUPPORTED_FEATURE for one that cannot be."""
        self._host.call(
            operations.set_attribute(self._rm, self._handle(hCard), dwAttrId, bytes(bAttr))
        )

    # ------------------------------------------------------------------ small parts

    @property
    def _rm(self) -> ResourceManager:
        rm = self._host.rm
        if rm is None or rm.closed:
            raise ScardError(SCARD.E_NO_SERVICE)
        return rm

    def _context(self, number: int) -> Context:
        context = self._rm.contexts.get(number)
        if context is None or not context.valid:
            raise ScardError(SCARD.E_INVALID_HANDLE)
        return context

    def _handle(self, number: int) -> CardHandle:
        handle = self._rm.handles.get(number)
        if handle is None:
            raise ScardError(SCARD.E_INVALID_HANDLE)
        return handle

    def _patiently(self, call: Callable[[], T]) -> T:
        """Make a call, again and again while another application has the card to itself."""
        while True:
            try:
                return call()
            except ScardError as error:
                if error.code is not SCARD.E_SHARING_VIOLATION or not self._blocking:
                    raise
            time.sleep(RETRY_S)


def _snapshot(rm: ResourceManager) -> tuple[dict[str, ReaderStatus], int]:
    return {status.name: status for status in rm.statuses()}, rm.reader_events


def _look(
    state: ReaderState, readers: dict[str, ReaderStatus], count: int, events: int
) -> ReaderState:
    if state.current_state & ReaderFlag.IGNORE:
        return state
    if is_pnp(state.reader) and state.reader not in readers:
        return observe_pnp(state, count, len(readers), events)
    return observe(state, readers.get(state.reader))
