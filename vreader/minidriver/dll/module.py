# SPDX-License-Identifier: Apache-2.0
"""A minidriver DLL for Windows as a module: loaded by mdhost under Wine, in a process of its own.

Its winscard calls reach the resource manager of the machine through a door of the module's own, so
that hSCardCtx and hScard of CARD_DATA mean the same on both sides.
"""

import os
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

from vreader.bridge.winscard_tcp.door import WinscardTcpDoor
from vreader.errors import UsageError, VreaderError
from vreader.host.scard import ScardApi
from vreader.minidriver.abi.carddata import CARD_DATA
from vreader.minidriver.abi.codes import NO_CARD_MODE
from vreader.minidriver.abi.functions import ACQUIRE_CONTEXT
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData, HostCallbacks
from vreader.minidriver.dll import callbacks
from vreader.minidriver.dll.context import DllMinidriver
from vreader.minidriver.dll.frame import Frame, Result, utf16
from vreader.minidriver.dll.pe import check_dll
from vreader.minidriver.dll.process import DllError, HostProcess
from vreader.minidriver.dll.toolchain import HOST, SAMPLE, WINSCARD, build
from vreader.minidriver.dll.wine import prefix
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import DllReason, Module

# Less than a check of the certification may take: it is then told which call hangs.
TIMEOUT_S: Final = 15.0


class Finding(NamedTuple):
    """Something the DLL did that no host forgives.

    Attributes:
        kind: ``leak``, ``overrun``, ``foreign free``, ``double free``, ``use after free``,
            ``foreign memory``, ``length``, ``input`` (changed), ``output`` (not NULL after a
            failure), ``cache``, ``host member``, ``version`` or ``process`` (a crash, a hang).
        text: what and where.
    """

    kind: str
    text: str


class RefusedError(UsageError):
    """DllMain says that the DLL does not want to be loaded."""


