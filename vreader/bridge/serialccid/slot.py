# SPDX-License-Identifier: Apache-2.0
"""The reader's one slot: what each CCID command does, from its checks to its answer (CCID 1.1).

The reader works on the level of TPDUs: the host speaks T=0 or T=1, the reader carries bytes to the
card. What is behind the contacts is the port ``Icc``. No device, thread or clock.
"""

from collections.abc import Callable
from typing import Protocol

from vreader.bridge.serialccid.ccid import (
    FAILED,
    Answer,
    Command,
    IccStatus,
    Refusal,
    Request,
    Response,
    SlotError,
    slot_change,
)

FIRMWARE = b"GemTwin-vreader"

# What this reader's escapes say (GemPC Twin): the first byte, behind it further ones.
_ESCAPE_FIRMWARE = b"\x02"
_ESCAPE_NOTIFICATION = b"\x01\x01"

_BYTES_OF_PARAMETERS = {0: 5, 1: 7}  # by protocol number (CCID 1.1 section 6.1.7)
_MAX_POWER_SELECT = 3  # automatic, 5 V, 3 V, 1.8 V


class Icc(Protocol):
    """The card's side of the contacts, or nothing where a card could be."""

    @property
    def status(self) -> IccStatus:
        """Whether a card is there and has power; may change at any moment."""

    def power_on(self) -> bytes:
        """Activate the contacts, or reset a card that is active; return the ATR.

        Raises:
            Refusal: the card does not answer, or nothing that is an ATR.
        """

    def power_off(self) -> None:
        """Deactivate the contacts; harmless without a card."""

    def exchange(self, tpdu: bytes) -> bytes:
        """Send a PPS request, a block or a T=0 command to an active card; return its answer.

        Raises:
            Refusal: the card does not answer, or not by the rules.
        """

    def parameters(self) -> tuple[int, bytes]:
        """Return the protocol number in use and its abProtocolDataStructure."""

    def set_parameters(self, protocol: int, data: bytes | None) -> None:
        """Use ``protocol`` with these parameters, or with those of the ATR.

        Raises:
            Refusal: the card does not offer it.
        """


class CcidSlot:
    """Answers a host's CCID messages from what is behind the contacts."""

    def __init__(self, icc: Icc) -> None:
        self._icc = icc
        self._present = False
        self._commands: dict[int, tuple[Answer, Callable[[Request], tuple[int, bytes]]]] = {
            Command.ICC_POWER_ON: (Answer.DATA_BLOCK, self._power_on),
            Command.ICC_POWER_OFF: (Answer.SLOT_STATUS, self._power_off),
            Command.GET_SLOT_STATUS: (Answer.SLOT_STATUS, self._slot_status),
            Command.XFR_BLOCK: (Answer.DATA_BLOCK, self._xfr_block),
            Command.GET_PARAMETERS: (Answer.PARAMETERS, self._get_parameters),
            Command.SET_PARAMETERS: (Answer.PARAMETERS, self._set_parameters),
            Command.RESET_PARAMETERS: (Answer.PARAMETERS, self._reset_parameters),
            Command.ESCAPE: (Answer.ESCAPE, self._escape),
        }

    def moved(self) -> bytes:
        """Return NotifySlotChange when a card has come or gone since the last call, else nothing.

        Hosts of this reader set it to tell that before its next answer, not when it happens.
        """
        present = self._icc.status is not IccStatus.ABSENT
        if present == self._present:
            return b""
        self._present = present
        return slot_change(present=present)

    def answer(self, message: bytes) -> bytes:
        """Execute one command and return the answer; what is wrong is said in the answer."""
        request = Request.parse(message)
        kind, execute = self._commands.get(request.kind, (Answer.SLOT_STATUS, _unknown))
        if request.slot != 0:
            status = IccStatus.ABSENT | FAILED
            return bytes(Response(kind, request.slot, request.seq, status, SlotError.BAD_SLOT))
        try:
            parameter, data = execute(request)
        except Refusal as refusal:
            status = self._icc.status | FAILED
            return bytes(Response(kind, 0, request.seq, status, refusal.error))
        return bytes(Response(kind, 0, request.seq, self._icc.status, 0, parameter, data))

    # Each returns the byte behind bError, and abData.

    def _power_on(self, request: Request) -> tuple[int, bytes]:
        _no_data(request)
        if request.parameters[0] > _MAX_POWER_SELECT:
            raise Refusal(SlotError.BAD_PARAMETER)
        self._need_card()
        return 0, self._icc.power_on()

    def _power_off(self, request: Request) -> tuple[int, bytes]:
        _no_data(request)
        self._icc.power_off()
        return self._clock(), b""

    def _slot_status(self, request: Request) -> tuple[int, bytes]:
        _no_data(request)
        return self._clock(), b""

    def _xfr_block(self, request: Request) -> tuple[int, bytes]:
        self._need_power()
        if not request.data:
            raise Refusal(SlotError.BAD_LENGTH)
        return 0, self._icc.exchange(request.data)

    def _get_parameters(self, request: Request) -> tuple[int, bytes]:
        _no_data(request)
        self._need_power()
        return self._icc.parameters()

    def _set_parameters(self, request: Request) -> tuple[int, bytes]:
        self._need_power()
        protocol = request.parameters[0]
        if protocol not in _BYTES_OF_PARAMETERS:
            raise Refusal(SlotError.BAD_PARAMETER)
        if len(request.data) != _BYTES_OF_PARAMETERS[protocol]:
            raise Refusal(SlotError.BAD_LENGTH)
        self._icc.set_parameters(protocol, request.data)
        return self._icc.parameters()

    def _reset_parameters(self, request: Request) -> tuple[int, bytes]:
        _no_data(request)
        self._need_power()
        protocol, _ = self._icc.parameters()
        self._icc.set_parameters(protocol, None)
        return self._icc.parameters()

    def _escape(self, request: Request) -> tuple[int, bytes]:
        if request.data == _ESCAPE_FIRMWARE:
            return 0, FIRMWARE
        if request.data.startswith(_ESCAPE_NOTIFICATION):
            return 0, b""
        raise Refusal(SlotError.COMMAND_NOT_SUPPORTED)

    # Small parts.

    def _clock(self) -> int:
        """Return bClockStatus: running, or stopped low."""
        return 0 if self._icc.status is IccStatus.ACTIVE else 1

    def _need_card(self) -> None:
        if self._icc.status is IccStatus.ABSENT:
            raise Refusal(SlotError.ICC_MUTE)

    def _need_power(self) -> None:
        if self._icc.status is not IccStatus.ACTIVE:
            raise Refusal(SlotError.ICC_MUTE)


def _no_data(request: Request) -> None:
    if request.data:
        raise Refusal(SlotError.BAD_LENGTH)


def _unknown(request: Request) -> tuple[int, bytes]:
    raise Refusal(SlotError.COMMAND_NOT_SUPPORTED)
