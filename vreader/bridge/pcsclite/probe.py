# SPDX-License-Identifier: Apache-2.0
"""How many reader slots the installed libpcsclite expects in a state array.

Up to protocol 4.5 the number is compiled into the library, 16 by its author, 48 in Fedora and RHEL,
and never said on the wire: too few records hang the program, too many corrupt its stream. So a
child process loads the library and lists the readers of a socket that answers with far too many;
what the library leaves unread tells the number. Costs one child of some 30 ms, once per library.
"""

import json
import os
import select
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import IO, NamedTuple

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.wire import Command
from vreader.errors import UsageError

OVERRIDE = "VREADER_READER_SLOTS"
MAX_SLOTS = 512
TIME_LIMIT_S = 2.0

_SONAME = "libpcsclite.so.1"

# Runs isolated and without site-packages, so it starts quickly and sees nothing of the user's.
# The library's socket is the only one the child has. It reports only after the parent has written
# the whole answer (a byte on stdin says so): before, less may wait in the socket than is to come.
_CHILD = """
import ctypes, fcntl, os, sys
library = ctypes.CDLL(sys.argv[1])
word = ctypes.c_ulong
context, length = word(), word()
library.SCardEstablishContext(word(2), None, None, ctypes.byref(context))
library.SCardListReaders(context, None, None, ctypes.byref(length))
os.read(0, 1)
for fd in range(3, 256):
    try:
        if os.fstat(fd).st_mode & 0o170000 == 0o140000:
            left = fcntl.ioctl(fd, 0x541B, bytes(4))
            print(int.from_bytes(left, sys.byteorder))
            break
    except OSError:
        pass
"""


class SlotProbe(NamedTuple):
    """What is known of the library.

    Attributes:
        slots: records its state arrays have; 16 where nothing could be found out.
        minor: the newest minor protocol version it asked for, or None when nobody asked it.
        library: the file that was probed, or None.
    """

    slots: int
    minor: int | None = None
    library: str | None = None


_Key = tuple[str, int, int]  # real path, modification time in ns, size


def probe_reader_slots(library: str | None = None) -> SlotProbe:
    """Return how many records ``library`` reads per state array; takes two seconds at most.

    Args:
        library: path of a libpcsclite.so.1; by default the one programs load here.

    Returns:
        The number that the environment variable VREADER_READER_SLOTS sets, else the one found,
        now or by an earlier call of the same user, else 16.

    Raises:
        UsageError: VREADER_READER_SLOTS is not a number from 1 to 512.
    """
    if forced := os.environ.get(OVERRIDE):
        return SlotProbe(_forced_slots(forced))
    path = library or _find_library()
    key = _key(path)
    if key is not None and (known := _remembered(key)) is not None:
        return known
    found = _ask_library(path or _SONAME)
    if found is None:
        return SlotProbe(wire.READER_SLOTS)
    if key is not None:
        _remember(key, found)
    return found


def check_reader_slots(readers: int) -> None:
    """Refuse more readers than programs of this machine could see; raises UsageError."""
    probe = probe_reader_slots()
    if probe.minor is not None and probe.minor < 6 and readers > probe.slots:
        raise UsageError(
            f"the libpcsclite of this machine shows programs {probe.slots} readers, not {readers}",
            hint="give fewer cards, or use two worlds",
        )


