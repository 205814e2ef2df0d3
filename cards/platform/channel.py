# SPDX-License-Identifier: Apache-2.0
"""Logical channels: the class byte that names one, and what each keeps for itself.

Class bytes are those of ISO/IEC 7816-4:2020 §5.4.1: channels 0 to 3 in the first interindustry
values, 4 to 19 in the further ones; proprietary classes 80 to 9F name channels 0 to 3 as
GlobalPlatform does.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from cards.platform.applet import Application, Refuse
from vreader.iso7816 import SW, CommandApdu

CHAINING = 0x10
MAX_CHANNELS = 20
MAX_CHAIN = 65535


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
    @cache
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
        anywhere: those that may take a command while they are not selected.
        chain_header, chain: the links of a command so far; None between commands.
        pending: what GET RESPONSE may fetch.
    """

    __slots__ = ("anywhere", "application", "applications", "chain", "chain_header", "pending")

    def __init__(self, applications: Sequence[Application]) -> None:
        self.applications = tuple(applications)
        self.anywhere = tuple(a for a in self.applications if a.anywhere)
        self.application: Application | None = None
        self.chain_header: bytes | None = None
        self.chain = bytearray()
        self.pending = b""

    def enter(self, chosen: Application) -> None:
        """Make ``chosen`` the selected application; another one loses its security status."""
        before, self.application = self.application, chosen
        if before is not None and before is not chosen:
            before.deselect()

    def taker(self, apdu: CommandApdu) -> Application | None:
        """Return the application that a whole command is for."""
        for application in self.anywhere:
            if application is not self.application and application.takes(apdu):
                return application
        return self.application

    def join(self, apdu: CommandApdu, *, link: bool) -> CommandApdu | None:
        """Collect the links of a chain; return the whole command, or None after a link (§5.3.3)."""
        header = bytes((apdu.cla & ~CHAINING, apdu.ins, apdu.p1, apdu.p2))
        if self.chain_header is not None and self.chain_header != header:
            self.drop_chain()
        if not link and self.chain_header is None:
            return apdu
        self.chain_header = header
        self.chain += apdu.data
        if len(self.chain) > MAX_CHAIN:
            self.drop_chain()
            raise Refuse(SW.WRONG_LENGTH)
        if link:
            return None
        data = bytes(self.chain)
        self.drop_chain()
        return CommandApdu(header[0], apdu.ins, apdu.p1, apdu.p2, data, apdu.ne, apdu.extended)

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