class DllModule(Module):
    """A minidriver DLL.

    Args:
        path: the DLL, for x64.
        api: the SCard functions of the machine.
        timeout_s: for each call, after which it hangs.

    Attributes:
        timeout_s: as given; it may be changed.
        findings: what was found so far, in order.
        exports: of the DLL, once it is loaded: those that a minidriver may have.

    Raises:
        UsageError: the file is no DLL for x64, or Wine or mingw is missing.
        VreaderError: our programs cannot be compiled, or Wine does not run.

    Calls fail with DllError when the process crashes, hangs or ends. The next CardAcquireContext
    starts a new one; contexts of the old one are gone.
    """

    def __init__(self, path: str, api: ScardApi, *, timeout_s: float = TIMEOUT_S) -> None:
        check_dll(path)
        self.path = Path(path).absolute()
        self.findings: list[Finding] = []
        self.exports: frozenset[str] = frozenset()
        self.timeout_s = timeout_s
        self._lock = threading.RLock()
        self._process: HostProcess | None = None
        self._detached = False
        self._generation = 0
        self._hosts: dict[int, HostCallbacks] = {}
        self._acquiring: HostCallbacks | None = None
        # Windows looks for winscard.dll beside the program.
        self._program = build(HOST, WINSCARD) / HOST.file
        self._prefix = prefix()
        self._door = WinscardTcpDoor(api.host)

    def close(self) -> None:
        """Unload the DLL and end what was started for it. May be called twice."""
        with self._lock:
            if self._process is not None:
                try:
                    if self._process.alive:
                        self._ask({"op": "unload"}, "FreeLibrary")
                except DllError:
                    pass  # it is among the findings
                if self._process is not None:
                    self._process.close()
                self._process = None
            self._door.close()

    # ------------------------------------------------------------------ what it exports

    def DllMain(self, reason: DllReason) -> bool:
        """Load the DLL, which calls its DllMain, or unload it; threads come by themselves.

        A host may still delete its contexts when it goes: the DLL is unloaded after the last one.

        Returns:
            False where DllMain refuses.
        """
        if reason is DllReason.PROCESS_ATTACH:
            with self._lock:
                try:
                    self._running()
                except RefusedError:
                    return False
        elif reason is DllReason.PROCESS_DETACH:
            with self._lock:
                self._detached = True
                self._unload_if_unused()
        return True

    def CardAcquireContext(self, data: CardData | None, flags: int) -> Minidriver:
        """See Module. A DLL that does not export it is an error."""
        with self._lock:
            process = self._running()
            if ACQUIRE_CONTEXT.name not in self.exports:
                raise DllError(f"{self.path.name} does not export {ACQUIRE_CONTEXT.name}")
            self._acquiring = None if data is None else data.host
            try:
                reply = self._ask(acquire_request(data, flags), ACQUIRE_CONTEXT.name, process)
            finally:
                self._acquiring = None
            if reply["r"]:
                raise MinidriverError(int(reply["r"]))
            if data is None:
                raise DllError("CardAcquireContext succeeds without CARD_DATA")
            number = int(reply["context"])
            self._hosts[number] = data.host
            card_data = CARD_DATA.decode(bytes.fromhex(reply["carddata"]).ljust(512, b"\0"))
            context = _Calls(self, self._generation)
            return DllMinidriver(context, number, data, card_data, bool(flags & NO_CARD_MODE))

    def register(self) -> int:
        """Call DllRegisterServer and return what it returns, an HRESULT; 0 is success."""
        return self._export("DllRegisterServer")

    def unregister(self) -> int:
        """Call DllUnregisterServer and return what it returns."""
        return self._export("DllUnregisterServer")

    def _export(self, name: str) -> int:
        with self._lock:
            process = self._running()
            if name not in self.exports:
                raise UsageError(
                    f"{self.path.name} does not export {name}",
                    hint="modules of version 5 and later are registered by an INF",
                )
            return int(self._ask({"op": "export", "name": name}, name, process)["r"])

    # ------------------------------------------------------------------ the process

    def call(self, generation: int, context: int, name: str, at: int, frame: Frame) -> Result:
        """Make a call of a context; raises DllError, also for one of a process that has ended."""
        with self._lock:
            process = self._process
            if generation != self._generation or process is None or not process.alive:
                raise DllError(f"{name}: the process of this context has ended")
            request = {"op": "call", "context": context, "name": name, "at": at}
            result = Result(self._ask(request | frame.request(), name))
            if name == "CardDeleteContext" and not result.code:
                self._hosts.pop(context, None)
                self._unload_if_unused()
            return result

    def _unload_if_unused(self) -> None:
        process = self._process
        if not self._detached or self._hosts or process is None:
            return
        if process.alive:
            self._ask({"op": "unload"}, "FreeLibrary")
            process.close()
        self._process = None

    def _running(self) -> HostProcess:
        """Return the process with the DLL loaded, a new one where it has ended."""
        if self._process is not None and self._process.alive:
            return self._process
        self._hosts.clear()
        self._detached = False
        self._generation += 1
        self._process = process = HostProcess(
            [self._prefix.wine, str(self._program)],
            self._prefix.environment() | {"VREADER_WINSCARD": self._door.address},
            self._answer,
        )
        path = utf16("Z:" + str(self.path).replace("/", "\\"))
        reply = self._ask({"op": "load", "path": path.hex()}, "LoadLibrary", process)
        if reply["r"]:
            process.close()
            self._process = None
            code = int(reply["r"])
            kind: type[VreaderError] = RefusedError if code == _REFUSED else UsageError
            if code == _CRASHED:
                kind = DllError
                self.findings.append(Finding("process", _load_error(code)))
            raise kind(f"{self.path.name} cannot be loaded: {_load_error(code)}")
        self.exports = frozenset(reply["exports"])
        return process

    def _ask(
        self, request: dict[str, Any], what: str, process: HostProcess | None = None
    ) -> dict[str, Any]:
        process = process or self._process
        assert process is not None
        try:
            reply = process.ask(request, what, self.timeout_s)
        except DllError as error:
            self.findings.append(Finding("process", str(error)))
            raise
        self.findings += [Finding(one["kind"], one["text"]) for one in reply["findings"]]
        return reply

    def _answer(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        host = self._acquiring or self._hosts.get(int(asked["context"]))
        return callbacks.answer(host, asked)


class _Calls(NamedTuple):
    """The calls of the contexts of one process."""

    module: DllModule
    generation: int

    def call(self, context: int, name: str, at: int, frame: Frame) -> Result:
        """See Caller."""
        return self.module.call(self.generation, context, name, at, frame)


def sample_dll() -> str:
    """Return the path of our own minimal minidriver, compiled where it was not yet."""
    return os.fspath(build(SAMPLE) / SAMPLE.file)


def acquire_request(data: CardData | None, flags: int) -> dict[str, Any]:
    """Return the request for CardAcquireContext."""
    request: dict[str, Any] = {"op": "acquire", "flags": flags}
    if data is None:
        return request
    return request | {
        "data": True,
        "version": data.version,
        "atr": None if data.atr is None else data.atr.hex(),
        "name": None if data.card_name is None else utf16(data.card_name).hex(),
        "hctx": data.context,
        "hcard": data.card,
        "callbacks": sorted(data.callbacks),
    }


_REFUSED: Final = 1114
_CRASHED: Final = 998
_LOAD_ERRORS: Final[dict[int, str]] = {
    126: "a DLL it needs is missing (ERROR_MOD_NOT_FOUND)",
    127: "a function it needs is missing (ERROR_PROC_NOT_FOUND)",
    193: "Wine cannot load such a file (ERROR_BAD_EXE_FORMAT)",
    _CRASHED: "its DllMain crashes (ERROR_NOACCESS)",
    _REFUSED: "its DllMain refuses (ERROR_DLL_INIT_FAILED)",
}


def _load_error(code: int) -> str:
    return _LOAD_ERRORS.get(code, f"error {code}")
