# SPDX-License-Identifier: Apache-2.0
"""What every SCard* function begins with: the service, a context, a card handle."""

import threading

from vreader.host.host import Host
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.manager import ResourceManager
from vreader.winscard.model import CardHandle, Context


class Wait:
    """One SCardGetStatusChange in progress.

    Attributes:
        context: whose it is.
        cancelled: it is to end.
        woken: it is to look again.
        told: changes that it was told of; under the host's lock, as ``seen``.
        seen: how many there had been when it looked last.
    """

    __slots__ = ("cancelled", "context", "seen", "told", "woken")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.cancelled = False
        self.woken = threading.Event()
        self.told = self.seen = 0

    def tell(self) -> None:
        """Say that something has changed."""
        self.told += 1
        self.woken.set()


class ScardFunctions:
    """The numbers applications hold, and what is behind them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waits: set[Wait] = set()
        self._looked = threading.Condition()

    @property
    def host(self) -> Host:
        """The computer whose resource manager is called."""
        return self._host

    @property
    def _rm(self) -> ResourceManager:
        rm = self._host.rm
        if rm is None:
            raise ScardError(SCARD.E_NO_SERVICE)
        if rm.stopped is not None:
            raise ScardError(rm.stopped)
        return rm

    def _context(self, number: int) -> Context:
        context = self._rm.contexts.get(number)
        if context is None:
            raise ScardError(SCARD.E_INVALID_HANDLE)
        if not context.valid:
            raise ScardError(context.failure)
        return context

    def _handle(self, number: int) -> CardHandle:
        handle = self._rm.handles.get(number)
        if handle is None:
            raise ScardError(SCARD.E_INVALID_HANDLE)
        return handle

    def wait_until_looked(self, timeout_s: float) -> bool:
        """Wait until everybody who waits for a change has seen what has come of it.

        Between two changes after which all is as before, who waits thus sees the first. False for
        one that has not looked in time: its thread may be stopped.
        """
        with self._looked:
            return self._looked.wait_for(
                lambda: all(wait.seen == wait.told for wait in list(self._waits)), timeout_s
            )

    def _wake(self, context: Context) -> None:
        """Have the waits of a context look again."""
        for wait in list(self._waits):
            if wait.context is context:
                wait.woken.set()
