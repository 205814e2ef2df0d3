# SPDX-License-Identifier: Apache-2.0
"""A card that is another program's, in one string: where it connects, and how it is started.

``vpcd-listen[:[HOST:]PORT][,wait=SECONDS][,patience=SECONDS][,command=COMMAND]``: the reader
listens as the vsmartcard project's ``vpcd`` driver does; a program that connects is its card.
``command`` comes last and takes the rest of the string, commas included.
"""

from typing import NamedTuple, Self

from vreader.errors import UsageError, near

LISTEN = "vpcd-listen"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 35963
COMMAND_WAIT_S, PATIENCE_S = 10.0, 60.0
_MAX_S = 86400.0
_OPTIONS = ("wait", "patience", "command")
_FORM = "write vpcd-listen:[HOST:]PORT[,wait=SECONDS][,patience=SECONDS][,command=COMMAND]"


class ListenSpec(NamedTuple):
    """Where a card program connects.

    Attributes:
        host: the address to listen at.
        port: the port; 0 is a free one.
        wait_s: how long a world waits for the program before it is ready; 0 does not.
        patience_s: how long the program may work on one command.
        command: starts the program; empty: somebody else does.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    wait_s: float = 0.0
    patience_s: float = PATIENCE_S
    command: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what :mod:`vreader.listenspec` describes; raises UsageError for anything else."""
        head, comma, rest = text.partition(",")
        host, port = _address(head.partition(":")[2]) if ":" in head else cls._defaults()
        given: dict[str, str] = {}
        while comma:
            key, equals, value = rest.partition("=")
            if key not in _OPTIONS or not equals:
                what = key.partition(",")[0] if equals else rest.partition(",")[0]
                raise UsageError(
                    f"{head} has no option {what!r}" if equals else f"{what!r} is not key=value",
                    hint=f"{near(what, _OPTIONS)} {_FORM}".lstrip(),
                )
            if key in given:
                raise UsageError(f"{head} has {key} twice", hint="leave one of them out")
            comma = ""
            if key != "command":
                value, comma, rest = value.partition(",")
            given[key] = value
        command = given.get("command", "")
        if "command" in given and not command.strip():
            raise UsageError(f"command= of {head} names no program", hint=_FORM)
        wait = _seconds(given["wait"], "wait", 0.0) if "wait" in given else None
        if wait and not port and not command:
            raise UsageError(
                "nobody could know the free port of a reader that is waited for",
                hint="name a port, leave wait= out, or start the program with command=",
            )
        if wait is None:
            wait = COMMAND_WAIT_S if command else 0.0
        patience = _seconds(given["patience"], "patience", 0.001) if "patience" in given else None
        return cls(host, port, wait, patience or PATIENCE_S, command)

    @staticmethod
    def _defaults() -> tuple[str, int]:
        return DEFAULT_HOST, DEFAULT_PORT


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else DEFAULT_HOST
    # isdecimal() alone accepts digits of other scripts and numbers without end.
    valid = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 0xFFFF
    if not valid or not host:
        raise UsageError(
            f"{text!r} is no port to listen at",
            hint=f"write {LISTEN}:{DEFAULT_PORT}, {LISTEN}:HOST:PORT, or port 0 for a free one",
        )
    return host, int(port)


def _seconds(text: str, what: str, least: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= _MAX_S:
        raise UsageError(f"{what}={text} is no number of seconds", hint=f"for example {what}=30")
    return value
