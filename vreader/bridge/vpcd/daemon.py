# SPDX-License-Identifier: Apache-2.0
# These processes start in milliseconds, without pathlib.
# ruff: noqa: PTH102, PTH106, PTH108, PTH115, PTH123, PTH208
"""A pcscd as a child process: its files, its ports, its life. Standard library only.

It is handed a listening UNIX socket as systemd does it (sd_listen_fds(3)): descriptor 3, announced
by ``LISTEN_FDS`` and ``LISTEN_PID``. So it needs no privilege and its socket path is ours.
"""

import errno
import os
import select
import signal
import socket
import time
from typing import NoReturn

from vreader.bridge.vpcd.namespaces import RUN_DIRECTORY, die_with_parent

TERM_GRACE_S = 2.0
# A pcscd that dies is started again, like a unit of systemd: soon, but not in a tight loop.
RESPAWN_FIRST_S = 0.2
RESPAWN_MAX_S = 5.0
HEALTHY_S = 10.0


def free_ports(count: int) -> int:
    """Return the first of ``count`` consecutive TCP ports nobody uses, below the ephemeral ones."""
    for _ in range(200):
        first = 20000 + int.from_bytes(os.urandom(2), "big") % 12000
        if all(_is_free(first + i) for i in range(count)):
            return first
    raise OSError(errno.EADDRINUSE, "no free TCP ports")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            sock.bind(("", port))
        except OSError:
            return False
    return True


def owns_listener(pid: int, port: int) -> bool:
    """Tell whether process ``pid`` listens on TCP ``port`` of this network namespace."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as lines:
                for fields in map(str.split, lines):
                    if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
                        inodes.add(f"socket:[{fields[9]}]")
        except OSError:
            continue  # no IPv6
    links = f"/proc/{pid}/fd"
    try:
        return any(_target(f"{links}/{fd}") in inodes for fd in os.listdir(links))
    except OSError:
        return False  # it has ended, or is another user's


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""  # closed meanwhile


def write_files(
    directory: str,
    names: list[str],
    channels: list[int],
    library: bytes,
    *,
    devices: list[str] | None = None,
    stem: str = "libifdvpcd",
) -> str:
    """Write the drivers and their reader.conf; return the directory pcscd's ``-c`` wants.

    Args:
        directory: where to write.
        names: FRIENDLYNAME of each stanza.
        channels: CHANNELID of each stanza, a vpcd driver's first port.
        library: the driver; each stanza gets a copy.
        devices: DEVICENAME of each stanza; vpcd's says its port.
        stem: what the copies are called.
    """
    if devices is None:
        devices = [f"/dev/null:0x{port:X}" for port in channels]
    conf = f"{directory}/conf.d"
    os.mkdir(conf, 0o700)
    with open(f"{conf}/vpcd", "w", encoding="utf-8") as file:
        stanzas = zip(names, devices, channels, strict=True)
        for number, (name, device, channel) in enumerate(stanzas):
            copy = f"{directory}/{stem}-{number}.so"
            with open(copy, "wb") as out:
                out.write(library)
            file.write(
                f'FRIENDLYNAME "{name}"\nDEVICENAME {device}\n'
                f"LIBPATH {copy}\nCHANNELID 0x{channel:X}\n\n"
            )
    return conf


def remove_pid_file(*, and_directory: bool) -> None:
    """Remove what a pcscd that has ended leaves in /run/pcscd.

    systemd does that for a pcscd that it starts; here it matters only to root outside namespaces.
    """
    path = f"{RUN_DIRECTORY}/pcscd.pid"
    try:
        with open(path) as file:
            pid = file.read().rstrip("\n\0 ")
        if not _target(f"/proc/{pid}/exe"):  # ended; a zombie has none either
            os.unlink(path)
    except OSError:
        pass  # not there, or somebody else's
    if and_directory:
        try:
            os.rmdir(RUN_DIRECTORY)
        except OSError:
            pass  # another pcscd is using it


class Daemon:
    """pcscd: started with our listening socket, as systemd would, and again when it dies."""

    def __init__(self, command: list[str], listener: socket.socket, log: int) -> None:
        self.pid = 0
        self.ended = ""
        self.times = 0
        self.respawn_at = 0.0
        self._command = command
        self._listener = listener
        self._log = log
        self._started_at = 0.0
        self._delay = RESPAWN_FIRST_S

    def start(self) -> None:
        """Fork and exec."""
        parent = os.getpid()
        self._started_at = time.monotonic()
        self.respawn_at = 0.0
        self.pid = os.fork()
        if self.pid == 0:
            self._become(parent)

    def _become(self, parent: int) -> NoReturn:
        try:
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            null = os.open("/dev/null", os.O_RDONLY)
            # 3 last: it may be the number of one of the others.
            for source, target in ((null, 0), (self._log, 1), (self._log, 2)):
                os.dup2(source, target)
            os.dup2(self._listener.fileno(), 3)
            env = {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
            os.execve(self._command[0], self._command, env)  # noqa: S606 - no shell is meant
        except OSError as error:
            os.write(2, f"{self._command[0]}: {error.strerror}\n".encode())
        os._exit(127)

    def reap(self) -> None:
        """Notice an end, and plan the next start."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid != self.pid:
                continue  # PID 1 inherits orphans
            self.pid = 0
            self.times += 1
            code = os.waitstatus_to_exitcode(status)
            self.ended = f"signal {-code}" if code < 0 else f"exit status {code}"
            now = time.monotonic()
            if now - self._started_at > HEALTHY_S:
                self._delay = RESPAWN_FIRST_S
            self.respawn_at = now + self._delay
            self._delay = min(self._delay * 2, RESPAWN_MAX_S)

    def end(self, number: signal.Signals, wake: int) -> None:
        """Send a signal and wait for the end; SIGKILL when it takes too long."""
        deadline = time.monotonic() + TERM_GRACE_S
        if self.pid:
            os.kill(self.pid, number)
        while self.pid:
            left = deadline - time.monotonic()
            if left <= 0:
                os.kill(self.pid, signal.SIGKILL)
                left = TERM_GRACE_S
            select.select([wake], [], [], left)
            drain(wake)
            self.reap()


def drain(fd: int) -> None:
    """Empty the pipe that signals write to."""
    try:
        os.read(fd, 4096)
    except BlockingIOError:
        pass  # woken by nothing but the time
