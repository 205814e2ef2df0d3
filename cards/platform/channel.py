# SPDX-License-Identifier: Apache-2.0
"""Logical channels: the class byte that names one, and what each keeps for itself.

Class bytes are those of ISO/IEC 7816-4:2020 §5.4.1: channels 0 to 3 in the first interindustry
values, 4 to 19 in the further ones; proprietary classes 80 to 9F name channels 0 to 3 as
GlobalPlatform does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cards.platform.applet import Application, Refuse
from vreader.iso7816 import SW

CHAINING = 0x10
MAX_CHANNELS = 20


class ClassByte(NamedTuple):
    """What a class byte says.

    Attributes:
        channel: 0 to 19.
        chaining: more links of this command follow.
        secure: the command is protected by secure messaging.
        proprietary: its meaning is not that of ISO/IEC 7816-4.
    """

    channel: int
    chaining: bool
    secure: bool
    proprietary: bool

    @classmethod
    def parse(cls, cla: int) -> "ClassByte":
        """Read a class byte; raises Refuse(6E00) for values ISO reserves and for FF."""
        chaining = bool(cla & CHAINING)
        match cla >> 5:
            case 0b000 | 0b100:
                return cls(cla & 0x03, chaining, bool(cla & 0x0C), bool(cla & 0x80))
            case 0b010 | 0b011:
                return cls(4 + (cla & 0x0F), chaining, bool(cla & 0x20), False)
        raise Refuse(SW.CLA_NOT_SUPPORTED)


class Channel:
    """The volatile state of one logical channel: who is selected, what is half said.

    Attributes:
        applications: the card's applications, with a security status of this channel's own.
        application: the selected one.
        chain_header, chain: the links of a command so far; None between commands.
        pending: what GET RESPONSE may fetch.
    """

    __slots__ = ("application", "applications", "chain", "chain_header", "pending")

    def __init__(self, applications: Sequence[Application]) -> None:
        self.applications = tuple(applications)
        self.application: Application | None = None
        self.chain_header: bytes | None = None
        self.chain = bytearray()
        self.pending = b""

    def drop_chain(self) -> None:
        """Forget the links of an unfinished command."""
        self.chain_header = None
        self.chain = bytearray()

    def reset(self) -> None:
        """Forget everything."""
        self.application = None
        self.drop_chain()
        self.pending = b""
        for application in self.applications:
            application.reset()
