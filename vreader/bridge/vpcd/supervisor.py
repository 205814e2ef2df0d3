# SPDX-License-Identifier: Apache-2.0
# These processes start in milliseconds, without pathlib.
# ruff: noqa: PTH112, PTH119, PTH120, PTH123
"""The process beside a private pcscd: it shuts the daemon in, and clears up when its parent ends.

A process of its own, so that it outlives a parent killed with SIGKILL; standard library only, so
that it starts in milliseconds. Its standard input is a SOCK_SEQPACKET socket to the parent; each
message is one JSON object::

    parent                                   supervisor
    {"command": [pcscd, …], …} (see Config)  {"directory": …} | {"refused": …} | {"error": …}
    {"do": "dial", "stanza": 0, "slot": 0}   {} + a connected socket | {"error": …, "errno": …}
    {"do": "status"}                         {"ended": how pcscd last ended, "times": how often}
    {"do": "restart"}                        {}
    (end of file)                            (all processes end, the directory goes)

Two processes, made by one fork. The *keeper* makes the directory and the namespaces, waits, and
removes the directory. The *init* is PID 1 of the PID namespace: when it ends, the kernel kills all
others. It runs pcscd and makes TCP connections to it, inside the network namespace, for the parent.
Without namespaces it is an ordinary child and kills pcscd itself.
"""

import errno
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import TypedDict

from vreader.bridge.vpcd.daemon import (
    Daemon,
    drain,
    free_ports,
    owns_listener,
    remove_pid_file,
    write_files,
)
from vreader.bridge.vpcd.namespaces import (
    RUN_DIRECTORY,
    Refused,
    die_with_parent,
    enter_namespaces,
    mount_proc,
)

CHANNEL = 0
SOCKET_NAME = "pcscd.comm"
LOG_NAME = "pcscd.log"
MESSAGE_SIZE = 65536
CONNECT_TIMEOUT_S = 2.0


class Config(TypedDict):
    """What the parent wants.

    Attributes:
        command: pcscd with its options but for ``-c``.
        driver: path of the driver library.
        names: one FRIENDLYNAME for each stanza; each gets its own copy of the driver, since copies
            share no state and one library would mix its readers up.
        devices: DEVICENAME of each stanza for a driver of serial lines; empty: it is vpcd.
        slots: ports vpcd opens for a stanza, from its CHANNELID on.
        directory: where to make the private directory; empty: a new one under ``under``.
        under: a directory that exists.
        around: a directory of the parent's that goes when the private one goes; empty: none.
        hide: directories to cover, see ``enter_namespaces``.
        isolate: use namespaces.
        parent: process number of the parent.
    """

    command: list[str]
    driver: str
    names: list[str]
    devices: list[str]
    slots: int
    directory: str
    under: str
    around: str
    hide: list[str]
    isolate: bool
    parent: int


class Init:
    """Serves the parent: connections into the namespace, news of pcscd, a restart."""

    def __init__(
        self, channel: socket.socket, daemon: Daemon, ports: list[int], *, isolated: bool
    ) -> None:
        self._channel = channel
        self._daemon = daemon
        self._ports = ports
        self._isolated = isolated

    def run(self, directory: str, parent_fd: int) -> None:
        """Say that all is prepared, start pcscd and serve until the parent has gone."""
        die_with_parent()
        if self._isolated:
            try:
                mount_proc()
            except Refused:
                pass  # containers forbid it; the old /proc shows more processes, no harm in that
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker)
        send(self._channel, {"directory": directory})
        try:
            self._serve(wake, parent_fd)
        finally:
            self._daemon.end(signal.SIGKILL, wake)

    def _serve(self, wake: int, parent_fd: int) -> None:
        poll = select.poll()
        for fd in (self._channel.fileno(), wake, parent_fd):
            if fd >= 0:
                poll.register(fd, select.POLLIN)
        self._daemon.start()
        while True:
            due = self._daemon.respawn_at
            timeout = None if not due else max(0.0, due - time.monotonic()) * 1000
            ready = {fd for fd, _ in poll.poll(timeout)}
            if parent_fd in ready:
                return
            if wake in ready:
                drain(wake)
                self._daemon.reap()
            if self._daemon.respawn_at and time.monotonic() >= self._daemon.respawn_at:
                self._daemon.start()
            if self._channel.fileno() in ready:
                message = self._channel.recv(MESSAGE_SIZE)
                if not message:
                    return
                self._answer(json.loads(message), wake)

    def _answer(self, request: dict[str, str | int], wake: int) -> None:
        match request:
            case {"do": "dial", "stanza": int(stanza), "slot": int(slot)}:
                self._dial(self._ports[stanza] + slot)
            case {"do": "restart"}:
                self._daemon.end(signal.SIGTERM, wake)
                self._daemon.start()
                send(self._channel, {})
            case _:  # status
                send(self._channel, {"ended": self._daemon.ended, "times": self._daemon.times})

    def _dial(self, port: int) -> None:
        try:
            if not self._isolated and not self._owned(port):
                raise ConnectionRefusedError(errno.ECONNREFUSED, f"port {port} is not our pcscd's")
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
                sock.settimeout(CONNECT_TIMEOUT_S)
                sock.connect(("127.0.0.1", port))
                sock.settimeout(None)
                socket.send_fds(self._channel, [b"{}"], [sock.fileno()])
        except OSError as error:
            number = error.errno or errno.ETIMEDOUT
            send(self._channel, {"error": error.strerror or str(error), "errno": number})

    def _owned(self, port: int) -> bool:
        return self._daemon.pid != 0 and owns_listener(self._daemon.pid, port)


