# SPDX-License-Identifier: Apache-2.0
"""What Windows asks a card to find out what it is: names of applications, commands, what counts.

A discovery process is a generator: it yields C-APDUs, is sent the R-APDUs, and returns what it has
found. Who carries them to a card is the caller's affair. Source: WDK "Smart Card Discovery
Process".
"""

from collections.abc import Callable, Generator
from typing import Final, NamedTuple, TypeVar

from vreader.iso7816 import SW, CommandApdu

T = TypeVar("T")

Probe = Generator[bytes, bytes, T]
"""A discovery process: C-APDUs out, R-APDUs in, and its result."""

# The last two bytes, a version, are not sent: a card selects by the beginning of a name.
PIV: Final = bytes.fromhex("A00000030800001000")
GIDS: Final = bytes.fromhex("A00000039742544659")

MSCLMD: Final = "msclmd.dll"
PIV_CARD: Final = "Identity Device (NIST SP 800-73 [PIV])"
GIDS_CARD: Final = "Identity Device (Microsoft Generic Profile)"

_MORE, _WRONG_LE = b"\x61", b"\x6c"
_MOST_PARTS = 256  # of 256 bytes: what the longest answer needs, and a card that never ends gets


class Answer:
    """What a card has said to a command.

    Attributes:
        sw: the status word of the last R-APDU.
        data: of all of them.
    """

    __slots__ = ("data", "sw")

    def __init__(self, sw: int, data: bytes) -> None:
        self.sw = sw
        self.data = data

    @property
    def ok(self) -> bool:
        """The command worked: 9000. Warnings (62xx, 63xx) are not documented, and do not count."""
        return self.sw == 0x9000


def select(aid: bytes) -> bytes:
    """Return the C-APDU that selects an application by its name, with Le."""
    return bytes(CommandApdu(0, 0xA4, 4, 0, aid, 256))


class Asked(NamedTuple):
    """One thing that was asked, and what came of it.

    Attributes:
        command: the C-APDU.
        sw: the status word of the card's answer.
        data: of the answer.
        text: what it means, in words.
    """

    command: bytes
    sw: int
    data: bytes
    text: str

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "command": self.command.hex().upper(),
            "sw": f"{self.sw:04X}",
            "data": self.data.hex().upper(),
            "text": self.text,
        }


def ask(command: bytes, what: str, asked: list[Asked]) -> Probe[Answer]:
    """Send a command, and GET RESPONSE while there is more (ISO/IEC 7816-4 §11.7.1).

    A card that says 6Cxx is asked once more, with the Le it wants (§5.6); that Windows does so too
    is an assumption.

    Args:
        command: the C-APDU.
        what: it asks for, in words.
        asked: gets the question, and how it ended.
    """
    response = yield command
    if response[-2:-1] == _WRONG_LE and (wanted := response[-1]) and CommandApdu.parse(command).ne:
        command = command[:-1] + bytes((wanted,))
        response = yield command
    data, parts = response[:-2], 1
    while response[-2:-1] == _MORE and parts < _MOST_PARTS:
        parts += 1
        response = yield bytes((0, 0xC0, 0, 0, response[-1]))
        data += response[:-2]
        if len(response) == 2:
            break  # it promises more and gives nothing
    answer = Answer(int.from_bytes(response[-2:]), data)
    asked.append(Asked(command, answer.sw, data, f"{what}: {_meaning(answer)}"))
    return answer


def _meaning(answer: Answer) -> str:
    return "yes" if answer.ok else f"no ({SW(answer.sw)!s})"


def drive(probe: Probe[T], transmit: Callable[[bytes], bytes]) -> T:
    """Run a probe to its end: each C-APDU goes through ``transmit``."""
    try:
        command = next(probe)
        while True:
            command = probe.send(transmit(command))
    except StopIteration as stop:
        found: T = stop.value
        return found
