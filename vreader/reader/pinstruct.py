# SPDX-License-Identifier: Apache-2.0
"""PIN_VERIFY and PIN_MODIFY structures: what an application asks of a pinpad (PC/SC part 10 §2.5).

Two kinds of wrong are told apart. Bytes that are no structure raise PinStructError, and the request
fails (STATUS_INVALID_PARAMETER). A structure with a value that cannot be carried out raises
:class:`~vreader.reader.pinblock.PinBlockError`, and the reader answers 6B80.
"""

from enum import Enum
from struct import Struct
from typing import Any, NamedTuple

from vreader.iso7816.apdu import CommandApdu
from vreader.reader.pinblock import PinBlockError, PinFormat, parse_template, with_data

# bEntryValidationCondition: what completes an entry.
MAX_REACHED, KEY_PRESSED, TIME_OUT = 1, 2, 4
# bConfirmPIN: what PIN_MODIFY asks for besides the new PIN.
CONFIRM, CURRENT = 1, 2
# bNumberMessage: the reader's own messages.
DEFAULT_MESSAGES = 0xFF

MIN_PIN_SIZE, MAX_PIN_SIZE = 1, 16

_MIN_APDU = 4


class PinStructError(ValueError):
    """The input buffer holds no such structure."""


class PIN_VERIFY_STRUCTURE(NamedTuple):
    """The fixed part of PIN_VERIFY, packed and little endian; abData follows."""

    bTimerOut: int
    bTimerOut2: int
    bmFormatString: int
    bmPINBlockString: int
    bmPINLengthFormat: int
    wPINMaxExtraDigit: int
    bEntryValidationCondition: int
    bNumberMessage: int
    wLangId: int
    bMsgIndex: int
    bTeoPrologue: bytes
    ulDataLength: int


class PIN_MODIFY_STRUCTURE(NamedTuple):
    """The fixed part of PIN_MODIFY, packed and little endian; abData follows."""

    bTimerOut: int
    bTimerOut2: int
    bmFormatString: int
    bmPINBlockString: int
    bmPINLengthFormat: int
    bInsertionOffsetOld: int
    bInsertionOffsetNew: int
    wPINMaxExtraDigit: int
    bConfirmPIN: int
    bEntryValidationCondition: int
    bNumberMessage: int
    wLangId: int
    bMsgIndex1: int
    bMsgIndex2: int
    bMsgIndex3: int
    bTeoPrologue: bytes
    ulDataLength: int


PIN_VERIFY = Struct("<5B H 2B H B 3s I")
PIN_MODIFY = Struct("<7B H 3B H 3B 3s I")


class Asked(Enum):
    """Which PIN a person is asked for."""

    PIN = "PIN"
    CURRENT = "current PIN"
    NEW = "new PIN"
    CONFIRMATION = "new PIN again"


_DEFAULT_MESSAGE = {Asked.PIN: 0, Asked.CURRENT: 0, Asked.NEW: 1, Asked.CONFIRMATION: 2}


class Question(NamedTuple):
    """One entry the person has to make.

    Attributes:
        asked: which PIN.
        message: index of the message on the display, None for no message.
    """

    asked: Asked
    message: int | None


class PinRequest(NamedTuple):
    """A PIN_VERIFY or PIN_MODIFY structure that can be carried out.

    Attributes:
        time_out: seconds for an entry (bTimerOut); 0 is the reader's default.
        time_out_2: seconds after the first key stroke (bTimerOut2); 0 is the same as ``time_out``.
        format: how the digits become a PIN block.
        offset_old, offset_new: bytes before the blocks of the current and of the new PIN; the only
            PIN of PIN_VERIFY is the new one here.
        min_digits, max_digits: how long a PIN may be, the reader's own limits applied.
        condition: MAX_REACHED | KEY_PRESSED | TIME_OUT: what completes an entry.
        language: wLangId, a Windows language identifier; 0 is the reader's default.
        questions: what the person is asked, in order.
        template: the command the PINs go into.
    """

    time_out: int
    time_out_2: int
    format: PinFormat
    offset_old: int
    offset_new: int
    min_digits: int
    max_digits: int
    condition: int
    language: int
    questions: tuple[Question, ...]
    template: CommandApdu

    def check_apart(self, current: int, new: int) -> None:
        """Refuse a current and a new PIN of so many digits that overlap; raises PinBlockError."""
        one = self.format.span(current, self.offset_old)
        other = self.format.span(new, self.offset_new)
        if max(one.start, other.start) < min(one.stop, other.stop):
            raise PinBlockError("bInsertionOffsetOld and bInsertionOffsetNew overlap")

    def command(self, entries: dict[Asked, str]) -> bytes:
        """Return the command with the PINs in place.

        Args:
            entries: digits for each question, the confirmation compared already.

        Raises:
            PinBlockError: there is no room for them.
        """
        data = self.template.data
        new, place = entries.get(Asked.NEW, entries.get(Asked.PIN, "")), self.offset_new
        if (current := entries.get(Asked.CURRENT)) is not None:
            data = self.format.insert(data, current, self.offset_old)
            if self.template.data:
                self.check_apart(len(current), len(new))
            else:
                place = len(data)  # nothing was laid out: the new PIN follows the current one
        return with_data(self.template, self.format.insert(data, new, place))


