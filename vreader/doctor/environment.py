# SPDX-License-Identifier: Apache-2.0
"""Variables that lead programs astray: of a world that has ended, or of another one."""

import os
import socket
import stat
from collections.abc import Iterator

from vreader.bridge.control import ENVIRONMENT as CONTROL
from vreader.bridge.unix import MAX_SOCKET_PATH
from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.machine import Machine

SERVICE = "PCSCLITE_CSOCK_NAME"
_NOTHING = (
    "LIBPCSCLITE_DELEGATE",
    "PCSCLITE_DEBUG",
    "PCSCLITE_NO_BLOCKING",
)


def look(_machine: Machine) -> Iterator[Finding]:
    """Look at each variable that PC/SC programs and vreader heed."""
    quiet = True
    for name, who in ((SERVICE, "PC/SC programs"), (CONTROL, "vreader ctl")):
        path = os.environ.get(name)
        if path is None:
            continue
        quiet = False
        if why := unreachable(path):
            yield warn(
                f"{name}={path}: {why}; {who} started here find nothing",
                f"unset {name}; it was set by a world that has ended, perhaps",
            )
        else:
            yield ok(f"{name}={path} is served")
    for name in _NOTHING:
        if name in os.environ:
            quiet = False
            yield note(f"{name} is set: programs here behave differently", f"unset {name}")
    if quiet:
        yield ok("no variable leads programs elsewhere")


def unreachable(path: str) -> str:
    """Return why nobody can be reached at a socket's path, or nothing."""
    if not path:
        return "it is empty"
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        return f"it is longer than {MAX_SOCKET_PATH} bytes, which libpcsclite cuts"
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116 - the text may be no path
            return "it is no socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            probe.connect(path)
    except BlockingIOError:
        return ""  # somebody listens, and is busy
    except ConnectionRefusedError:
        return "nobody listens there any more"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
