# SPDX-License-Identifier: Apache-2.0
"""The keypad and display of a reader: VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT (PC/SC part 10).

A request pends while the person types, so that the driver library answers others DEVICE_BUSY; the
command then goes to the card as any other. What the person types is told to nobody else. A failure
of the pinpad itself is answered in place of the card's status word: 6400 time-out, 6401 cancel key,
6402 the confirmation differs, 6403 a PIN too short or too long, 6B80 a structure that cannot be
carried out.
"""

from collections.abc import Callable
from functools import partial

from vreader.reader.ask import STATUS_OF, Answer, Problem
from vreader.reader.events import PinEvent
from vreader.reader.finger import Entry, Finger, Key, Prompt, Typed, as_typed
from vreader.reader.pinblock import PinBlockError
from vreader.reader.pinstruct import (
    KEY_PRESSED,
    MAX_REACHED,
    TIME_OUT,
    Asked,
    PinRequest,
    PinStructError,
)
from vreader.reader.slot import Slot
from vreader.smclib.ioctl import Attr
from vreader.smclib.library import next_state
from vreader.smclib.states import ReaderEvent
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS, DeviceObject, Irp
from vreader.wdm.irp import answer_in_buffer

DEFAULT_TIME_OUT_S = 30

# PC/SC part 3, the same bits for both: 2 is a numeric keypad.
_NUMERIC_PAD = (2).to_bytes(4, "little")
AUTHENTICATION_DEVICES: dict[int, bytes] = {
    Attr.USER_TO_CARD_AUTH_DEVICE: _NUMERIC_PAD,
    Attr.USER_AUTH_INPUT_DEVICE: _NUMERIC_PAD,
}

TIMED_OUT, CANCELLED, MISMATCH, WRONG_LENGTH, BAD_STRUCTURE = (
    bytes.fromhex(sw) for sw in ("6400", "6401", "6402", "6403", "6B80")
)
_OUTCOMES = {
    TIMED_OUT: "timed out",
    CANCELLED: "cancelled",
    MISMATCH: "differs",
    WRONG_LENGTH: "too short or too long",
    BAD_STRUCTURE: "no room in the command",
}


class _Session:
    """One request on its way: what has been typed so far."""

    __slots__ = ("digits", "entries", "irp", "request")

    def __init__(self, irp: Irp, request: PinRequest) -> None:
        self.irp = irp
        self.request = request
        self.entries: dict[Asked, str] = {}
        self.digits = ""

    @property
    def prompt(self) -> Prompt:
        """The entry asked for now."""
        request = self.request
        question = request.questions[len(self.entries)]
        return Prompt(
            question.asked,
            request.min_digits,
            request.max_digits,
            question.message,
            request.language,
        )


