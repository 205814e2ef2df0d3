# SPDX-License-Identifier: Apache-2.0
"""A card with applications: the ISO/IEC 7816-4 layer between the reader and the applets.

Here are class bytes (§5.4.1), command chaining (§5.3.3), GET RESPONSE and Le (§5.3.4), SELECT by
DF name (§11.2.2), and the rule that a command's writes are committed before its answer leaves.
What a command *means* is the affair of the applet (:mod:`cards.platform.applet`).
"""

from collections.abc import Sequence

from cards.platform.applet import Application, Refuse
from cards.platform.nvm import Nvm, NvmError
from vreader.card import CardMute
from vreader.iso7816 import SW, ApduError, CommandApdu

CHAINING = 0x10
SELECT, GET_RESPONSE = 0xA4, 0xC0
MAX_CHAIN = 65535
MIN_AID = 5
_OK = SW.OK.to_bytes2()


class _Channel:
    """The volatile state of one logical channel: who is selected, what is half said."""

    __slots__ = ("application", "chain", "chain_header", "pending")

    def __init__(self) -> None:
        self.application: Application | None = None
        self.chain_header: bytes | None = None
        self.chain = bytearray()
        self.pending = b""

    def drop_chain(self) -> None:
        self.chain_header = None
        self.chain = bytearray()


