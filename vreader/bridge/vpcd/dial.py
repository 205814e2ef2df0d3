# SPDX-License-Identifier: Apache-2.0
"""How a vpcd door reaches its driver: the port ``Dial``, its TCP form, and what a failure means."""

import socket
from collections.abc import Callable

from vreader.errors import UsageError

DEFAULT_PORT = 0x8C7B
CONNECT_TIMEOUT_S = 5.0

Dial = Callable[[], socket.socket]
"""Returns a new connected socket in blocking mode; raises OSError when there is none to be had."""


def parse_address(text: str) -> tuple[str, int]:
    """Parse ``HOST:PORT``, ``HOST`` or ``[IPV6]:PORT``; the port defaults to vpcd's own, 35963.

    Raises:
        UsageError: no host, or not a port number.
    """
    host, separator, port = text.rpartition(":")
    if not separator or port.endswith("]"):
        host, port = text, str(DEFAULT_PORT)
    host = host.removeprefix("[").removesuffix("]")
    # isdecimal() alone accepts digits of other scripts and numbers without end.
    valid = port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 0xFFFF
    if not host or not valid:
        raise UsageError(
            f"{text!r} is not the address of a vpcd driver",
            hint=f"write HOST:PORT, for example localhost:{DEFAULT_PORT}",
        )
    return host, int(port)


def tcp_dial(host: str, port: int, timeout_s: float = CONNECT_TIMEOUT_S) -> Dial:
    """Return a Dial that opens a TCP connection, giving up after ``timeout_s`` seconds."""

    def dial() -> socket.socket:
        sock = socket.create_connection((host, port), timeout=timeout_s)
        sock.settimeout(None)
        return sock

    return dial


def explain(error: OSError, peer: str) -> tuple[str, str]:
    """Return (what is wrong, what to do) for an error a Dial to ``peer`` raised."""
    match error:
        case ConnectionRefusedError():
            return (
                f"nobody listens at {peer}",
                "start pcscd with the vpcd driver (apt install pcscd vsmartcard-vpcd); "
                "dialing goes on",
            )
        case socket.gaierror():
            return f"the host of {peer} is unknown", "check the spelling of the host"
        case TimeoutError():
            return (
                f"{peer} does not take the connection",
                "the slot may hold another card, with one more in line: use another port",
            )
        case _:
            return f"cannot connect to {peer}: {error.strerror or error}", ""
