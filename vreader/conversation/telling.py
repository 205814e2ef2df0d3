# SPDX-License-Identifier: Apache-2.0
"""Tells what an exchange means, as a world's trace does, wherever it comes from.

Which application is selected is followed, and the card kinds that know it explain its commands and
say what in them is secret (:class:`vreader.reader.observer.ApduObserver`).
"""

from vreader.events import Emitter
from vreader.iso7816.pattern import Pattern
from vreader.kinds import describe
from vreader.reader.events import ApduEvent
from vreader.reader.observer import ApduObserver, Ranges, blank


class Teller:
    """Makes the events of one reader's conversation.

    Args:
        reader: its name.
        unmask: show secrets that were not masked before.
    """

    def __init__(self, reader: str = "", *, unmask: bool = False) -> None:
        events = Emitter()
        events.subscribe(self._told)
        self._observer = ApduObserver(events, reader, describe, unmask)
        self._last: ApduEvent | None = None

    def _told(self, event: object) -> None:
        assert isinstance(event, ApduEvent)
        self._last = event

    def reset(self) -> None:
        """Follow a reset: nothing is selected any more."""
        self._observer.reset()

    def tell(
        self,
        command: Pattern | bytes,
        response: Pattern | bytes | None,
        *,
        seconds: float = -1.0,
        problem: str = "",
        text: str = "",
    ) -> ApduEvent:
        """Return the event of an exchange; call it for every one, in order.

        Args:
            command: what was sent; bytes of a pattern that may be anything were masked.
            response: what was answered; None for nothing.
            seconds: how long it took; negative where nobody has measured it.
            problem: what went wrong, as :class:`ApduEvent` has it.
            text: what is known of the command's meaning already.
        """
        sent, masked = _split(command)
        answer, masked_answer = _split(b"" if response is None else response)
        self._observer.selected(sent, answer)
        self._observer.exchanged(sent, answer, seconds, problem)
        told = self._last
        assert told is not None
        masked = _union(masked, told.masked)
        masked_answer = _union(masked_answer, told.masked_response)
        return ApduEvent(
            told.reader,
            blank(told.command, masked),
            blank(told.response, masked_answer),
            masked,
            masked_answer,
            text or told.text,
            seconds,
            problem,
        )


def holes(pattern: Pattern) -> Ranges:
    """Return the (start, end) ranges of a pattern that may be anything."""
    found: list[tuple[int, int]] = []
    for at, mask in enumerate(pattern.mask):
        if mask:
            continue
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return tuple(found)


def _split(data: Pattern | bytes) -> tuple[bytes, Ranges]:
    return (data.value, holes(data)) if isinstance(data, Pattern) else (data, ())


def _union(one: Ranges, other: Ranges) -> Ranges:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((*one, *other)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
