# SPDX-License-Identifier: Apache-2.0
# These processes start in milliseconds, without pathlib.
# ruff: noqa: PTH103, PTH112, PTH120, PTH123
"""Namespaces for a private pcscd: its own loopback network, its own /run/pcscd, its own processes.

vpcd listens on all interfaces and pcscd writes to /run/pcscd, whoever runs it; inside namespaces
(namespaces(7)) neither is seen by anybody else. Kernel calls Python 3.11 lacks are made by ctypes.
Standard library only.
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct

RUN_DIRECTORY = "/run/pcscd"

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS = 0x8914
IFF_UP_RUNNING = 0x41

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):  # noqa: N818 - a fact about this machine
    """The kernel does not let us have namespaces; the text says which call."""


# Kernel calls that Python 3.11 does not have.


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        # The text for ENOSPC speaks of devices.
        why = "their number is limited" if number == errno.ENOSPC else os.strerror(number)
        raise Refused(f"{what}: {why}")


def mount_at(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Make a file system visible, as mount(2) does; raises Refused."""
    arguments = (os.fsencode(text) for text in (source, target, kind))
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode())
    _check(result, f"mount {kind or 'private'} on {target}")


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; the wish survives exec."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def enter_namespaces(hide: list[str]) -> None:
    """Move into new network, mount and (for children) PID namespaces; raises Refused.

    Without privilege a user namespace comes first, in which we keep our user and group number.
    ``hide`` names directories to cover with empty ones: pcscd then finds no driver of real readers.
    """
    flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID
    uid, gid = os.getuid(), os.getgid()
    if uid != 0 or _libc.unshare(flags) != 0:
        _check(_libc.unshare(flags | CLONE_NEWUSER), "unshare")
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            _write_proc(name, text)
    mount_at("none", "/", "", MS_REC | MS_PRIVATE)
    flags = MS_NOSUID | MS_NODEV
    # Not on /run/pcscd itself: whoever removes that outside would remove our mount with it.
    mount_at("tmpfs", os.path.dirname(RUN_DIRECTORY), "tmpfs", flags, "mode=0755")
    os.makedirs(RUN_DIRECTORY, exist_ok=True)
    for directory in hide:
        if os.path.isdir(directory):
            mount_at("tmpfs", directory, "tmpfs", flags, "mode=0755")
    _raise_loopback()


def _write_proc(name: str, text: str) -> None:
    try:
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    except OSError as error:
        raise Refused(f"/proc/self/{name}: {error.strerror}") from error


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_RUNNING))
        except OSError as error:
            raise Refused(f"loopback interface: {error.strerror}") from error


def mount_proc() -> None:
    """Show the processes of this PID namespace in /proc; raises Refused."""
    mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
