# SPDX-License-Identifier: Apache-2.0
"""The machine of a check: one reader, a fresh card in it, the minidriver loaded.

The transaction is held for the minidriver, as a host does. Contexts are of the settings' current
version unless the check says otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from vreader.host import Host
from vreader.host.reader import HostReader
from vreader.host.scard import ScardApi
from vreader.minidriver.callbacks import ALL_CALLBACKS, CardData
from vreader.minidriver.certify.check import Failed
from vreader.minidriver.certify.csp import Callbacks
from vreader.minidriver.certify.settings import Settings
from vreader.minidriver.certify.subject import Meddler, Subject
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import DllReason, Module
from vreader.winscard.profile import WINDOWS


class Machine:
    """One machine, which ``close`` shuts down.

    Attributes:
        subject, settings: as given.
        host, reader, api, card: the machine's.
        module: the minidriver as loaded.
        handle: (hSCardCtx, hScard) of the program.
        callbacks: the program's, as a host.
    """

    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings
        self.host = Host(WINDOWS)
        self._cards: list[Meddler] = []
        try:
            self.reader, self.card = self.insert("Certification")
            self.api = ScardApi(self.host)
            self.callbacks = Callbacks()
            self.module: Module = subject.load(self.api)
            if not self.module.DllMain(DllReason.PROCESS_ATTACH):
                raise Failed("DllMain refuses to be loaded")
            # Windows resets a card in whose transaction nothing happens for 5 seconds: a DLL may
            # take as long to load.
            self.handle = self.connect()
            self.api.SCardBeginTransaction(self.handle[1])
        except BaseException:
            self.close()
            raise

    def insert(self, name: str) -> tuple[HostReader, Meddler]:
        """Return one more reader, and the fresh card in it."""
        reader = self.host.add_reader(name)
        card = Meddler(self.subject.card())
        self._cards.append(card)
        reader.insert(card)
        return reader, card

    def close(self) -> None:
        """Unload the minidriver, shut the machine down."""
        try:
            close = getattr(getattr(self, "module", None), "close", None)
            if callable(close):
                close()
        finally:
            self.host.close()
            for card in self._cards:
                card.close()

    def connect(self) -> tuple[int, int]:
        """Return (hSCardCtx, hScard) of one more program."""
        context = self.api.SCardEstablishContext()
        return context, self.api.SCardConnect(context, self.reader.name)[0]

    def data(self, **changes: Any) -> CardData:  # noqa: ANN401 - members of CardData
        """Return what a host fills into CARD_DATA."""
        context, card = changes.pop("handle", self.handle)
        filled: dict[str, Any] = {
            "version": self.settings.current_version,
            "atr": self.api.SCardStatus(self.handle[1]).atr if "atr" not in changes else b"",
            "card_name": self.subject.card_name,
            "context": context,
            "card": card,
            "host": self.callbacks,
            "callbacks": ALL_CALLBACKS,
        }
        return CardData(**(filled | changes))

    def acquire(self, **changes: Any) -> Minidriver:  # noqa: ANN401 - members of CardData
        """Make a context."""
        made: object = self.module.CardAcquireContext(self.data(**changes), 0)
        if not isinstance(made, Minidriver):
            raise Failed(f"CardAcquireContext returned {type(made).__name__}, not a Minidriver")
        return made

    @cached_property
    def md(self) -> Minidriver:
        """The context most checks work with."""
        return self.acquire()

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """End the transaction for a while."""
        self.api.SCardEndTransaction(self.handle[1])
        yield
        self.api.SCardBeginTransaction(self.handle[1])
