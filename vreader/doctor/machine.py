# SPDX-License-Identifier: Apache-2.0
"""The machine that is looked at: its files, its programs, its processes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# Daemons live in sbin, which is not on every user's PATH.
_SBIN = "/usr/sbin:/usr/local/sbin:/sbin"
_LISTEN = "0A"


class Process(NamedTuple):
    """A process that is running."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


class Listener(NamedTuple):
    """Somebody who listens on a TCP port: the number of the socket, and whose it is."""

    inode: str
    uid: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look.

    Attributes:
        root: the directory that is ``/`` for files of the system and of processes.
    """

    root: Path = Path("/")

    def path(self, name: str) -> Path:
        """Return an absolute path of the system, below ``root``."""
        return self.root / name.lstrip("/")

    def which(self, program: str) -> str | None:
        """Find a program, daemons too."""
        return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SBIN}")

    def run(self, *command: str, limit_s: float = 3.0) -> tuple[int, str]:
        """Run a program; return its exit code and all it said.

        Raises:
            OSError: it cannot be run.
            TimeoutError: it did not end in time.
        """
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{command[0]} does not end") from None
        return done.returncode, done.stdout.decode(errors="replace")

    def processes(self) -> Iterator[Process]:
        """Yield the processes there are."""
        for directory in self.path("proc").glob("[0-9]*"):
            try:
                yield Process(int(directory.name), (directory / "comm").read_text().strip())
            except (OSError, ValueError):
                continue  # it has ended

    def command(self, process: Process) -> list[str]:
        """Return the command line of a process; empty where it may not be looked at."""
        try:
            line = self.path(f"proc/{process.pid}/cmdline").read_text(errors="replace")
        except OSError:
            return []
        return line.split("\0")

    def daemons(self) -> list[Process]:
        """Return the pcscds that run."""
        found = [process for process in self.processes() if process.name == "pcscd"]
        return [process for process in found if not self._has_ended(process)]

    def _has_ended(self, process: Process) -> bool:
        """Tell whether a process only waits for its parent to ask after it."""
        try:
            fields = self.path(f"proc/{process.pid}/stat").read_text(errors="replace")
        except OSError:
            return False
        return fields.rpartition(")")[2].split()[:1] in (["Z"], ["X"])

    def is_private(self, daemon: Process) -> bool:
        """Tell whether a pcscd is shut in, by a world or a container, or has files of a world."""
        from vreader.privatedir import PREFIX

        try:
            ours, theirs = (
                os.readlink(self.path(f"proc/{pid}/ns/mnt"))  # noqa: PTH115 - it is no path
                for pid in ("self", daemon.pid)
            )
        except OSError:
            return False  # another user's: that of the system, most likely
        return ours != theirs or any(PREFIX in word for word in self.command(daemon))

    def listeners(self, port: int) -> list[Listener]:
        """Return who listens on a TCP port."""
        found = []
        for table in ("tcp", "tcp6"):
            try:
                lines = self.path(f"proc/net/{table}").read_text().splitlines()
            except OSError:
                continue  # no IPv6
            found += [
                Listener(fields[9], int(fields[7]))
                for fields in map(str.split, lines)
                if fields[1].endswith(f":{port:04X}") and fields[3] == _LISTEN
            ]
        return found

    def owner(self, listener: Listener) -> Process | None:
        """Return the process that has a socket; None where it may not be looked at."""
        wanted = f"socket:[{listener.inode}]"
        for process in self.processes():
            try:
                for link in self.path(f"proc/{process.pid}/fd").iterdir():
                    if os.readlink(link) == wanted:  # noqa: PTH115 - it is no path
                        return process
            except OSError:
                continue  # it has ended, or is another user's
        return None


def version_of(path: Path) -> str:
    """Return what the name of a library's file says of its version, or nothing."""
    return path.resolve().name.partition(".so.")[2]
