# SPDX-License-Identifier: Apache-2.0
"""What a process of Windows keeps for its smart cards: loaded modules, PINs, its own data cache.

PINs are those of the normal and the timed policy, by logon session, card and PIN; a timed one is
looked at when it is used and then is too old or not (WDK "Card PIN Operations").
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, Self

from vreader.clock import Clock
from vreader.errors import VreaderError
from vreader.minidriver.abi.pins import PinCache
from vreader.minidriver.abi.structs import PIN_CACHE_POLICY
from vreader.minidriver.module import DllReason, Module


class KeptPin(NamedTuple):
    """A PIN of the cache; ``session`` says that it is a session PIN."""

    value: bytes
    session: bool
    until: float | None


class HostProcess:
    """One process.

    Args:
        clock: tells when a timed PIN is too old.
        logon: of its logon session; PINs of another one are not found.

    Attributes:
        session_data: the data cache of cards that allow one for the session alone: card and name →
            freshness counter and content.
    """

    def __init__(self, clock: Clock, logon: Hashable = 0) -> None:
        self.logon = logon
        self.session_data: dict[tuple[bytes, str], tuple[int, bytes]] = {}
        self._clock = clock
        self._pins: dict[tuple[Hashable, bytes, int], KeptPin] = {}
        self._modules: list[Module] = []

    # ------------------------------------------------------------------ modules

    def load(self, module: Module) -> None:
        """LoadLibrary: DllMain is told once a process; raises VreaderError when it refuses."""
        if any(loaded is module for loaded in self._modules):
            return
        if not module.DllMain(DllReason.PROCESS_ATTACH):
            raise VreaderError(
                "the minidriver's DllMain refuses to be loaded (ERROR_DLL_INIT_FAILED)",
                hint="let DllMain return True for DLL_PROCESS_ATTACH",
            )
        self._modules.append(module)

    @contextmanager
    def thread(self) -> Iterator[None]:
        """Be a thread that begins now and ends: modules loaded meanwhile are told of its end alone.

        What DllMain returns counts for nothing here (Windows, "DllMain entry point").
        """
        for module in self._modules[:]:
            module.DllMain(DllReason.THREAD_ATTACH)
        try:
            yield
        finally:
            for module in self._modules[::-1]:
                module.DllMain(DllReason.THREAD_DETACH)

    def in_thread(self, work: Callable[[], None]) -> None:
        """Run on a new thread: a card works there, and a clock's thread must not wait."""

        def attached() -> None:
            with self.thread():
                work()

        threading.Thread(target=attached, name="idle transaction", daemon=True).start()

    def close(self) -> None:
        """End the process: modules are told, last one first; PINs are forgotten."""
        self._pins.clear()
        self.session_data.clear()
        with ExitStack() as told:  # every one, whatever another raises
            for module in self._modules:
                told.callback(module.DllMain, DllReason.PROCESS_DETACH)
            self._modules.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ------------------------------------------------------------------ PINs

    def keep_pin(
        self, card: bytes, pin_id: int, value: bytes, policy: PIN_CACHE_POLICY, *, session: bool
    ) -> None:
        """Keep a PIN that was right, if its policy allows it and the card has an identifier.

        Without one it could be presented to another card, which would count it as a wrong try.
        """
        kind = policy.PinCachePolicyType
        if not card or kind not in (PinCache.NORMAL, PinCache.TIMED):
            return
        seconds = policy.dwPinCachePolicyInfo
        until = self._clock.now() + seconds if kind == PinCache.TIMED else None
        self._pins[self.logon, card, pin_id] = KeptPin(value, session, until)

    def kept_pin(self, card: bytes, pin_id: int) -> KeptPin | None:
        """Return a PIN that is kept and not too old."""
        found = self._pins.get((self.logon, card, pin_id))
        if found is None or found.until is None or self._clock.now() < found.until:
            return found
        self.forget_pin(card, pin_id)
        return None

    def forget_pin(self, card: bytes, pin_id: int) -> None:
        """Forget a PIN that is wrong, changed or too old."""
        self._pins.pop((self.logon, card, pin_id), None)

    def forget_card(self, card: bytes) -> None:
        """Forget the data of a card that is gone. Its PINs stay: it may come back."""
        for key in [key for key in list(self.session_data) if key[0] == card]:
            self.session_data.pop(key, None)  # other threads of the process forget as well