def _forced_slots(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_SLOTS:
        return int(text)
    raise UsageError(
        f"{OVERRIDE} must be a number from 1 to {MAX_SLOTS}, not {text[:20]!r}",
        hint="unset it, or set the PCSCLITE_MAX_READERS_CONTEXTS that `pcscd --version` prints",
    )


def _find_library() -> str | None:
    """Look where the dynamic linker usually looks; it alone knows for sure."""
    multiarch = str(sysconfig.get_config_var("MULTIARCH") or "")
    places = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    places += [f"/lib/{multiarch}", f"/usr/lib/{multiarch}"] if multiarch else []
    places += ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"]
    found = (Path(place, _SONAME) for place in places if place)
    return next((str(path) for path in found if path.exists()), None)


# What earlier calls found --------------------------------------------------------------------


def _key(path: str | None) -> _Key | None:
    if path is None:
        return None
    try:
        real = Path(path).resolve(strict=True)
        status = real.stat()
    except OSError:
        return None
    return str(real), status.st_mtime_ns, status.st_size


def _cache_file() -> Path:
    root = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification ignores a relative path.
    base = Path(root) if root.startswith("/") else Path("~/.cache").expanduser()
    return base / "vreader" / "reader-slots.json"


def _remembered(key: _Key) -> SlotProbe | None:
    try:
        entry = json.loads(_cache_file().read_bytes())
        if tuple(entry["library"]) != key:
            return None
        slots, minor = entry["slots"], entry["minor"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return None  # not there, or not ours: the probe is cheap
    if not (isinstance(slots, int) and isinstance(minor, int) and 1 <= slots <= MAX_SLOTS):
        return None
    return SlotProbe(slots, minor, key[0])


def _remember(key: _Key, found: SlotProbe) -> None:
    entry = {"library": key, "slots": found.slots, "minor": found.minor}
    try:
        file = _cache_file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(entry))
        part.replace(file)
    except (OSError, RuntimeError):
        pass  # a read-only or missing home costs the next call 30 ms, nothing else


# Asking the library --------------------------------------------------------------------------


def _ask_library(path: str) -> SlotProbe | None:
    """Probe a library; None when it cannot be loaded or does not answer as expected."""
    # A socket path has 107 bytes, and a build's temporary directory may be long.
    place = None if len(tempfile.gettempdir()) < 64 else "/tmp"  # noqa: S108 - mkdtemp is private
    deadline = time.monotonic() + TIME_LIMIT_S
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vreader-", dir=place) as directory,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
        ):
            address = str(Path(directory, "s"))
            listener.bind(address)
            listener.listen(1)
            with _start_child(path, address) as child:
                try:
                    return _watch(child, listener, path, deadline)
                finally:
                    child.kill()
    except (OSError, ValueError):
        return None


def _start_child(path: str, address: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _CHILD, path],
        env={**os.environ, "PCSCLITE_CSOCK_NAME": address},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


def _watch(
    child: "subprocess.Popen[bytes]", listener: socket.socket, path: str, deadline: float
) -> SlotProbe | None:
    assert child.stdin is not None
    assert child.stdout is not None
    sources: list[socket.socket | IO[bytes]] = [listener, child.stdout]
    ready, _, _ = select.select(sources, [], [], _left(deadline))
    if listener not in ready:
        return None  # the library could not be loaded
    connection, _ = listener.accept()
    with connection:
        minor, sent = _serve(connection, deadline)
        if minor >= 6:  # it asks for the number itself
            return SlotProbe(wire.READER_SLOTS, minor, _real(path))
        child.stdin.write(b".")
        if not select.select([child.stdout], [], [], _left(deadline))[0]:
            return None
        read = sent - int(child.stdout.readline())
    slots, rest = divmod(read, wire.READER_STATE.size)
    return SlotProbe(slots, minor, _real(path)) if slots and not rest else None


def _serve(connection: socket.socket, deadline: float) -> tuple[int, int]:
    """Answer up to the state array; return (minor version asked for, bytes of the array)."""
    minor = 0
    while True:
        _, command = wire.HEADER.unpack(_read(connection, wire.HEADER.size, deadline))
        body = _read(connection, wire.REQUEST[Command(command)].size, deadline)
        match command:
            case Command.VERSION:
                major, asked, _ = wire.VERSION.unpack(body)
                answer, rv = wire.negotiate(major, asked)
                minor = minor or asked
                reply = wire.VERSION.pack(wire.MAJOR, answer, rv)
                if not rv and minor >= 6:
                    return minor, 0
            case Command.ESTABLISH_CONTEXT:
                reply = wire.ESTABLISH_CONTEXT.pack(0, 1, 0)
            case Command.GET_READERS_STATE:
                array = wire.pack_states((), MAX_SLOTS)
                connection.settimeout(_left(deadline))
                connection.sendall(array)
                return minor, len(array)
            case _:
                raise ValueError(f"the library sent command {command} out of turn")
        connection.settimeout(_left(deadline))
        connection.sendall(reply)


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        connection.settimeout(_left(deadline))
        if not (part := connection.recv(size - len(data))):
            raise ConnectionResetError("the library closed its connection")
        data += part
    return data


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the library took too long")
    return left


def _real(path: str) -> str:
    return os.path.realpath(path) if "/" in path else path
