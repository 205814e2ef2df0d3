# SPDX-License-Identifier: Apache-2.0
"""Plays a recording as a client: sends its commands again, and compares the answers.

It ends at the first difference: what comes later has its reason there. A command that was masked
when it was recorded is sent with a PIN in its place, a proof of a key with one for this card
(:mod:`vreader.conversation.proving`). Where GET RESPONSE asks for as many bytes as
the card has announced, it does so here too. Commands during which the card was pulled are passed
over: nobody pulls it now.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from vreader.card import CardGone, CardMute
from vreader.conversation.difference import ByteDiff, compare
from vreader.conversation.ends import End
from vreader.conversation.proving import Prover
from vreader.conversation.randomness import RANDOM, Masks, Randomness, Ranges, random_in_command
from vreader.conversation.telling import Teller, holes
from vreader.errors import UsageError
from vreader.iso7816.pattern import Pattern
from vreader.reader.events import ApduEvent, CardEvent
from vreader.recording import Exchange, Reset, Session

KEPT: Final = 5
_GET_RESPONSE: Final = 0xC0
_PAD: Final = b"\xff"
_VERIFY: Final = (0x20, 0x21)
_ANSWERED: Final = "an answer, where there was none"
_HAPPENED: Final = {"mute": "no answer", "gone": "the card was gone"}


class Difference(NamedTuple):
    """The first difference between a recording and a card.

    Attributes:
        line: where it is in the recording.
        number: of the command, from 1; of the next one, where a reset differs.
        what: in words.
        expected: what was recorded, as an event.
        got: what happened.
        diff: the bytes that differ; None where one of the two has none.
        before: the last exchanges before, as they happened now.
        note: what may be the reason; may be empty.
    """

    line: int
    number: int
    what: str
    expected: ApduEvent | CardEvent
    got: ApduEvent | CardEvent
    diff: ByteDiff | None
    before: tuple[ApduEvent | CardEvent, ...]
    note: str = ""


class Played(NamedTuple):
    """What came of it.

    Attributes:
        sent: the number of commands that were sent.
        total: the number of commands in the recording.
        passed_over: those during which the card was pulled.
        difference: the first one; None where there was none.
    """

    sent: int
    total: int
    passed_over: int
    difference: Difference | None


def play(
    sessions: Sequence[Session],
    end: End,
    *,
    source: str = "the recording",
    masks: Masks = RANDOM,
    pins: Sequence[bytes] = (),
    keys: Sequence[bytes] = (),
    unmask: bool = False,
    kept: int = KEPT,
) -> Played:
    """Send the commands of a recording.

    Args:
        sessions: the recording.
        end: where to.
        source: the recording's name, for errors.
        masks: what may differ.
        pins: stand for what was masked in commands, one for each command in order, the last for
            all that follow; in VERIFY padded with FF to the length.
        keys: of a PIV card's management, one for each proof in order, the last for all that follow.
        unmask: show secrets in what is told.
        kept: how many exchanges to remember before a difference.

    Raises:
        UsageError: a command was masked, and there is no PIN, or a key does not fit; nothing has
            been sent then.
        VreaderError: the reader cannot be used.
    """
    commands = list(_filled(sessions, source, pins))
    prover = Prover(keys)
    prover.check(commands)
    tellers = Teller("card", unmask=unmask), Teller("card", unmask=unmask)
    return _Player(end, masks, tellers, prover, kept).play(sessions, commands)


def _filled(sessions: Sequence[Session], source: str, pins: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the commands as they are to be sent."""
    left = list(pins)
    for exchange in (exchange for session in sessions for exchange in session.exchanges):
        masked = holes(exchange.command)
        command = bytearray(exchange.command.value)
        if masked and not pins and exchange.problem != "gone":
            event = Teller().tell(exchange.command, None)
            raise UsageError(
                f"{source}, line {exchange.line}: {event.text or 'the command'} was masked when it"
                " was recorded",
                hint="give the PIN with --pin, or record it with --unmask",
            )
        if masked and pins:
            pin = left.pop(0) if len(left) > 1 else left[0]
            for start, stop in masked:
                if len(pin) > stop - start:
                    raise UsageError(
                        f"{source}, line {exchange.line}: a PIN of {len(pin)} bytes does not fit"
                        f" into {stop - start}",
                        hint="give the one of this card",
                    )
                if len(pin) < stop - start and command[1] not in _VERIFY:
                    # Padded, it would be sent as a key, or as an old PIN and a new one.
                    raise UsageError(
                        f"{source}, line {exchange.line}: {stop - start} bytes were masked when it"
                        f" was recorded, and {len(pin)} are to stand for them",
                        hint="give all of them, as --pin hex:…, or record it with --unmask",
                    )
                command[start:stop] = pin.ljust(stop - start, _PAD)
        yield bytes(command)