class AppletCard:
    """A card that carries applications, chosen by AID; implements :class:`vreader.card.Card`.

    After a reset no application is selected, and a command other than SELECT gets 6D00. A card
    without power is mute.

    Args:
        atr: the raw answer to reset, handed out as it is.
        applications: in the order in which a partial AID finds them.
        nvm: the memory of all of them; committed after each command, rolled back after a refusal.
    """

    def __init__(self, atr: bytes, applications: Sequence[Application], nvm: Nvm) -> None:
        self.atr = atr
        self.applications = tuple(applications)
        self.nvm = nvm
        self._channel = _Channel()
        self._powered = False

    def power_on(self) -> bytes:
        """Cold reset; return the ATR."""
        self._drop_volatile()
        self._powered = True
        return self.atr

    def reset(self) -> bytes:
        """Warm reset; return the ATR."""
        return self.power_on()

    def power_off(self) -> None:
        """Remove power."""
        self._drop_volatile()
        self._powered = False

    def close(self) -> None:
        """Remove power and let go of the state file; the card cannot be used afterwards."""
        self.power_off()
        self.nvm.close()

    def transmit(self, c_apdu: bytes) -> bytes:
        """Answer one C-APDU of any content; what is not an APDU gets 6700.

        Raises:
            CardMute: the card has no power.
        """
        if not self._powered:
            raise CardMute("the card has no power")
        pending, self._channel.pending = self._channel.pending, b""
        try:
            apdu = CommandApdu.parse(c_apdu)
        except ApduError:
            self._channel.drop_chain()
            return SW.WRONG_LENGTH.to_bytes2()
        try:
            reply = self._answer(apdu, pending)
            self.nvm.commit()
        except Refuse as refusal:
            self.nvm.rollback()
            return refusal.sw.to_bytes2()
        except NvmError as error:
            self._storage_failed(error)
            return SW.MEMORY_FAILURE.to_bytes2()
        except BaseException:
            self.nvm.rollback()
            raise
        return reply

    def _answer(self, apdu: CommandApdu, pending: bytes) -> bytes:
        self._check_class(apdu.cla)
        whole = self._chained(apdu)
        if whole is None:
            return _OK
        # Clients of an application with class 80 fetch the rest with class 80 as well.
        if whole.ins == GET_RESPONSE and (pending or whole.cla == 0):
            return self._get_response(whole, pending)
        if whole.ins == SELECT and whole.p1 == 0x04 and whole.cla == 0:
            return self._reply(self._select(whole), apdu)
        application = self._channel.application
        if application is None:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        # Le is that of the last link: a joined command only looks extended.
        return self._reply(application.process(whole), apdu)

    def _check_class(self, cla: int) -> None:
        """Refuse class bytes this card does not speak (ISO/IEC 7816-4:2020 §5.4.1)."""
        if cla & 0x80:
            application = self._channel.application
            if application is None or not application.proprietary_class or cla & 0x60:
                raise Refuse(SW.CLA_NOT_SUPPORTED)
        elif cla & 0x40:
            raise Refuse(SW.LOGICAL_CHANNEL_NOT_SUPPORTED)
        elif cla & 0x20:
            raise Refuse(SW.CLA_NOT_SUPPORTED)
        if cla & 0x03:
            raise Refuse(SW.LOGICAL_CHANNEL_NOT_SUPPORTED)
        if cla & 0x0C:
            raise Refuse(SW.SECURE_MESSAGING_NOT_SUPPORTED)

    def _chained(self, apdu: CommandApdu) -> CommandApdu | None:
        """Collect the links of a chain; return the whole command, or None after a link."""
        channel = self._channel
        header = bytes((apdu.cla & ~CHAINING, apdu.ins, apdu.p1, apdu.p2))
        if channel.chain_header is not None and channel.chain_header != header:
            channel.drop_chain()
        link = bool(apdu.cla & CHAINING)
        if link and apdu.ins == SELECT:
            # A name of at most 16 bytes needs no chain; and one cut short must not swallow the
            # SELECT with which the next program starts.
            raise Refuse(SW.CHAINING_NOT_SUPPORTED)
        if not link and channel.chain_header is None:
            return apdu
        channel.chain_header = header
        channel.chain += apdu.data
        if len(channel.chain) > MAX_CHAIN:
            channel.drop_chain()
            raise Refuse(SW.WRONG_LENGTH)
        if link:
            return None
        data = bytes(channel.chain)
        channel.drop_chain()
        return CommandApdu(header[0], apdu.ins, apdu.p1, apdu.p2, data, apdu.ne, apdu.extended)

    def _select(self, apdu: CommandApdu) -> bytes:
        """SELECT by DF name: full or right-truncated, first or next occurrence (§11.2.2)."""
        occurrence, control = apdu.p2 & 0x03, apdu.p2 & 0x0C
        if apdu.p2 & 0xF0 or occurrence not in (0, 2):
            raise Refuse(SW.INCORRECT_P1P2)
        channel = self._channel
        found = [a for a in self.applications if a.aid.startswith(apdu.data)]
        if occurrence == 2 and channel.application in found:
            found = found[found.index(channel.application) + 1 :]
        if not found or len(apdu.data) < MIN_AID:
            raise Refuse(SW.FILE_NOT_FOUND)
        chosen, before = found[0], channel.application
        answer = chosen.select()
        if before is not None and before is not chosen:
            before.deselect()
        channel.application = chosen
        return b"" if control == 0x0C else answer

    def _get_response(self, apdu: CommandApdu, pending: bytes) -> bytes:
        if apdu.p1 or apdu.p2:
            raise Refuse(SW.INCORRECT_P1P2)
        if apdu.data:
            raise Refuse(SW.WRONG_LENGTH)
        if not pending:
            raise Refuse(SW.CONDITIONS_NOT_SATISFIED)
        return self._reply(pending, apdu)

    def _reply(self, data: bytes, apdu: CommandApdu) -> bytes:
        """Cut the data at Ne and keep the rest for GET RESPONSE.

        No Le means as much as the length coding can carry: clients send SELECT and large
        commands without Le and still read the answer.
        """
        limit = apdu.ne or 65536 if apdu.extended else min(apdu.ne or 256, 256)
        if len(data) <= limit:
            return data + _OK
        self._channel.pending = data[limit:]
        return data[:limit] + SW.more(len(data) - limit).to_bytes2()

    def _storage_failed(self, error: NvmError) -> None:
        """Undo the command, its effect on the security status included."""
        import logging

        logging.getLogger(__name__).warning("a card's memory cannot be written: %s", error)
        self.nvm.rollback()
        self._channel.pending = b""
        if self._channel.application is not None:
            self._channel.application.reset()

    def _drop_volatile(self) -> None:
        self._channel = _Channel()
        for application in self.applications:
            application.reset()
