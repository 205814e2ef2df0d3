# SPDX-License-Identifier: Apache-2.0
"""What Base CSP and KSP hold for one card: its context, caches, PINs, containers and keys."""

from collections.abc import Callable
from typing import Self, TypeVar

from vreader.clock import Clock
from vreader.host.scard import ScardApi
from vreader.minidriver.abi.carddata import CURRENT_VERSION
from vreader.minidriver.abi.codes import CacheMode
from vreader.minidriver.abi.files import CARD_ID
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.host.callbacks import Callbacks
from vreader.minidriver.host.connection import GONE, RESET
from vreader.minidriver.host.containers import Containers
from vreader.minidriver.host.datacache import DataCache
from vreader.minidriver.host.files import Files
from vreader.minidriver.host.keys import Keys
from vreader.minidriver.host.pins import Pins
from vreader.minidriver.host.policy import HostPolicy
from vreader.minidriver.host.process import HostProcess
from vreader.minidriver.host.prompt import ENGLISH, PinRequest, Prompt, ask, purpose_text
from vreader.minidriver.host.session import Session
from vreader.minidriver.module import Module
from vreader.registry.view import View
from vreader.winscard.cardtypes import CardTypes

T = TypeVar("T")
_DWORD = 4


class BaseCsp:
    """A host for the card in one reader.

    What changes the card or uses its keys is done through :meth:`run`, which holds the card's
    transaction; :class:`~vreader.minidriver.host.provider.CryptoProvider` does that.

    Args:
        api: the SCard functions of the machine.
        reader: the reader's name.
        module: the minidriver; perhaps one that is :class:`~vreader.minidriver.traced.Traced`.
        card_name: of the card, as its Calais entry is named.
        clock: of the machine.
        prompt: asks for PINs; nobody can be asked without it.
        view: the registry, for policy and the texts of prompts; all defaults without it.
        policy: instead of the registry's.
        process: that the host is in; one of its own by default.
        ksp: do as the KSP does, else as the CSP.
        silent: CRYPT_SILENT: never ask.
        text: the application's string that a prompt shows.
        window: HWND that a prompt belongs to.
        language: of the person, for the texts of the registry.
        version: of CARD_DATA that is asked for.
        background: runs the end of an idle transaction; by default on a new thread of the process,
            of which the minidriver's DllMain is told.

    Raises:
        VreaderError: the module's DllMain refuses.

    Attributes:
        session: calls and transaction.
        cache, files, pins, containers, keys: the card's.
        process: that the host is in.
        policy: what the administrator has set.
    """

    def __init__(
        self,
        api: ScardApi,
        reader: str,
        module: Module,
        card_name: str,
        *,
        clock: Clock,
        prompt: Prompt | None = None,
        view: View | None = None,
        policy: HostPolicy | None = None,
        process: HostProcess | None = None,
        ksp: bool = True,
        silent: bool = False,
        text: str = "",
        window: int = 0,
        language: str = ENGLISH,
        version: int = CURRENT_VERSION,
        background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        if policy is None:
            policy = HostPolicy() if view is None else HostPolicy.read(view, ksp=ksp)
        self.policy = policy
        self._own_process = process is None
        self.process = HostProcess(clock) if process is None else process
        self.process.load(module)
        self._prompt = prompt
        self._view = view
        self._language = language
        self.cache = DataCache(api, self.process)
        callbacks = Callbacks(self.cache, oaep=ksp)
        self.session = Session(
            api,
            reader,
            module,
            card_name,
            clock=clock,
            callbacks=callbacks,
            timeout_ms=policy.timeout_ms,
            version=version,
            background=self.process.in_thread if background is None else background,
        )
        self.session.fresh = self.cache.begin
        self.session.acquired = self._acquired
        self.session.lost = self._lost
        self.files = Files(self.session, self.cache)
        self.pins = Pins(self.session, self.files, self.cache, self.process, self._ask)
        self.pins.silent = silent
        self.pins.text = text
        self.pins.window = window
        self.containers = Containers(self.session, self.files, self.cache)
        self.keys = Keys(self.session, callbacks, ksp=ksp)
        self.ksp = ksp

    def run(self, work: Callable[[], T]) -> T:
        """Do something in the card's transaction; a context is acquired where there is none."""
        return self.session.run(work)

    def _acquired(self) -> None:
        """Learn what a host must know before it caches anything."""
        self.cache.begin()
        self.cache.context = self.session.scard_context
        self.cache.mode = self._number(CardProperty.CACHE_MODE, CacheMode.GLOBAL_CACHE)
        self.files.read_only = bool(self._number(CardProperty.READ_ONLY, 0))
        try:
            self.cache.card = bytes(self.session.call("CardReadFile", None, CARD_ID, 0))
        except MinidriverError as error:
            if error.code in GONE | RESET:
                raise
            self.cache.card = b""  # a card without an identifier is not cached

    def _number(self, name: str, default: int) -> int:
        """Return a property of the card; before version 6, or without it, the default."""
        try:
            raw = self.session.call("CardGetProperty", name, bytes(_DWORD), 0)
        except MinidriverError as error:
            if error.code in GONE | RESET:
                raise
            return default
        return int.from_bytes(raw[:_DWORD], "little")

    def _lost(self) -> None:
        self.process.forget_card(self.cache.card)
        self.cache.begin()

    def _ask(self, pin_id: int, info: PIN_INFO, attempts: int | None) -> bytes:
        entry = None
        if self._view is not None:
            entry = CardTypes(self._view).find(self.session.card_name)
        overrides = () if entry is None else entry.prompts
        return ask(
            self._prompt,
            PinRequest(
                self.session.reader,
                self.session.card_name,
                pin_id,
                info,
                self.pins.text,
                purpose_text(info.PinPurpose, overrides, self._language),
                attempts,
            ),
        )

    def close(self) -> None:
        """Delete the context; a process of its own ends too. May be called twice."""
        try:
            self.session.close()
        finally:
            if self._own_process:
                self.process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
