# SPDX-License-Identifier: Apache-2.0
"""A card with applications: the ISO/IEC 7816-4 layer between the reader and the applets.

Here are the opening and closing of logical channels (§5.4.2), SELECT by DF name (§11.2.2), and the
rule that a command's writes are committed before its answer leaves. Chaining, GET RESPONSE and Le
are in :mod:`cards.platform.channel`; what a command *means* is the affair of the applet
(:mod:`cards.platform.applet`).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from cards.platform.applet import Application, CardStatus, Refuse, Template
from cards.platform.channel import GET_RESPONSE, MAX_CHANNELS, Channel, ClassByte
from cards.platform.nvm import Nvm, NvmError, PowerLost
from vreader.card import Card, CardMute
from vreader.iso7816 import SW, ApduError, CommandApdu

MANAGE_CHANNEL, SELECT = 0x70, 0xA4
MIN_AID, MAX_AID = 5, 16
_OK = SW.OK.to_bytes2()

ApplicationT = TypeVar("ApplicationT")


class AppletCard:
    """A card that carries applications, chosen by AID; implements :class:`vreader.card.Card`.

    A card without power is mute.

    Args:
        atr: the raw answer to reset, handed out as it is.
        make: returns the card's applications afresh, in the order in which a partial AID finds
            them. Called once for each logical channel: they share the memory, and each channel has
            a security status of its own.
        nvm: the memory of all of them; committed after each command, rolled back after a refusal.
        channels: how many logical channels there are, 1 to 20 (the basic one included).
        default: AID of the application that is selected after a reset, or None.
        status: the security status that all applications share; dropped at reset.
        unknown: the answer to a SELECT by a name that no application has.
        unselected: the answer to a command while no application is selected.
    """

    def __init__(
        self,
        atr: bytes,
        make: Callable[[], Sequence[Application]],
        nvm: Nvm,
        *,
        channels: int = 1,
        default: bytes | None = None,
        status: CardStatus | None = None,
        unknown: SW = SW.FILE_NOT_FOUND,
        unselected: SW = SW.INS_NOT_SUPPORTED,
    ) -> None:
        if not 1 <= channels <= MAX_CHANNELS:
            raise ValueError(f"a card has 1 to {MAX_CHANNELS} logical channels, not {channels}")
        self.atr = atr
        self.nvm = nvm
        self._make = make
        self._channel_limit = channels
        self._default = default
        self._status = status or CardStatus()
        self._unknown, self._unselected = unknown, unselected
        self._channels = {0: Channel(make())}
        self._powered = False

    @property
    def applications(self) -> tuple[Application, ...]:
        """The applications of the basic logical channel."""
        return self._channels[0].applications

    def power_on(self) -> bytes:
        """Cold reset; return the ATR."""
        self._drop_volatile()
        self._powered = True
        if self._default is not None:
            try:
                self._select_by_name(self._channels[0], self._default, 0, Template.NONE)
            except Refuse:
                self.nvm.rollback()  # then nothing is selected
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
        try:
            apdu = CommandApdu.parse(c_apdu)
        except ApduError:
            self._garbled()
            return SW.WRONG_LENGTH.to_bytes2()
        try:
            reply = self._answer(apdu)
            self.nvm.commit()
        except Refuse as refusal:
            self.nvm.rollback()
            return refusal.sw.to_bytes2()
        except NvmError as error:
            import logging

            logging.getLogger(__name__).warning("a card's memory cannot be written: %s", error)
            self._undo()
            return SW.MEMORY_FAILURE.to_bytes2()
        except BaseException:
            self._undo()
            raise
        return reply

    def tear(self, c_apdu: bytes, committed: bool) -> None:
        """Execute a C-APDU and lose power at its first commit, see :func:`vreader.card.tear`.

        What was open is lost, what was committed before stays.
        """
        self.nvm.tear("after" if committed else "before")
        try:
            self.transmit(c_apdu)
        except PowerLost:
            pass
        finally:
            self.nvm.tear("")
            self.power_off()

    def _answer(self, apdu: CommandApdu) -> bytes:
        said = ClassByte.parse(apdu.cla)
        channel = self._channel_for(said, apdu)
        pending, channel.pending = channel.pending, b""
        application = channel.application
        if said.proprietary and (application is None or not application.proprietary_class):
            raise Refuse(SW.CLA_NOT_SUPPORTED)
        if said.secure:
            raise Refuse(SW.SECURE_MESSAGING_NOT_SUPPORTED)
        whole = self._joined(channel, apdu, link=said.chaining)
        if whole is None:
            return _OK
        # Clients of an application with class 80 fetch the rest with class 80 as well.
        if whole.ins == GET_RESPONSE and (pending or not said.proprietary):
            return channel.get_response(whole, pending)
        if not said.proprietary:
            if whole.ins == SELECT and whole.p1 == 0x04:
                return channel.reply(self._select(said.channel, channel, whole), apdu)
            if whole.ins == MANAGE_CHANNEL and self._channel_limit > 1:
                return channel.reply(self._manage_channel(said.channel, whole), apdu)
        if whole.cla not in (0x00, 0x80):  # applications do not know that there are channels
            whole = CommandApdu(whole.cla & 0x80, *whole[1:])
        taker = channel.taker(whole)
        if taker is None:
            raise Refuse(self._unselected)
        answer = taker.process(whole)
        if whole.ins == SELECT and taker is not application:
            channel.enter(taker)
        # Le is that of the last link: a joined command only looks extended. The case is not: a
        # last link without data ends a command with data.
        return channel.reply(answer, apdu, case=whole.case)

    def _joined(self, channel: Channel, apdu: CommandApdu, *, link: bool) -> CommandApdu | None:
        """Return the whole command, or None after a link of a chain."""
        if not link:
            return apdu if channel.chain_header is None else channel.join(apdu, link=False)
        if apdu.ins == SELECT:
            # A name of at most 16 bytes needs no chain; and one cut short must not swallow the
            # SELECT with which the next program starts.
            channel.drop_chain()
            raise Refuse(SW.CHAINING_NOT_SUPPORTED)
        if channel.application is None:
            raise Refuse(self._unselected)  # nobody would take the whole
        return channel.join(apdu, link=True)

    # ------------------------------------------------------------------ logical channels

    def _channel_for(self, said: ClassByte, apdu: CommandApdu) -> Channel:
        """Return the channel a command is for; a SELECT by name opens one (§5.4.2)."""
        channel = self._channels.get(said.channel)
        if channel is not None:
            return channel
        selecting = apdu.ins == SELECT and apdu.p1 == 0x04 and not said.proprietary
        if said.channel >= self._channel_limit or not selecting:
            raise Refuse(SW.LOGICAL_CHANNEL_NOT_SUPPORTED)
        return Channel(self._make())  # kept when the SELECT succeeds

    def _manage_channel(self, origin: int, apdu: CommandApdu) -> bytes:
        """Open or close a logical channel (§11.1.2)."""
        if apdu.data:
            raise Refuse(SW.WRONG_LENGTH)
        match apdu.p1:
            case 0x00:
                return self._open_channel(self._channels[origin], origin, apdu.p2)
            case 0x80:
                self._close_channel(apdu.p2 or origin)
                return b""
        raise Refuse(SW.INCORRECT_P1P2)

    def _open_channel(self, origin: Channel, number_of_origin: int, wanted: int) -> bytes:
        """Open ``wanted``, or any with 0; it starts where a channel other than the basic one is."""
        number = wanted or next(
            (n for n in range(1, self._channel_limit) if n not in self._channels), 0
        )
        if not number:
            raise Refuse(SW.FUNCTION_NOT_SUPPORTED)
        if number >= MAX_CHANNELS:
            raise Refuse(SW.INCORRECT_P1P2)
        if number >= self._channel_limit or number in self._channels:
            raise Refuse(SW.LOGICAL_CHANNEL_NOT_SUPPORTED)
        opened = Channel(self._make())
        if not number_of_origin:
            if self._default is not None:
                self._select_by_name(opened, self._default, 0, Template.NONE)
        elif origin.application is not None:
            # By its place: its name may be the beginning of another one's.
            twin = opened.applications[origin.applications.index(origin.application)]
            twin.select(Template.NONE)
            opened.enter(twin)
        self._channels[number] = opened
        return b"" if wanted else bytes((number,))

    def _close_channel(self, number: int) -> None:
        if not number:
            raise Refuse(SW.INCORRECT_P1P2)  # the basic channel is always there
        closed = self._channels.pop(number, None)
        if closed is None:
            raise Refuse(SW.LOGICAL_CHANNEL_NOT_SUPPORTED)
        closed.reset()

    # ------------------------------------------------------------------ selection

    def _select(self, number: int, channel: Channel, apdu: CommandApdu) -> bytes:
        if apdu.p2 & 0xF0:
            raise Refuse(SW.INCORRECT_P1P2)
        if len(apdu.data) > MAX_AID:
            raise Refuse(SW.WRONG_LENGTH)
        wanted = Template(apdu.p2 & 0x0C)
        answer = self._select_by_name(channel, apdu.data, apdu.p2 & 0x03, wanted)
        self._channels[number] = channel
        return answer

    def _select_by_name(
        self, channel: Channel, name: bytes, occurrence: int, wanted: Template
    ) -> bytes:
        """Select by full or right-truncated AID; 0 first, 1 last, 2 next, 3 previous occurrence."""
        found = [a for a in channel.applications if a.aid.startswith(name)]
        before = channel.application
        if before in found and occurrence == 2:
            found = found[found.index(before) + 1 :]
        elif before in found and occurrence == 3:
            found = found[: found.index(before)]
        if not found or len(name) < MIN_AID:
            raise Refuse(self._unknown)
        chosen = found[-1 if occurrence in (1, 3) else 0]
        answer = chosen.select(wanted)
        channel.enter(chosen)
        return b"" if wanted is Template.NONE else answer

    # ------------------------------------------------------------------ what goes wrong

    def _garbled(self) -> None:
        """Forget what was half said: bytes that are no APDU name no channel."""
        for channel in self._channels.values():
            channel.drop_chain()
            channel.pending = b""

    def _undo(self) -> None:
        """Undo a command that failed in the middle; no security status it may have given stays."""
        self.nvm.rollback()
        self._status.drop()
        for channel in self._channels.values():
            channel.pending = b""
            for application in channel.applications:
                application.reset()

    def _drop_volatile(self) -> None:
        basic = self._channels[0]
        for channel in self._channels.values():
            channel.reset()
        self._channels = {0: basic}
        self._status.drop()


def applet_of(card: Card, applet: type[ApplicationT]) -> ApplicationT | None:
    """Return the card's application of a class, on the basic channel; None when it has none."""
    if isinstance(card, AppletCard):
        for application in card.applications:
            if isinstance(application, applet):
                return application
    return None
