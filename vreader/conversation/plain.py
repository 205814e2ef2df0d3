# SPDX-License-Identifier: Apache-2.0
"""Writes a conversation as plain text that people review: what may differ each time is ``**``.

:mod:`vreader.recording` reads it. Answers are cut into lines of 32 bytes, so that a change of one
byte is a change of one line.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Self

from vreader.conversation.hearing import Said
from vreader.conversation.randomness import Freed, Masks, Randomness, Ranges, random_in_command
from vreader.conversation.telling import holes
from vreader.iso7816.pattern import Pattern
from vreader.reader.events import ApduEvent, CardEvent
from vreader.trace.notation import hex_pairs, one_line
from vreader.trace.text import answer_in_words

_ROW: Final = 32
_OF_COMMANDS: Final = ">"
_UNMEASURED: Final = -1.0


class Free(NamedTuple):
    """What may differ.

    Attributes:
        masks: of answers, and what is random in commands.
        commands: bytes of commands that may be anything.
    """

    masks: Masks
    commands: tuple[Freed, ...]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """Read rules of :meth:`vreader.conversation.randomness.Masks.parse`.

        ``>`` before a rule of one's own makes it one for the bytes of the command itself.

        Raises:
            UsageError: one is no rule.
        """
        own = [text[1:].lstrip() for text in texts if text.startswith(_OF_COMMANDS)]
        others = [text for text in texts if not text.startswith(_OF_COMMANDS)]
        return cls(Masks.parse(others), Masks.parse(own).own)


def settled(said: Iterable[Said], free: Free) -> list[Said]:
    """Return what of a conversation is the same in every run; the rest is among what is masked.

    Of several resets the last one counts, and none behind the last command. Nobody measures time.
    """
    found: list[Said] = []
    reset: CardEvent | None = None
    randomness = Randomness(free.masks)
    for event in said:
        if isinstance(event, CardEvent):
            reset = event
            randomness.reset()
            continue
        if reset is not None:
            found.append(reset)
            reset = None
        found.append(_masked(event, randomness, free))
    return found


def _masked(event: ApduEvent, randomness: Randomness, free: Free) -> ApduEvent:
    command, response = event.command, event.response
    own = tuple((f.start, f.end) for f in free.commands if f.command.fits(command))
    sent = (*event.masked, *random_in_command(command, free.masks), *own)
    answer = (*event.masked_response, *randomness.answer(command, response))
    return ApduEvent(
        event.reader,
        command,
        response,
        _joined(sent, len(command)),
        _joined(answer, len(response)),
        event.text,
        _UNMEASURED,
        event.problem,
    )


def _joined(ranges: Iterable[tuple[int, int | None]], length: int) -> Ranges:
    """Return ranges in ascending order that do not touch each other."""
    mask = bytearray(b"\xff" * length)
    for start, end in ranges:
        stop = length if end is None else min(end, length)
        mask[start:stop] = bytes(max(0, stop - start))
    return holes(Pattern(bytes(length), bytes(mask)))


def plain_text(said: Iterable[Said]) -> str:
    """Return a settled conversation as text."""
    return "".join(f"{line}\n" for event in said for line in _lines(event))


def _lines(event: Said) -> Iterator[str]:
    if isinstance(event, CardEvent):
        yield f"RESET {event.atr.hex(' ').upper()}".rstrip()
        return
    words = one_line(event.text)
    yield f"> {' '.join(hex_pairs(event.command, event.masked))}" + (words and f"   # {words}")
    pairs = hex_pairs(event.response, event.masked_response)
    rows = [pairs[at : at + _ROW] for at in range(0, len(pairs), _ROW)] or [[]]
    for row in rows[:-1]:
        yield f"< {' '.join(row)}"
    last = f"< {' '.join(rows[-1])}".rstrip()
    words = one_line(answer_in_words(event).text)
    if pairs:
        yield f"{last}   # {words}" if words else last
    else:
        yield last
        yield f"# {words or 'no answer'}"
