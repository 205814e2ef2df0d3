# SPDX-License-Identifier: Apache-2.0
"""Our end of the channel to a helper process; :mod:`vreader.world.helper` is the other one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping

from vreader.bridge.control.client import checked
from vreader.errors import UsageError, VreaderError

ANSWER_S = 90.0
"""How long a request may take; a private pcscd is given a third of it to come up."""
STOP_S = 10.0
_CHUNK = 65536


class HelperProcess:
    """One helper process, from its start to its end.

    It ends when this process does, however that ends. It is used from the process that has started
    it, by any thread.

    Attributes:
        pid: its number.
        closed: whether we have ended it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._count = 0
        self._buffer = b""
        self.closed = False
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(ANSWER_S)
        with theirs:
            self._process = subprocess.Popen(
                # -P: a directory called cards where the user is does not hide ours.
                [sys.executable, "-P", "-m", "vreader.world.helper"],
                stdin=theirs.fileno(),
                # An interrupt typed at the terminal is for us: it may end a test, not the cards.
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def check_owner(self) -> None:
        """Raise VreaderError in a child that this process has forked."""
        if os.getpid() != self._owner:
            raise VreaderError(
                "a world belongs to the process that has made it",
                hint="give a child process the world's environment; it cannot insert or remove",
            )

    def ask(self, request: Mapping[str, object]) -> dict[str, object]:
        """Send a request, return its reply.

        Raises:
            VreaderError: the process has ended, or refuses.
        """
        self.check_owner()
        with self._lock:
            self._count += 1
            line = _line({"id": self._count, "cwd": _here(), **request})
            try:
                self._channel.sendall(line)
                reply = self._reply(self._count)
            except TimeoutError:
                self._kill()
                raise VreaderError(
                    f"the helper process gave no answer for {ANSWER_S:.0f} s, and was ended",
                    hint="does a card of your own take for ever?",
                ) from None
            except OSError:
                raise self._ended() from None
        return checked(reply)

    def _reply(self, number: int) -> dict[str, object]:
        """Return the reply to a request; one to another request was given up before it came."""
        while True:
            while b"\n" not in self._buffer:
                chunk = self._channel.recv(_CHUNK)
                if not chunk:
                    raise ConnectionError
                self._buffer += chunk
            line, _, self._buffer = self._buffer.partition(b"\n")
            reply: dict[str, object] = json.loads(line)
            if reply["id"] == number:
                return reply

    def close(self) -> None:
        """End it and its worlds. May be called twice; does nothing in a forked child."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self.closed = True
            self._channel.close()
            self._wait()

    def _wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            return self._kill()

    def _kill(self) -> int:
        self._process.kill()
        return self._process.wait()

    def _ended(self) -> VreaderError:
        """Make the error that tells how it has ended."""
        code = self._wait()
        how = f"killed by {_signal(-code)}" if code < 0 else f"exit code {code}"
        return VreaderError(
            f"the helper process that held this world has ended ({how})",
            hint="its last words are on standard error; the next world starts another one",
        )


def _line(request: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(request).encode() + b"\n"
    except TypeError:
        raise UsageError(
            "a world in a helper process takes texts and numbers",
            hint="give what a pinpad types as text, or use stack='in-process'",
        ) from None


def _here() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
