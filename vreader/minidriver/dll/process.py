# SPDX-License-Identifier: Apache-2.0
"""mdhost in a process of its own: one request at a time, each with a time-out.

What the DLL does to its process ends there: a crash, a hang or an end in the middle of a call is an
error with the reason, and the next request starts a new process.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any, Final

from vreader.errors import VreaderError
from vreader.minidriver.abi.returncodes import name_of

_END_TIMEOUT_S: Final = 5.0
_STDERR_SHOWN: Final = 500
_CRASHES: Final = {
    0xC0000005: "access violation",
    0xC000001D: "illegal instruction",
    0xC0000094: "division by zero",
    0xC00000FD: "stack overflow",
    0xC0000374: "heap corruption",
    0x80000003: "breakpoint",
}

Answer = Callable[[dict[str, Any]], tuple[int, bytes]]


class DllError(VreaderError):
    """The DLL's process crashed, hangs or broke off; the message says in which call and how.

    Attributes:
        hangs: no answer came in time.
    """

    hangs = False


class HostProcess:
    """One mdhost under Wine.

    Args:
        words: the command.
        environment: of the process.
        answer: answers its callbacks: a code, and bytes.
    """

    def __init__(
        self,
        words: list[str],
        environment: dict[str, str],
        answer: Answer,
    ) -> None:
        self._answer = answer
        self._buffer = b""
        self._errors = os.memfd_create("mdhost stderr", os.MFD_CLOEXEC)
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
                start_new_session=True,  # so that what it starts ends with it
            )
        except OSError as error:
            os.close(self._errors)
            raise VreaderError(f"cannot run {words[0]}: {error.strerror or error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None and not self._from.closed

    def ask(self, request: dict[str, Any], what: str, timeout_s: float) -> dict[str, Any]:
        """Make a request and return the reply.

        Args:
            request: one line.
            what: the call, for errors.
            timeout_s: how long the process may be silent.

        Raises:
            DllError: the process crashed, hangs or ended; it is gone then.
        """
        try:
            self._write(request)
            while True:
                reply = self._line(what, timeout_s)
                if "crash" in reply:
                    raise DllError(_crash(reply, what))
                if "callback" not in reply:
                    break
                code, data = self._answer(reply)
                self._write({"r": code, "hex": data.hex()})
        except OSError:
            failure = self._ended(what)
            self.kill()
            raise failure from None
        except BaseException:
            self.kill()
            raise
        if "error" in reply:
            raise DllError(f"{what}: {reply['error']}")
        return reply

    def _write(self, message: dict[str, Any]) -> None:
        self._to.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self._to.flush()

    def _line(self, what: str, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                if line:
                    break
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                error = DllError(f"{what} hangs: no answer in {timeout_s:g} s")
                error.hangs = True
                raise error
            part = os.read(self._from.fileno(), 1 << 16)
            if not part:
                raise self._ended(what)
            self._buffer += part
        try:
            reply = json.loads(line)
        except ValueError:
            reply = None
        if not isinstance(reply, dict):
            raise DllError(f"{what}: the process that loads the DLL wrote {line[:80]!r}")
        return reply

    def _ended(self, what: str) -> DllError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_TIMEOUT_S)
        code = self._process.returncode
        told = os.pread(self._errors, 1 << 16, 0).decode(errors="replace").strip()
        how = "its process ended" if code is None else f"its process ended with code {code}"
        return DllError(f"{what}: {how}" + (f": {told[-_STDERR_SHOWN:]}" if told else ""))

    def close(self) -> None:
        """End it, by its standard input; what does not end is killed."""
        if self.alive:
            with contextlib.suppress(OSError):
                self._to.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_TIMEOUT_S)
        self.kill()

    def kill(self) -> None:
        """End it at once, with all that it started. May be called twice."""
        if self._from.closed:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        with contextlib.suppress(OSError):
            self._to.close()
        self._from.close()
        os.close(self._errors)


def _crash(reply: dict[str, Any], what: str) -> str:
    code = int(reply["crash"])
    kind = _CRASHES.get(code, name_of(code))
    return f"{what} crashed: {kind} (0x{code:08X}) in {reply['in']} at +0x{reply['offset']:X}"