class Pinpad:
    """The keypad of one slot, and the finger on it."""

    def __init__(self, slot: Slot, finger: Finger) -> None:
        self._slot = slot
        self._finger = finger
        self._session: _Session | None = None

    # ------------------------------------------------------------------ the request

    def start(self, ext: SMARTCARD_EXTENSION, parse: Callable[[bytes], PinRequest]) -> NTSTATUS:
        """Begin VERIFY_PIN_DIRECT or MODIFY_PIN_DIRECT, the request in hand.

        Args:
            ext: the reader's.
            parse: reads the structure in the request buffer.

        Returns:
            STATUS_PENDING; else BUFFER_TOO_SMALL for a reply buffer that cannot hold a status word,
            INVALID_PARAMETER for what is no structure, NO_MEDIA, INVALID_DEVICE_STATE for a card
            that cannot be asked, or SUCCESS with the answer 6B80.
        """
        io = ext.IoRequest
        if io.ReplyBufferLength < len(BAD_STRUCTURE):
            return NTSTATUS.BUFFER_TOO_SMALL
        request: PinRequest | None = None
        try:
            request = parse(bytes(io.RequestBuffer[: io.RequestBufferLength]))
        except PinStructError:
            return NTSTATUS.INVALID_PARAMETER
        except PinBlockError:
            pass  # answered 6B80 where a card could have been asked
        refusal = next_state(ext, ReaderEvent.TRANSMIT)
        if isinstance(refusal, NTSTATUS):
            return refusal
        irp = ext.OsData.CurrentIrp
        assert irp is not None  # the library calls back with a request in hand
        if request is None:
            io.ReplyBuffer[: len(BAD_STRUCTURE)] = BAD_STRUCTURE
            io.Information = len(BAD_STRUCTURE)
            return NTSTATUS.SUCCESS
        status = self._slot.hold(self._cancel)
        if status is NTSTATUS.PENDING:
            self._session = _Session(irp, request)
            self._ask(self._session)
        return status

    def _cancel(self, device: DeviceObject, irp: Irp) -> None:
        self._slot.complete(irp, NTSTATUS.CANCELLED)

    def _answer(self, session: _Session, answer: bytes) -> None:
        """Answer in place of the card."""
        self._tell(session, _OUTCOMES[answer])
        self._session = None
        self._slot.complete(session.irp, answer_in_buffer(session.irp, answer))

    def _tell(self, session: _Session, outcome: str) -> None:
        events = self._slot.io.events
        if events:
            asked = session.prompt.asked.value
            events.emit(PinEvent(self._slot.observer.reader, asked, outcome))

    # ------------------------------------------------------------------ the person

    def _ask(self, session: _Session) -> None:
        """Show the next prompt."""
        session.digits = ""
        self._wait(session, session.request.time_out)
        self._slot.io.queue_work(
            partial(self._look, session.prompt),
            partial(self._looked, session, len(session.entries)),
        )

    def _wait(self, session: _Session, seconds: int) -> None:
        self._slot.set_deadline(seconds or DEFAULT_TIME_OUT_S, partial(self._time_is_over, session))

    def _look(self, prompt: Prompt) -> Entry:
        """See what the finger does; called without the lock."""
        try:
            typed = self._finger(prompt)
            return typed if typed is None else as_typed(typed)
        except Exception as error:
            _tell_fault(error)
            return Key.CANCEL

    def _looked(self, session: _Session, prompt: int, typed: Entry) -> None:
        late = prompt != len(session.entries) or not self._waits_for(session)
        if typed is not None and not late:
            self._take(session, as_typed(typed))

    def _waits_for(self, session: _Session) -> bool:
        return session is self._session and self._slot.holds(session.irp)

    def press(self, entry: str | Typed | Key) -> bool:
        """Press keys now; False where nothing is asked for.

        Raises:
            UsageError: no keypad can type the entry.
        """
        typed, session = as_typed(entry), self._session
        if session is None or not self._waits_for(session):
            return False
        self._take(session, typed)
        return True

    def _take(self, session: _Session, typed: Typed | Key) -> None:
        """Take what was pressed; bEntryValidationCondition says whether it completes the entry."""
        if typed is Key.CANCEL:
            return self._answer(session, CANCELLED)
        if isinstance(typed, Key):
            return self._time_is_over(session)
        request = session.request
        session.digits += typed.digits
        if request.condition & MAX_REACHED and len(session.digits) >= request.max_digits:
            session.digits = session.digits[: request.max_digits]
        elif not (typed.validated and request.condition & KEY_PRESSED):
            # Not complete yet: the time after the first key runs.
            return self._wait(session, request.time_out_2 or request.time_out)
        return self._completed(session)

    def _time_is_over(self, session: _Session) -> None:
        """Give up, unless passing time is what completes an entry."""
        if not self._waits_for(session):
            return
        if session.digits and session.request.condition & TIME_OUT:
            self._completed(session)
        else:
            self._answer(session, TIMED_OUT)

    def _completed(self, session: _Session) -> None:
        """Look at one PIN; ask for the next or go to the card."""
        request, digits, entries = session.request, session.digits, session.entries
        asked = session.prompt.asked
        if not request.min_digits <= len(digits) <= request.max_digits:
            return self._answer(session, WRONG_LENGTH)
        if asked is Asked.CONFIRMATION and digits != entries[Asked.NEW]:
            return self._answer(session, MISMATCH)
        try:
            last = len(entries) + 1 == len(request.questions)
            command = request.command({**entries, asked: digits}) if last else b""
        except PinBlockError:
            return self._answer(session, BAD_STRUCTURE)
        self._tell(session, "typed")
        entries[asked] = digits
        return self._send(session.irp, command) if last else self._ask(session)

    # ------------------------------------------------------------------ the card

    def _send(self, irp: Irp, command: bytes) -> None:
        """Hand the command to the card, by the way of TRANSMIT."""
        self._session = None
        slot = self._slot
        status = slot.exchange(command, _answered, typed=True)
        if status is not NTSTATUS.PENDING:
            slot.complete(irp, status)


def _answered(irp: Irp, answer: Answer) -> NTSTATUS:
    if isinstance(answer, Problem):
        return STATUS_OF[answer]
    return answer_in_buffer(irp, answer) if len(answer) >= 2 else NTSTATUS.DEVICE_PROTOCOL_ERROR


def _tell_fault(error: Exception) -> None:
    """Log a fault of the finger's code; its text may hold a PIN, so only its type is told."""
    import logging  # slow to import, and most worlds never need it

    logging.getLogger("vreader").error(
        "the finger on the pinpad failed (%s); it counts as the cancel key", type(error).__name__
    )