def parse_verify(raw: bytes) -> PinRequest:
    """Read a PIN_VERIFY structure.

    Raises:
        PinStructError: its length is wrong.
        PinBlockError: it asks for something that cannot be done.
    """
    members = PIN_VERIFY_STRUCTURE._make(_unpack(PIN_VERIFY, raw))
    questions = _questions([Asked.PIN], members.bNumberMessage, (members.bMsgIndex,))
    return _request(members, (0, 0), questions, parse_template(raw[PIN_VERIFY.size :]))


def parse_modify(raw: bytes) -> PinRequest:
    """Read a PIN_MODIFY structure; raises as :func:`parse_verify` does."""
    members = PIN_MODIFY_STRUCTURE._make(_unpack(PIN_MODIFY, raw))
    asked = [Asked.NEW]
    if members.bConfirmPIN & CURRENT:
        asked.insert(0, Asked.CURRENT)
    if members.bConfirmPIN & CONFIRM:
        asked.append(Asked.CONFIRMATION)
    indices = (members.bMsgIndex1, members.bMsgIndex2, members.bMsgIndex3)
    request = _request(
        members,
        (members.bInsertionOffsetOld, members.bInsertionOffsetNew),
        _questions(asked, members.bNumberMessage, indices),
        parse_template(raw[PIN_MODIFY.size :]),
    )
    if members.bConfirmPIN & CURRENT and request.template.data:
        request.check_apart(request.min_digits, request.min_digits)
    return request


def _unpack(layout: Struct, raw: bytes) -> tuple[Any, ...]:
    """Return the members of the fixed part; raises PinStructError where the lengths are wrong."""
    if len(raw) < layout.size + _MIN_APDU:
        raise PinStructError(f"{len(raw)} bytes are too few, {layout.size + _MIN_APDU} are needed")
    members = layout.unpack_from(raw)
    if members[-1] != len(raw) - layout.size:
        raise PinStructError(
            f"ulDataLength is {members[-1]}, {len(raw) - layout.size} bytes follow"
        )
    return members


def _questions(
    asked: list[Asked], bNumberMessage: int, indices: tuple[int, ...]
) -> tuple[Question, ...]:
    """Give each question its message; bNumberMessage says for how many there is one."""
    if bNumberMessage == DEFAULT_MESSAGES:
        return tuple(Question(which, _DEFAULT_MESSAGE[which]) for which in asked)
    if bNumberMessage > len(indices):
        raise PinBlockError(f"bNumberMessage {bNumberMessage:02X} is none of the values for it")
    return tuple(
        Question(which, indices[place] if place < bNumberMessage else None)
        for place, which in enumerate(asked)
    )


def _request(
    members: PIN_VERIFY_STRUCTURE | PIN_MODIFY_STRUCTURE,
    offsets: tuple[int, int],
    questions: tuple[Question, ...],
    template: CommandApdu,
) -> PinRequest:
    """Check what both structures have in common."""
    pin_format = PinFormat.decode(
        members.bmFormatString, members.bmPINBlockString, members.bmPINLengthFormat
    )
    condition = members.bEntryValidationCondition
    if not 0 < condition <= MAX_REACHED | KEY_PRESSED | TIME_OUT:
        raise PinBlockError(f"bEntryValidationCondition {condition:02X} is none")
    digits = members.wPINMaxExtraDigit
    room = MAX_PIN_SIZE if pin_format.capacity is None else pin_format.capacity
    least = max(digits >> 8, MIN_PIN_SIZE)
    most = min(digits & 0xFF or MAX_PIN_SIZE, room, MAX_PIN_SIZE)
    if least > most:
        raise PinBlockError(f"wPINMaxExtraDigit {digits:04X} allows no PIN")
    for question in questions:
        offset = offsets[0] if question.asked is Asked.CURRENT else offsets[1]
        pin_format.check(len(template.data), offset)
    return PinRequest(
        members.bTimerOut,
        members.bTimerOut2,
        pin_format,
        *offsets,
        least,
        most,
        condition,
        members.wLangId,
        questions,
        template,
    )
