# SPDX-License-Identifier: Apache-2.0
"""Recordings a user may be given: refused with their own error, or shown and played to the end."""

import logging
import random
from typing import ClassVar

from files import TextFile
from mutate import Mutator

from cards.replay.card import ReplayCard
from vreader.cli.show import find_event
from vreader.conversation.objects import Objects
from vreader.conversation.playing import play
from vreader.conversation.randomness import Masks
from vreader.conversation.reading import read_events
from vreader.conversation.report import record, text
from vreader.errors import UsageError
from vreader.reader.events import ApduEvent
from vreader.readfile import decode
from vreader.recording import Session, parse
from vreader.trace.jsonl import json_line
from vreader.trace.text import TextFormat

PLAIN = """# a talk
RESET 3B 80 80 01 01
> 00 A4 04 00 05 A0 00 00 03 08   SELECT PIV
< 61 11 4F 06 00 00 10 00 01 00
< 79 07 4F 05 A0 00 00 03 08 90 00   OK
> 00 20 00 80 08 ** ** ** ** ** ** ** **
< 63 C2
RESET
> 00 87 03 9B 04 7C 02 80 00
< 7C 0A 80 08 AD EC 9F 69 6B B1 81 4B 90 00
> 00 87 03 9B 16 7C 14 80 08 C1 18 C1 5B 4E 9E C6 74 81 08 35 19 CA 4E 00 FD A9 50
< 7C 0A 82 08 3B 19 CF 72 22 F8 90 E8 90 00
> 00 47 00 9A 05 AC 03 80 01 11
< 7F 49 43 86 04 04 01 02 61 03
> 00 C0 00 00 03
< 03 04 05 90 00
"""
JSON = """{"t": 0.1, "event": "TraceOpened", "version": "0.1.0", "started": "x", \
"unmasked": false, "format": 1}
{"t": 0.1, "event": "CardEvent", "reader": "reader0", "change": "inserted", "atr": "", \
"problem": ""}
{"t": 0.2, "event": "CardEvent", "reader": "reader0", "change": "cold reset", "atr": "3B80800101", \
"problem": ""}
{"t": 0.3, "event": "ApduEvent", "reader": "reader0", "command": "00A4040005A000000308", \
"response": "9000", "masked": [], "masked_response": [], "text": "SELECT", "seconds": 0.01, \
"problem": ""}
{"t": 0.4, "event": "ApduEvent", "reader": "reader0", "command": "0020008006************", \
"response": "", "masked": [[5, 11]], "masked_response": [], "text": "", "seconds": 1e3, \
"problem": "mute"}
{"t": 0.5, "event": "PinEvent", "reader": "reader0"}
"""
WORDS = [
    "RESET", ">", "<", "#", "**", "*", ".", "9000", "6103", "7C028000", "{", "}", "[", "]", '"',
    '"event": "ApduEvent",', '"format": 2,', '"problem": "gone"', '"reader": "other",', "null",
    "1e999", "-1", "NaN", "[" * 2000, '"atr": ', '"masked": [[0, 99]]', "\0", "é", "\ud800", "\x85",
    '"event": "StateEvent"', '"event": "Strange", "x": {"y": [1]}', "9" * 5000, "⓪①",
]  # fmt: skip
KEYS = [bytes(24)]


class End:
    """A card that answers what was recorded, mostly."""

    def __init__(self, sessions: tuple[Session, ...], seed: int) -> None:
        self._card = ReplayCard(sessions, "x", b"\x3b\0", strict=False)
        self._chance = random.Random(seed)

    def reset(self, *, cold: bool) -> bytes:
        return self._card.power_on() if cold else self._card.reset()

    def transmit(self, command: bytes) -> bytes:
        answer = self._card.transmit(command)
        if self._chance.random() < 0.2:
            return answer[: self._chance.randrange(len(answer) + 1)]
        return answer


class Recording(TextFile):
    """Recordings: what is shown as JSON lines can be read again; what is read can be played."""

    name = "recording"
    good: ClassVar[str] = PLAIN
    words = WORDS
    encodings: ClassVar[tuple[str, ...]] = ("utf-8", "utf-8", "utf-8", "utf-16", "cp1252")

    def open(self) -> None:
        """Have the replayed card keep its complaints to itself."""
        log = logging.getLogger("vreader")
        self.stack.callback(setattr, log, "disabled", log.disabled)
        log.disabled = True

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        self.good = mutator.chance.choice((PLAIN, JSON))  # type: ignore[misc]
        return super().case(mutator)

    def play(self, case: bytes) -> str | None:
        try:
            content = decode(case, "x", "recording")
        except UsageError:
            return None
        return self._shown(content) or self._played(content)

    def _shown(self, content: str) -> str | None:
        write, objects, lines = TextFormat(full=True), Objects(), ""
        try:
            for seconds, event in read_events(content, "x", find_event):
                write(seconds, event)
                if isinstance(event, ApduEvent):
                    objects.lines(event)
                lines += json_line(seconds or 0.0, event)
        except UsageError as error:
            return None if error.hint else f"no hint: {error}"
        again = [json_line(t or 0.0, event) for t, event in read_events(lines, "x", find_event)]
        return None if "".join(again) == lines else "shown and read it is another"

    def _played(self, content: str) -> str | None:
        try:
            sessions = parse(content, "x")
            end = End(sessions, len(content))
            played = play(sessions, end, masks=Masks(), pins=[b"1"], keys=KEYS)
        except UsageError as error:
            return None if error.hint else f"no hint: {error}"
        text(played, "x")
        record(played)
        return None

    def innocent(self) -> None:
        for content, count in ((PLAIN, 6), (JSON, 2)):
            sessions = parse(content)
            assert sum(len(session.exchanges) for session in sessions) == count
            assert self._shown(content) is None
