# SPDX-License-Identifier: Apache-2.0
"""What every SCard* function begins with: the service, a context, a card handle."""

import threading

from vreader.host.host import Host
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.manager import ResourceManager
from vreader.winscard.model import CardHandle, Context


class Wait:
    """One SCardGetStatusChange in progress."""

    __slots__ = ("cancelled", "context", "woken")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.cancelled = False
        self.woken = threading.Event()


class ScardFunctions:
    """The numbers applications hold, and what is behind them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waits: set[Wait] = set()

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

    def _wake(self, context: Context) -> None:
        """Have the waits of a context look again."""
        for wait in list(self._waits):
            if wait.context is context:
                wait.woken.set()
