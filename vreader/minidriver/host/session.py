# SPDX-License-Identifier: Apache-2.0
"""A card's context: its connection, the transaction around calls, and the end of an idle one.

One transaction spans a call and stays open for a while after it, so that calls that follow each
other need one PIN. At its end the minidriver logs out what was authenticated, or else the card is
reset. A card that somebody reset meanwhile is reconnected and the call made again; one that is gone
ends the context (WDK "Smart Card Minidriver Overview", "Card PIN Operations").
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

from vreader.clock import Clock, Timer
from vreader.errors import VreaderError
from vreader.host.scard import ScardApi
from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.abi.pins import ADMIN_NAME, USER_NAME, Role, pin_set
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData, HostCallbacks
from vreader.minidriver.host.connection import RESET, Connection, one_kind_of_error
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import Module
from vreader.winscard.codes import SCARD, Disposition, ScardError

T = TypeVar("T")

ROLE_NAMES: Final[dict[int, str]] = {Role.USER: USER_NAME, Role.ADMIN: ADMIN_NAME}


class Session:
    """The context of one minidriver for the card in one reader. Any thread may use it.

    Args:
        api: the SCard functions of the machine.
        reader: the reader's name.
        module: the minidriver.
        card_name: of the card, for CARD_DATA.
        clock: of the machine.
        callbacks: of the host.
        timeout_ms: how long a transaction stays open while nobody calls.
        version: of CARD_DATA that is asked for.
        background: runs the end of an idle transaction.

    Attributes:
        authenticated: PINs that were right in this transaction.
        fresh: called when a transaction has begun.
        acquired: called when there is a new context, in its transaction.
        lost: called when the card is gone.
    """

    def __init__(
        self,
        api: ScardApi,
        reader: str,
        module: Module,
        card_name: str,
        *,
        clock: Clock,
        callbacks: HostCallbacks,
        timeout_ms: int,
        version: int,
        background: Callable[[Callable[[], None]], None],
    ) -> None:
        self.card_name = card_name
        self.authenticated: set[int] = set()
        self.fresh: Callable[[], None] = _nothing
        self.acquired: Callable[[], None] = _nothing
        self.lost: Callable[[], None] = _nothing
        self._module = module
        self._clock = clock
        self._callbacks = callbacks
        self._timeout_s = timeout_ms / 1000
        self._version = version
        self._background = background
        self._lock = threading.RLock()
        self._depth = 0
        self._begun = False
        self._timer: Timer | None = None
        self._turn = 0
        self._connection = Connection(api, reader)
        self._minidriver: Minidriver | None = None
        self._table: frozenset[str] = frozenset()

    # ------------------------------------------------------------------ calls

    @property
    def minidriver(self) -> Minidriver:
        """The context; SCARD_E_INVALID_HANDLE outside of :meth:`run`, before there is one."""
        if self._minidriver is None:
            raise MinidriverError(SCARD.E_INVALID_HANDLE)
        return self._minidriver

    @property
    def version(self) -> int:
        """The negotiated version."""
        return self.minidriver.version

    @property
    def in_transaction(self) -> bool:
        """Whether this host has the card's transaction now."""
        return self._connection.open

    @property
    def scard_context(self) -> int:
        """The SCARDCONTEXT; 0 before the first call."""
        return self._connection.context

    @property
    def reader(self) -> str:
        """The reader's name."""
        return self._connection.reader

    def has(self, function: str) -> bool:
        """Whether a function is not NULL."""
        return function in self._table

    def call(self, function: str, *parameters: Any) -> Any:  # noqa: ANN401 - the function's own
        """Call a Card* function; SCARD_E_UNSUPPORTED_FEATURE where it is NULL."""
        if function not in self._table:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        with one_kind_of_error():
            return getattr(self._minidriver, function)(*parameters)

    def run(self, work: Callable[[], T]) -> T:
        """Do something in a transaction, and once more if the card was reset in the middle.

        A card that has been exchanged since the last transaction gets a new context.

        Raises:
            MinidriverError: as ``work`` does; as SCardConnect and CardAcquireContext do.
        """
        with self._lock:
            if self._depth:
                return work()
            had_card = bool(self._connection.card)
            self._begun = False
            try:
                return self._once(work)
            except MinidriverError as error:
                # What is noticed before anything was done may be a card, or a service, of long ago.
                anew = had_card and not self._begun and not self._connection.card
                if not (anew or error.code in RESET):
                    raise
            return self._once(work)

    def _once(self, work: Callable[[], T]) -> T:
        self._depth += 1
        try:
            with one_kind_of_error():
                self._begin()
                self._begun = True
                return work()
        except MinidriverError as error:
            if self._connection.is_dead(error.code):
                self._lose()
            elif error.code in RESET:
                self._was_reset()
            raise
        finally:
            self._depth -= 1
            self._rest()

    # ------------------------------------------------------------------ transaction

    def _begin(self) -> None:
        self._turn += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._connection.begin():
            self.authenticated.clear()
            if self._minidriver is not None:
                self.fresh()
        if self._minidriver is None:
            self._acquire()

    def _rest(self) -> None:
        """Let the transaction idle."""
        if not self._connection.open:
            return
        turn = self._turn

        def due() -> None:
            self._background(lambda: self._expire(turn))

        self._timer = self._clock.call_at(self._clock.now() + self._timeout_s, due)

    def _expire(self, turn: int) -> None:
        with self._lock:
            if turn == self._turn and not self._depth:
                self.end_transaction()

    def end_transaction(self) -> None:
        """End the transaction now, as it ends when it is idle for too long."""
        with self._lock:
            self._turn += 1
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self._connection.open:
                return
            disposition = Disposition.RESET
            try:
                if not self.authenticated or self._log_out():
                    disposition = Disposition.LEAVE
            finally:  # whatever the minidriver does, others get their turn
                self.authenticated.clear()
                self._connection.end(disposition)

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """Give the card back while a person is asked, and take it again (assumed).

        A resource manager resets a card under a transaction in which nothing happens for long. Who
        asks may use the card meanwhile, in a transaction of its own.
        """
        self.end_transaction()
        depth, self._depth = self._depth, 0
        try:
            yield
        finally:
            self._depth = depth
        self._begin()

    def _log_out(self) -> bool:
        """Deauthenticate; False where the card must be reset instead."""
        try:
            if self.has("CardDeauthenticateEx"):
                self.call("CardDeauthenticateEx", pin_set(self.authenticated), 0)
                return True
            if self.has("CardDeauthenticate"):
                for pin_id in sorted(self.authenticated):
                    self.call("CardDeauthenticate", ROLE_NAMES.get(pin_id), 0)
                return True
        except (MinidriverError, VreaderError):  # the latter where a DLL's process has ended
            pass
        return False

    def _was_reset(self) -> None:
        """Forget a transaction that a reset has ended, and reconnect."""
        self.authenticated.clear()
        try:
            self._connection.was_reset()
        except ScardError:
            self._lose()

    # ------------------------------------------------------------------ context

    def _acquire(self) -> None:
        data = CardData(
            self._version,
            self._connection.atr,
            self.card_name,
            self._connection.context,
            self._connection.card,
            self._callbacks,
            frozenset(one.name for one in CALLBACKS if one.since <= self._version),
        )
        try:
            with one_kind_of_error():
                self._minidriver = self._module.CardAcquireContext(data, 0)
            self._table = self._minidriver.table()
            self.acquired()
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        """Delete the context and the connection."""
        minidriver, self._minidriver, self._table = self._minidriver, None, frozenset()
        try:
            if minidriver is not None:
                # Nothing can be done about it, nor about the end of a DLL's process.
                with suppress(MinidriverError, ScardError, VreaderError):
                    minidriver.CardDeleteContext()
        finally:
            self._connection.drop()
            self.authenticated.clear()

    def _lose(self) -> None:
        self._drop()
        self._connection.release()
        self.lost()

    def close(self) -> None:
        """End the transaction, delete the context, disconnect. May be called twice."""
        with self._lock:
            try:
                self.end_transaction()
            finally:
                try:
                    self._drop()
                finally:
                    self._connection.release()


def _nothing() -> None:
    pass
