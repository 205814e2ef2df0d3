# SPDX-License-Identifier: Apache-2.0
"""Asking a card, without the lock: its answer, or why there is none."""

from collections.abc import Callable, Generator
from enum import Enum

from vreader.card import Card, CardGone, CardMute
from vreader.reader.events import CardFaultEvent
from vreader.reader.observer import ApduObserver
from vreader.wdm import NTSTATUS


class Problem(Enum):
    """Why a card gave no answer."""

    GONE = "gone"
    MUTE = "mute"
    FAULT = "fault"
    PROTOCOL = "protocol error"
    COMMAND = "not possible"


Answer = bytes | Problem
# What a card's side of a request returns: the answer, or the steps there with seconds between.
Asked = Answer | Generator[float, None, Answer]

# How a request ends for which a card gave no answer.
STATUS_OF = {
    Problem.GONE: NTSTATUS.NO_MEDIA,
    Problem.MUTE: NTSTATUS.IO_TIMEOUT,
    Problem.FAULT: NTSTATUS.IO_TIMEOUT,
    Problem.PROTOCOL: NTSTATUS.DEVICE_PROTOCOL_ERROR,
    Problem.COMMAND: NTSTATUS.INVALID_PARAMETER,
}
FAULT_RESPONSE = b"\x6f\x00"


def power_off(card: Card) -> bytes:
    """Take the card's power; the answer is empty."""
    card.power_off()
    return b""


def ask_card(
    observer: ApduObserver,
    call: Callable[..., object],
    command: bytes | None = None,
    typed: bool = False,
) -> Answer:
    """Call the card. Its two signals are answers; anything else it raises is its bug.

    A PIN was ``typed`` into the command or not.
    """
    try:
        answer = call() if command is None else call(command)
        if type(answer) is bytes:
            return answer
        if isinstance(answer, bytes | bytearray):
            return bytes(answer)
        raise TypeError(f"the card returned {type(answer).__name__}, not bytes")
    except CardGone:
        return Problem.GONE
    except CardMute:
        return Problem.MUTE
    except Exception as error:
        _tell_fault(observer, error, command is not None and observer.is_secret(command, typed))
        return Problem.FAULT


def _tell_fault(observer: ApduObserver, error: Exception, secret: bool) -> None:
    """Log a fault of a card's code: whoever wrote it must hear of it, traced or not.

    The exception's text may quote the exchange: where that is ``secret`` only its type is told.
    """
    import logging  # both are slow to import, and most worlds never need them
    import traceback

    text = "".join(traceback.format_exception(error))
    if secret:
        text = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    logging.getLogger("vreader").error("a card's code failed; it answers 6F00\n%s", text)
    if observer.events:
        observer.events.emit(CardFaultEvent(observer.reader, text))
