# SPDX-License-Identifier: Apache-2.0
"""The place of pyscard's compiled part, and who stands there for whom.

A handle is answered for by the resource manager it came from, whoever is in the place now: a
monitor of real readers that was there before goes on as if nothing was. What makes a new context
gets one of the innermost world.
"""

import gc
import sys
import threading
from collections.abc import Callable
from types import BuiltinFunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from vreader.bridge.pyscard import singletons
from vreader.bridge.pyscard.functions import Functions
from vreader.bridge.pyscard.gone import Gone
from vreader.bridge.pyscard.numbers import Numbers
from vreader.errors import UsageError

if TYPE_CHECKING:
    from vreader.host.scard import ScardApi

_END_S = 5.0


class Level:
    """One stand-in: its functions, and the singletons that were there before it."""

    def __init__(self, api: "ScardApi", numbers: Numbers) -> None:
        self.functions: Functions | Gone = Functions(api, numbers)
        self.before: singletons.Kept = {}
        self.guests: list[int] = []


class Seam:
    """Where pyscard looks for its compiled part.

    Args:
        scard: the module ``smartcard.scard.scard``.
    """

    def __init__(self, scard: ModuleType) -> None:
        self.scard = scard
        self._native = scard._scard
        self._numbers = Numbers(self._native)
        self._lock = threading.RLock()
        self._levels: list[Level] = []
        self._owners: dict[int, Level] = {}
        self._homes: dict[int, list[Level]] = {}
        self._module = self._make_module()

    # ------------------------------------------------------------------ coming and going

    def enter(self, api: "ScardApi") -> Level:
        """Put a resource manager in the place."""
        level = Level(api, self._numbers)
        with self._lock:
            # Monitors from before make contexts, too: where they are at home.
            level.guests = [*singletons.homes(singletons.present())]
            self._homes.update(dict.fromkeys(level.guests, self._levels[-1:]))
            level.before = singletons.exchange({})
            self._levels.append(level)
            self.scard.__dict__["_scard"] = self._module
        return level

    def leave(self, level: Level) -> None:
        """Take a resource manager from the place, whichever is innermost now."""
        functions = level.functions
        assert isinstance(functions, Functions)
        innermost = level is self._levels[-1]
        own = singletons.present() if innermost else self._above(level).before
        singletons.stop(own, functions.cancel_waits)
        with self._lock:
            if level is self._levels[-1]:
                singletons.exchange(level.before)
            else:
                self._above(level).before = level.before
            self._levels.remove(level)
            for guest in level.guests:
                self._homes.pop(guest, None)
            level.functions = Gone(self._numbers, functions, self._given_back)
        functions.end(_END_S)
        self._forget(level, functions)

    def _above(self, level: Level) -> Level:
        return self._levels[self._levels.index(level) + 1]

    def _forget(self, level: Level, functions: Functions) -> None:
        """Forget the handles of a level, but those that an object will try to give back."""
        handles = {*functions.contexts, *functions.cards}
        held = _take_from_objects(handles) if handles else set()
        with self._lock:
            owned = [handle for handle, of in list(self._owners.items()) if of is level]
            for handle in owned:
                if functions.cards.get(handle, handle) not in held:
                    del self._owners[handle]
            self._clear()

    def _given_back(self, handle: int) -> None:
        with self._lock:
            self._owners.pop(handle, None)
            self._clear()

    def _clear(self) -> None:
        """Leave the place to pyscard's own where nothing of ours is left."""
        if not self._levels and not self._owners:
            self.scard.__dict__["_scard"] = self._native

    # ------------------------------------------------------------------ the module in the place

    def _make_module(self) -> ModuleType:
        module = ModuleType(self._native.__name__, "vreader in the place of pyscard's own.")
        module.__dict__.update(
            {name: value for name, value in vars(self._native).items() if name[:2] != "__"}
        )
        for name in dir(Functions):
            if name.startswith("SCard"):
                setattr(module, name, self._routed(name))
        module.__dict__.update(SCardEstablishContext=self._establish, SCardConnect=self._connect)
        return module

    def _routed(self, name: str) -> Callable[..., Any]:
        """Return a function that whoever gave the handle answers."""
        owners, levels = self._owners, self._levels
        native = getattr(self._native, name, None)

        def routed(handle: int, *args: object) -> Any:  # noqa: ANN401
            level = owners.get(handle)
            if level is not None:
                return getattr(level.functions, name)(handle, *args)
            # Of before, or no handle at all; pyscard's own knows the one from the other.
            return (native or getattr(levels[-1].functions, name))(handle, *args)

        return routed

    def _establish(self, dwscope: int) -> Any:  # noqa: ANN401 - as pyscard's own
        with self._lock:
            at_home = self._homes.get(singletons.home(), self._levels[-1:])
        if not at_home:
            return self._native.SCardEstablishContext(dwscope)
        (level,) = at_home
        answer: Any = level.functions.SCardEstablishContext(dwscope)
        if not answer[0]:
            self._owners[answer[1]] = level
        return answer

    def _connect(self, hcontext: int, *args: Any) -> Any:  # noqa: ANN401
        level = self._owners.get(hcontext)
        if level is None:
            return self._native.SCardConnect(hcontext, *args)
        answer: Any = level.functions.SCardConnect(hcontext, *args)
        if not answer[0]:
            self._owners[answer[1]] = level
        return answer


def _take_from_objects(handles: set[int]) -> set[int]:
    """Take handles from pyscard's connections and requests: they are not connected any more.

    Returns:
        The contexts that could not be taken: versions before 2.2 release theirs in any case.
    """
    kinds: tuple[Any, ...] = tuple(
        kind
        for name in ("PCSCCardConnection", "PCSCCardRequest")
        if hasattr(
            kind := getattr(sys.modules.get(f"smartcard.pcsc.{name}"), name, None), "__del__"
        )
    )
    left: set[int] = set()
    for thing in gc.get_objects():
        if issubclass(type(thing), kinds) and vars(thing).get("hcontext") in handles:
            if hasattr(thing, "release"):
                thing.hcard = thing.hcontext = None
            else:
                left.add(thing.hcontext)
    return left


_seam: Seam | None = None
_making = threading.Lock()


def the_seam() -> Seam:
    """Return the seam of this process's pyscard; raises UsageError without one."""
    global _seam
    with _making:
        # Programs that forget their modules get a pyscard anew.
        if _seam is None or _seam.scard is not sys.modules.get("smartcard.scard.scard"):
            from vreader.bridge.pyscard.loading import load

            scard = load()
            if isinstance(scard.SCardConnect, BuiltinFunctionType):
                raise UsageError(
                    "this pyscard calls its compiled part directly",
                    hint="install one of PyPI: pip install 'vreader[pcsc]'",
                )
            _seam = Seam(scard)
        return _seam
