# SPDX-License-Identifier: Apache-2.0
"""PC/SC contexts that a test still has when it is over: found, told how to be let go, or let go."""

import gc
import os
import socket
import sys


def held(sockets: list[str]) -> int:
    """Return how many connections of this process lead to some sockets of worlds.

    Each is a PC/SC context; it is found after the world's end as well.
    """
    found = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):  # noqa: PTH115
                continue
            with socket.socket(fileno=os.dup(int(name))) as connection:
                peer = connection.getpeername() if connection.family == socket.AF_UNIX else ""
        except OSError:
            continue  # closed meanwhile, or not connected
        found += peer in sockets
    return found


def let_go() -> None:
    """Release and forget the context that versions of pyscard before 2.3 keep for all they do."""
    module = sys.modules.get("smartcard.pcsc.PCSCContext")
    kept = getattr(module, "PCSCContext", None)
    instance = getattr(kept, "instance", None)
    if kept is not None and instance is not None:
        kept.instance = None
        instance.releaseContext()


def let_connections_go() -> None:
    """Release pyscard's connections, which the traceback of a failed test keeps.

    Else they try it when nobody expects it, when their world has gone; and say so in another test.
    """
    module = sys.modules.get("smartcard.pcsc.PCSCCardConnection")
    kind = getattr(module, "PCSCCardConnection", None)
    if kind is None:
        return
    for thing in gc.get_objects():
        if issubclass(type(thing), kind):
            try:
                thing.release()
            except Exception:  # noqa: S110 - its card or reader has gone; so has the connection
                pass


def remedy() -> str:
    """Say how a test lets go of its contexts, with what it has imported."""
    ways = [way for module, way in _WAYS.items() if module in sys.modules]
    return "; ".join(ways or ["SCardReleaseContext, or C_Finalize of a PKCS #11 module"])


_WAYS = {
    "smartcard": "pyscard: connection.disconnect() and connection.release(), "
    "monitor.deleteObserver()",
    "PyKCS11": "PyKCS11: lib.unload()",
    "pkcs11": "python-pkcs11: pkcs11.unload(path)",
}