class _Player:
    def __init__(
        self, end: End, masks: Masks, tellers: tuple[Teller, Teller], prover: Prover, kept: int
    ) -> None:
        self._end = end
        self._masks = masks
        self._prover = prover
        self._teller, self._recorded_teller = tellers
        self._recorded, self._live = Randomness(masks), Randomness(masks)
        self._before: deque[ApduEvent | CardEvent] = deque(maxlen=kept)
        self._announced: tuple[int, int] | None = None  # by 61XX: recorded, now
        self._sent = self._passed_over = 0
        self._challenged = False

    def play(self, sessions: Sequence[Session], commands: Sequence[bytes]) -> Played:
        following = iter(commands)
        difference: Difference | None = None
        for number, session in enumerate(sessions):
            difference = self._reset(session, first=number == 0)
            for exchange in session.exchanges:
                command = next(following)
                if difference is None:
                    difference = self._exchange(exchange, command)
            if difference is not None:
                break
        return Played(self._sent, len(commands), self._passed_over, difference)

    def _reset(self, session: Session, *, first: bool) -> Difference | None:
        due = session.resets[-1] if session.resets else Reset(True, b"", "")
        cold = due.cold or first  # a beginning, whatever was before
        problem, atr = "", b""
        try:
            atr = self._end.reset(cold=cold)
        except CardGone:
            problem = "gone"
        except CardMute:
            problem = "mute"
        self._teller.reset()
        self._recorded_teller.reset()
        self._recorded.reset()
        self._live.reset()
        self._announced = None
        change = "cold reset" if cold else "warm reset"
        got = CardEvent("card", change, atr, problem)
        expected = CardEvent("card", change, due.atr, due.problem)
        what, diff = "", None
        if problem and not due.problem:
            what = _HAPPENED[problem]
        elif due.problem and not problem:
            what = _ANSWERED
        elif due.atr and not problem and not self._masks.atr:
            diff = compare(_whole(due.atr), atr, status=False)
            what = f"another ATR: {diff.what}" if diff else ""
        if not what:
            self._before.append(got)
            return None
        line = session.exchanges[0].line
        note = "" if problem else "--mask atr lets it be another one"
        return Difference(
            line, self._sent + 1, what, expected, got, diff, tuple(self._before), note
        )

    def _exchange(self, exchange: Exchange, command: bytes) -> Difference | None:
        if exchange.problem == "gone":
            self._passed_over += 1
            return None
        recorded, command = command, self._prover.proven(self._as_announced(command))
        problem, answer = "", b""
        try:
            answer = self._end.transmit(command)
        except CardGone:
            problem = "gone"
        except CardMute:
            problem = "mute"
        self._sent += 1
        self._prover.heard(answer)
        pattern = exchange.command._replace(value=command)  # masked bytes stay masked
        got = self._teller.tell(pattern, answer or None, problem=problem)
        expected = self._recorded_teller.tell(
            pattern, exchange.expected, problem="" if exchange.expected else exchange.problem
        )
        hidden = expected.masked_response, got.masked_response
        what, diff = self._compare(exchange, command, answer, problem, hidden)
        if not what:
            self._before.append(got)
            self._challenged |= self._proves(command) and command == recorded
            return None
        before, reason = tuple(self._before), self._reason(command, recorded)
        return Difference(exchange.line, self._sent, what, expected, got, diff, before, reason)

    def _compare(
        self,
        exchange: Exchange,
        command: bytes,
        answer: bytes,
        problem: str,
        hidden: tuple[Ranges, Ranges],
    ) -> tuple[str, ByteDiff | None]:
        due = exchange.expected
        if due is None or problem:
            recorded, now = exchange.problem if due is None else "", problem
            if recorded == now:
                return "", None
            return _HAPPENED.get(now, _ANSWERED), None
        random_expected = self._recorded.answer(command, due.value)
        random_got = self._live.answer(command, answer)
        self._announced = None
        if due.value[-2:-1] == answer[-2:-1] == b"\x61":
            self._announced = (due.value[-1], answer[-1])
        diff = compare(
            due, answer, random_expected=random_expected, random_got=random_got, hidden=hidden
        )  # fmt: skip
        return (diff.what, diff) if diff else ("", None)

    def _as_announced(self, command: bytes) -> bytes:
        """Ask for as much as there is, where the recorded program did."""
        if self._announced is None or len(command) != 5 or command[1] != _GET_RESPONSE:
            return command
        recorded, now = self._announced
        return command[:4] + bytes((now,)) if command[4] == recorded else command

    def _proves(self, command: bytes) -> bool:
        return bool(random_in_command(command, self._masks))

    def _reason(self, command: bytes, recorded: bytes) -> str:
        if command != recorded and self._proves(command):
            return "the key that was given is perhaps not the card's"
        if self._proves(command):
            return "the command proves something about a challenge, and this card's was another"
        if self._challenged:
            return "an authentication before this was for another challenge"
        return ""


def _whole(data: bytes) -> Pattern:
    return Pattern(data, b"\xff" * len(data))