def send(channel: socket.socket, message: dict[str, str | int]) -> None:
    """Send one JSON object."""
    channel.send(json.dumps(message).encode())


class Place:
    """A directory by name and by its parent: behind a mount of ours its path may lead elsewhere."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._name = os.path.basename(path)
        self._parent_fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)

    def make(self) -> None:
        """Make it, for its owner alone."""
        os.mkdir(self._name, 0o700, dir_fd=self._parent_fd)

    def remove(self) -> None:
        """Remove it with its contents; what is not ours to remove stays."""
        try:
            for _, directories, files, fd in os.fwalk(
                self._name, topdown=False, dir_fd=self._parent_fd
            ):
                for entry in files:
                    _quietly(os.unlink, entry, fd)
                for entry in directories:
                    _quietly(os.rmdir, entry, fd)
        except OSError:
            pass  # somebody removes it at the same time
        _quietly(os.rmdir, self._name, self._parent_fd)


def _quietly(remove: Callable[..., None], name: str, fd: int) -> None:
    try:
        remove(name, dir_fd=fd)
    except OSError:
        pass  # gone, or somebody else's file


def supervise(channel: socket.socket, config: Config) -> None:
    """Make directory and namespaces, fork the init, wait, remove the directory."""
    place = Place(config["directory"] or f"{config['under']}/vreader-{os.urandom(6).hex()}")
    around = Place(config["around"]) if config["around"] else None
    place.make()
    made = not os.path.isdir(RUN_DIRECTORY)
    try:
        child = _launch(channel, config, place.path)
        channel.close()
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
        os.waitpid(child, 0)
    except BaseException:
        around = None  # the parent has to tell what is wrong, and tries again perhaps
        raise
    finally:
        place.remove()
        if around is not None:
            around.remove()
        if not config["isolate"]:
            remove_pid_file(and_directory=made)


def _launch(channel: socket.socket, config: Config, path: str) -> int:
    """Prepare everything and fork the init; return its process number."""
    parent_fd = watch(config["parent"])
    with open(config["driver"], "rb") as file:
        library = file.read()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{path}/{SOCKET_NAME}")
    listener.listen(64)
    log = os.open(f"{path}/{LOG_NAME}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    slots = config["slots"]
    names, devices = config["names"], config["devices"] or None
    first = 0 if devices else 35963
    # Not in the private directory, whose file system may forbid to execute.
    place = RUN_DIRECTORY
    if config["isolate"]:
        enter_namespaces(config["hide"])
    else:
        place = path
        if devices is None:
            first = free_ports(slots * len(names))
    ports = [first + i * slots for i in range(len(names))]
    stem = os.path.basename(config["driver"]).removesuffix(".so")
    conf = write_files(place, names, ports, library, devices=devices, stem=stem)
    child = os.fork()
    if child == 0:
        try:
            daemon = Daemon([*config["command"], "-c", conf], listener, log)
            init = Init(channel, daemon, ports, isolated=config["isolate"])
            init.run(path, parent_fd)
        finally:
            os._exit(0)
    return child


def watch(parent: int) -> int:
    """Return a descriptor that becomes readable when the parent ends, -1 where there is none.

    The end of the channel says the same, unless a fork of the parent holds it open.
    """
    try:
        return os.pidfd_open(parent) if os.getppid() == parent else -1
    except OSError:
        return -1


def main() -> None:
    """Read the configuration and supervise; a parent that has gone is no error."""
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    channel = socket.socket(fileno=os.dup(CHANNEL))
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, CHANNEL)
    message = channel.recv(MESSAGE_SIZE)
    if not message:
        return
    try:
        supervise(channel, json.loads(message))
    except Refused as refusal:
        send(channel, {"refused": str(refusal)})
    except OSError as error:
        send(channel, {"error": str(error)})
