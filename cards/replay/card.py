# SPDX-License-Identifier: Apache-2.0
"""The card that answers as recorded, and says where a program leaves the record.

Where it does, the answer is 6F00, and the log ``vreader`` says what was recorded there, which
byte differs, and whether the command stands elsewhere in the record.
"""

from collections.abc import Iterator, Sequence

from cards.standin import Complaints
from vreader.card import CardGone, CardMute
from vreader.iso7816 import SW
from vreader.iso7816.pattern import shown
from vreader.recording import Exchange, Session

_DIVERGED = SW.UNKNOWN.to_bytes2()


class ReplayCard:
    """A card of a recording.

    A reset goes on to the session behind the next recorded reset, from the last one to the first.
    Without a command since the last reset it stays where it is.

    Args:
        sessions: the recording, one at least.
        source: its name, for the log.
        atr: for a recording without one.
        strict: commands come as they were recorded. If not, the next recording of a command is
            its answer: behind the place reached, else from the session's beginning, else from the
            recording's.

    Attributes:
        left: where a program left the record first: what was due, or None, and what came instead.
    """

    def __init__(
        self, sessions: Sequence[Session], source: str, atr: bytes, *, strict: bool
    ) -> None:
        self._sessions = sessions
        self._atr = next((reset[1] for s in sessions for reset in s.resets if reset[1]), atr)
        self._strict = strict
        self._complaints = Complaints(source)
        self._session = 0
        self._next = 0
        self._last = len(sessions) - 1, len(sessions[-1].exchanges) - 1
        self._complete = False
        self._told_at: tuple[int, int] | None = None
        self.left: tuple[Exchange | None, bytes] | None = None

    @property
    def due(self) -> Exchange | None:
        """What was recorded next; None once that was all, whatever comes later."""
        if self._complete:
            return None
        if exchange := self._at((self._session, self._next)):
            return exchange
        following = self._sessions[self._session + 1 :]
        return following[0].exchanges[0] if following else None

    def power_on(self) -> bytes:
        """Return the recorded ATR of a cold reset."""
        return self._reset(cold=True)

    def reset(self) -> bytes:
        """Return the recorded ATR of a warm reset."""
        return self._reset(cold=False)

    def power_off(self) -> None:
        """Do nothing: what follows is a reset."""

    def transmit(self, c_apdu: bytes) -> bytes:
        """Return the recorded answer."""
        if self._strict:
            place = (self._session, self._next)
            exchange = self._at(place)
            found = exchange is not None and exchange.command.fits(c_apdu)
        else:
            place, found = next(((p, True) for p in self._ahead() if self._fits(p, c_apdu)),
                                ((0, 0), False))  # fmt: skip
            exchange = self._at(place)
        if not found or exchange is None:
            if self.left is None:
                self.left = (exchange if self._strict else None), bytes(c_apdu)
            # A program that has left the record tries many things while the same one is due.
            here = (self._session, self._next)
            if not self._strict or self._told_at != here:
                self._complaints.say(self._explain(c_apdu))
                self._told_at = here
            return _DIVERGED
        self._session, self._next = place[0], place[1] + 1
        self._complete |= place == self._last
        return self._said(exchange)

    def _said(self, exchange: Exchange) -> bytes:
        if exchange.answer is not None:
            return exchange.answer
        if exchange.problem == "masked":
            self._complaints.say(
                f"line {exchange.line}: the answer was masked and cannot be replayed;"
                " record it with --unmask"
            )
            return _DIVERGED
        raise CardGone if exchange.problem == "gone" else CardMute

    def _reset(self, *, cold: bool) -> bytes:
        if self._next:
            self._session = (self._session + 1) % len(self._sessions)
            self._next = 0
        resets = self._sessions[self._session].resets
        # The last reset of this kind is the one after which the commands came.
        same = [reset for reset in resets if reset[0] is cold] or list(resets)
        _, atr, problem = same[-1] if same else (cold, self._atr, "")
        if problem == "gone":
            raise CardGone
        if problem and not atr:
            raise CardMute
        return atr or self._atr

    def _at(self, place: tuple[int, int]) -> Exchange | None:
        exchanges = self._sessions[place[0]].exchanges
        return exchanges[place[1]] if place[1] < len(exchanges) else None

    def _fits(self, place: tuple[int, int], command: bytes) -> bool:
        exchange = self._at(place)
        return exchange is not None and exchange.command.fits(command)

    def _ahead(self) -> Iterator[tuple[int, int]]:
        """Yield all places, in the order in which they are tried."""
        exchanges = self._sessions[self._session].exchanges
        yield from ((self._session, number) for number in range(self._next, len(exchanges)))
        yield from ((self._session, number) for number in range(self._next))
        count = len(self._sessions)
        for step in range(1, count):
            session = (self._session + step) % count
            for number in range(len(self._sessions[session].exchanges)):
                yield session, number

    def _explain(self, command: bytes) -> str:
        head = f"{shown(command)} is not what was recorded"
        if not self._strict:
            near = max(
                (e for s in self._sessions for e in s.exchanges),
                key=lambda exchange: exchange.command.nearness(command),
            )
            return f"{head}: nearest is line {near.line}: {near.command.difference(command)}"
        due = self._at((self._session, self._next))
        where = next((p for p in self._ahead() if self._fits(p, command)), None)
        elsewhere = self._at(where) if where is not None else None
        hint = "" if elsewhere is None else f"; line {elsewhere.line} has it (strict=no finds it)"
        if due is None:
            return f"{head}: nothing was sent after this until the next reset{hint}"
        return f"{head}: due is line {due.line}: {due.command.difference(command)}{hint}"
