# SPDX-License-Identifier: Apache-2.0
"""Logical channels: the class byte that names one, and what each keeps for itself.

That is command chaining (§5.3.3), and what Le and GET RESPONSE leave of an answer (§5.3.4).
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
GET_RESPONSE = 0xC0
MAX_CHANNELS = 20
MAX_CHAIN = 65535
_OK = SW.OK.to_bytes2()


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

    def get_response(self, apdu: CommandApdu, pending: bytes) -> bytes:
        """Answer GET RESPONSE with what was ``pending`` before it (§5.3.4)."""
        if apdu.p1 or apdu.p2:
            raise Refuse(SW.INCORRECT_P1P2)
        if apdu.data:
            raise Refuse(SW.WRONG_LENGTH)
        if not pending:
            raise Refuse(SW.CONDITIONS_NOT_SATISFIED)
        return self.reply(pending, apdu)

    def reply(self, data: bytes, apdu: CommandApdu, *, case: int = 0) -> bytes:
        """Cut the data at Ne and keep the rest for GET RESPONSE; ``case`` if it is not the APDU's.

        No Le means as much as the length coding can carry: clients send SELECT and large
        commands without Le and still read the answer.
        """
        limit = apdu.ne or (65536 if apdu.extended else 256)
        application = self.application
        # Without data there is no right Le to tell: 6C00 says 256.
        if data and application is not None and application.exact_le and (case or apdu.case) == 2:
            wanted = min(len(data), 256)
            if limit not in (256, 65536, wanted):
                if apdu.ins == GET_RESPONSE:
                    self.pending = data  # it may be asked for again, with the right length
                raise Refuse(SW.wrong_le(wanted))
        if len(data) <= limit:
            return data + _OK
        self.pending = data[limit:]
        return data[:limit] + SW.more(len(data) - limit).to_bytes2()

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
