# SPDX-License-Identifier: Apache-2.0
"""Our end of the channel to a supervisor process (:mod:`vreader.bridge.vpcd.supervisor`)."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vreader.bridge.vpcd.supervisor import MESSAGE_SIZE, Config
from vreader.errors import VreaderError

REPLY_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 10.0
# Without -I and -S the supervisor would spend its time on site-packages.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from vreader.bridge.vpcd.supervisor import main; main()"
)
_ROOT = Path(__file__).resolve().parents[3]


class NoNamespaces(Exception):  # noqa: N818 - a fact about this machine
    """The supervisor was refused namespaces; the text says why."""


class Supervisor:
    """Our end of the channel to a supervisor process; see its module for the messages."""

    def __init__(self, config: Config) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(REPLY_TIMEOUT_S)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, str(_ROOT)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                # An interrupt typed at the terminal is for us alone; we decide about the rest.
                start_new_session=True,
            )
        try:
            answer, _ = self.ask(config)
            if "refused" in answer:
                raise NoNamespaces(answer["refused"])
            if "error" in answer:
                raise VreaderError(
                    f"no private pcscd: {answer['error']}",
                    hint="see whether the directory for temporary files can be written",
                )
        except BaseException:
            self.stop()
            raise
        self.directory = str(answer["directory"])

    def ask(self, request: Mapping[str, object]) -> tuple[Mapping[str, Any], list[int]]:
        """Send one request; return its answer and the descriptors that came with it.

        Raises:
            VreaderError: the supervisor has ended.
        """
        with self._lock:
            try:
                self._channel.send(json.dumps(request).encode())
                message, fds, _, _ = socket.recv_fds(self._channel, MESSAGE_SIZE, 1)
                for fd in fds:  # recv_fds drops its flags, MSG_CMSG_CLOEXEC among them
                    os.set_inheritable(fd, False)
            except OSError:
                # A late answer could be taken for that of the next request.
                self._channel.close()
                message, fds = b"", []
        if not message:
            raise VreaderError(
                "the process that supervises the private pcscd has ended",
                hint="something killed it; start again",
            )
        return json.loads(message), fds

    def stop(self) -> None:
        """End of file is the signal; kill only what does not heed it."""
        self._channel.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
