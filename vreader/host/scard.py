# SPDX-License-Identifier: Apache-2.0
"""The SCard* functions by name, for programs in the same process: blocking, any thread.

What winscard.h and libpcsclite do in the caller's process is done here: waiting for another's
transaction, and SCardGetStatusChange. Numbers are those of winscard.h throughout. Handles are plain
integers; everything fails with ScardError. What the calls mean is the resource manager's affair.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from vreader.host.host import Host
from vreader.host.scard_cardtypes import CardTypeFunctions
from vreader.host.scard_database import DatabaseFunctions
from vreader.host.scard_status import StatusFunctions
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard import operations
from vreader.winscard.call import Operation
from vreader.winscard.codes import MAX_APDU_BUFFER, SCARD, Disposition, ScardError, ShareMode
from vreader.winscard.manager import GROUPS, ResourceManager
from vreader.winscard.model import CardHandle, ReaderStatus

if TYPE_CHECKING:
    from vreader.winscard.discovery import ProbeOrder

P = ParamSpec("P")
T = TypeVar("T")

READER_GROUPS = GROUPS
# libpcsclite's pause before it asks again after a sharing violation.
RETRY_S = 0.1
_DWORD = 0xFFFFFFFF


class CardStatus(NamedTuple):
    """What SCardStatus says: the reader's name, its state, the protocol in force, the ATR."""

    reader: str
    state: CardState
    protocol: Protocol
    atr: bytes


class ScardApi(StatusFunctions, DatabaseFunctions, CardTypeFunctions):
    """The SCard* functions of one host.

    Args:
        host: the computer; it must have a resource manager.
        blocking: whether calls wait while another application holds the transaction, as long as it
            takes: those that the profile lets wait, and in libpcsclite's fashion Transmit, Status
            and Reconnect. False lets BeginTransaction, Transmit, Status and Reconnect fail
            SHARING_VIOLATION at once.
        bits: of the program, 32 or 64: which card types it sees; by default as many as the system.
        probe_order: what a card is asked to find its name
            (:data:`vreader.winscard.discovery.ProbeOrder`).

    Raises:
        UsageError: no such program runs on the system.

    Every function may raise ScardError: INVALID_HANDLE for a context or card handle that is not
    (any more) one, NO_SERVICE once the host is closed, and what the call itself says.
    """

    def __init__(
        self,
        host: Host,
        *,
        blocking: bool = True,
        bits: int | None = None,
        probe_order: "ProbeOrder" = "list",
    ) -> None:
        super().__init__(host)
        self._bits = host.bits if bits is None else bits
        if bits is not None:
            from vreader.registry.view import check_bits  # most programs are as the system is

            check_bits(bits, host.bits)
        self._probe_order = probe_order
        self._blocking = blocking
        self._patience_s = float("inf") if blocking else 0.0

    # ------------------------------------------------------------------ contexts

    def SCardEstablishContext(self, dwScope: int = 2) -> int:
        """Make a context and return it; 0 user, 1 terminal, 2 system, else INVALID_VALUE.

        pcsc-lite also knows 3, global.
        """
        rm = self._rm
        serial = not rm.profile.threads_share_contexts
        return self._host.run(rm.establish_context, dwScope, serial=serial).id

    def SCardReleaseContext(self, hContext: int) -> None:
        """Release a context: its cards are disconnected, its waits end.

        One of a service that has stopped can be released too.
        """
        rm = self._host.rm
        if rm is None or rm.closed:
            raise ScardError(SCARD.E_NO_SERVICE)
        context = rm.contexts.get(hContext)
        if context is None:
            raise ScardError(SCARD.E_INVALID_HANDLE)
        self._host.call(operations.release_context(rm, context))
        self._wake(context)

    def SCardIsValidContext(self, hContext: int) -> None:
        """Return for a context, raise INVALID_HANDLE for anything else."""
        self._context(hContext)

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
        return self._patiently(
            operations.reconnect,
            self._rm,
            self._handle(hCard),
            dwShareMode,
            dwPreferredProtocols,
            dwInitialization,
        )

    def SCardDisconnect(self, hCard: int, dwDisposition: int = Disposition.LEAVE) -> None:
        """End a connection, and its transaction with it."""
        self._host.call(operations.disconnect(self._rm, self._handle(hCard), dwDisposition))

    def SCardBeginTransaction(self, hCard: int) -> None:
        """Begin a transaction; transactions nest."""
        self._patiently(operations.begin_transaction, self._rm, self._handle(hCard))

    def SCardEndTransaction(self, hCard: int, dwDisposition: int = Disposition.LEAVE) -> None:
        """End a transaction; after RESET and UNPOWER the caller needs Reconnect too."""
        self._host.call(operations.end_transaction(self._rm, self._handle(hCard), dwDisposition))

    def SCardStatus(self, hCard: int) -> CardStatus:
        """Say what there is to know of a connection's reader and card."""
        rm, handle = self._rm, self._handle(hCard)
        status = self._status(rm, handle)
        state = CardState.SPECIFIC if status.protocol else status.state
        if rm.profile.status.tells_unpowered and not status.powered:
            state = min(state, CardState.SWALLOWED)
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
        response = self._patiently(
            operations.transmit, self._rm, handle, dwProtocol, bytes(bSendBuffer), MAX_APDU_BUFFER
        )
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
        """Send a control code to the reader driver; what it fails with is the profile's to say."""
        handle = self._handle(hCard)
        if len(bSendBuffer) > MAX_APDU_BUFFER:
            raise ScardError(SCARD.E_INSUFFICIENT_BUFFER)
        data = bytes(bSendBuffer)
        operation = operations.control(self._rm, handle, dwControlCode, data, cbRecvLength)
        return self._host.call(operation)

    def SCardGetAttrib(self, hCard: int, dwAttrId: int) -> bytes:
        """Return a reader attribute."""
        tag = dwAttrId & _DWORD
        return self._host.call(operations.get_attribute(self._rm, self._handle(hCard), tag))

    def SCardSetAttrib(self, hCard: int, dwAttrId: int, bAttr: bytes) -> None:
        """Set a reader attribute."""
        tag, value = dwAttrId & _DWORD, bytes(bAttr)
        self._host.call(operations.set_attribute(self._rm, self._handle(hCard), tag, value))

    # ------------------------------------------------------------------ waiting

    def _patiently(
        self, operation: Callable[P, Operation[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Make a call, again and again where its library does, while another has the card."""
        while True:
            try:
                return self._host.call(operation(*args, **kwargs), patience_s=self._patience_s)
            except ScardError as error:
                self._pause_or_raise(error)

    def _status(self, rm: ResourceManager, handle: CardHandle) -> ReaderStatus:
        while True:
            try:
                return self._host.run(_look, rm, handle)
            except ScardError as error:
                self._pause_or_raise(error)

    def _pause_or_raise(self, error: ScardError) -> None:
        """Pause where the client library would and then ask again; else raise the error."""
        refused = error.code is SCARD.E_SHARING_VIOLATION
        if not (refused and self._blocking and self._rm.profile.caller_asks_again):
            raise error
        time.sleep(RETRY_S)


def _look(rm: ResourceManager, handle: CardHandle) -> ReaderStatus:
    if handle.reader.gone and handle.context.valid:
        raise ScardError(SCARD.E_READER_UNAVAILABLE)
    return operations.status(rm, handle)
