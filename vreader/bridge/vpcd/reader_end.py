# SPDX-License-Identifier: Apache-2.0
"""The reader's end of vpcd: it listens as the driver does, and who connects is the card.

One card at a time. The protocol has no word of greeting and none for refusal, so a connection is
asked for its ATR before it is believed, and a second card is hung up on; why is told by an event
and in the log. Each connection has a thread of its own: a silent one keeps nobody waiting.
"""

import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from vreader.bridge.vpcd.events import (
    CardProgramConnected,
    CardProgramLeft,
    CardProgramRefused,
    VpcdIgnored,
)
from vreader.bridge.vpcd.foreign import POWER_UP_S, ForeignCard
from vreader.card import Card, CardGone, CardMute
from vreader.errors import VreaderError
from vreader.events import Emitter
from vreader.iso7816.atr import MAX_ATR_LENGTH

_BACKLOG = 16
_PAUSE_S = 0.1
_LOOPBACK = ("127.", "::1")


@dataclass(frozen=True, slots=True)
class ReaderEndTiming:
    """How long things may take, in seconds.

    Attributes:
        patience_s: a command.
        power_up_s: an ATR, also the first one.
        leave_s: a card that has hung up, until it is out of the reader for the next one.
    """

    patience_s: float = 60.0
    power_up_s: float = POWER_UP_S
    leave_s: float = 2.0


class ReaderEnd:
    """Listens for card programs, for one reader.

    Args:
        reader: the reader's name, for events.
        host: the address to listen at.
        port: the port; 0 is a free one.
        came: called with the card of a program, in a thread; raises VreaderError to refuse it.
        left: called when it is gone, in the same thread.
        events: told what happens.
        timing: how long things may take.

    Attributes:
        host: the address it listens at.
        port: the port.
        peer: the address of the present card program, or nothing.

    Raises:
        VreaderError: nobody can listen there.
    """

    def __init__(
        self,
        reader: str,
        host: str,
        port: int,
        *,
        came: Callable[[Card], None],
        left: Callable[[Card], None],
        events: Emitter | None = None,
        timing: ReaderEndTiming | None = None,
    ) -> None:
        self.reader = reader
        self.peer = ""
        self._came = came
        self._left = left
        self._events = Emitter() if events is None else events
        self._timing = timing or ReaderEndTiming()
        self._listener = _listen(host, port)
        self.host: str
        self.port: int
        self.host, self.port = self._listener.getsockname()[:2]
        self._wake, self._waker = socket.socketpair()
        self._changed = threading.Condition()
        self._stopping = False
        self._inside: ForeignCard | None = None
        self._asked: set[ForeignCard] = set()
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name=f"vpcd {reader}", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, as ``HOST:PORT``."""
        return _address(self.host, self.port)

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach it."""
        return not self.host.startswith(_LOOPBACK)

    def hang_up(self, reason: str = "it was hung up on") -> None:
        """End the present connection, if there is one; it is out of the reader on return."""
        with self._changed:
            card = self._inside
            if card is not None:
                card.hang_up(reason)
                self._changed.wait_for(lambda: self._inside is not card, self._timing.leave_s)

    def settle(self) -> None:
        """Return when a card program that has hung up is also out of the reader."""
        with self._changed:
            if self._inside is not None and self._inside.has_left():
                self._changed.wait_for(lambda: self._inside is None, self._timing.leave_s)

    def close(self) -> None:
        """Hang up and listen no more. May be called twice."""
        with self._changed:
            if self._stopping:
                return
            self._stopping = True
            for card in {*self._asked, self._inside} - {None}:
                assert card is not None
                card.hang_up("the reader is closed")
        self._waker.send(b"\0")
        self._thread.join(self._timing.leave_s)
        with self._changed:
            self._changed.wait_for(
                lambda: self._inside is None and not self._asked, self._timing.leave_s
            )

    # ------------------------------------------------------------------ the threads

    def _run(self) -> None:
        """Take connections until it is closed."""
        with (
            self._listener as listener,
            self._wake as wake,
            self._waker,
            selectors.DefaultSelector() as selector,
        ):
            listener.setblocking(False)
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while not self._stopping:
                selector.select()
                try:
                    sock, peer = listener.accept()
                except BlockingIOError:
                    continue  # it has gone again
                except OSError:
                    with self._changed:  # no more files may be opened, say: not all the time
                        self._changed.wait_for(lambda: self._stopping, _PAUSE_S)
                    continue
                self._take(sock, _address(*peer[:2]))

    def _take(self, sock: socket.socket, peer: str) -> None:
        """Give a connection its thread, if it may have one."""
        if len(self._asked) >= _BACKLOG:
            sock.close()
            self._refuse(peer, "too many have connected and not told an ATR yet")
            return
        card = ForeignCard(
            sock,
            patience_s=self._timing.patience_s,
            power_up_s=self._timing.power_up_s,
            remarks=lambda text: self._ignored(peer, text),
        )
        with self._changed:
            self._asked.add(card)
            if self._stopping:
                card.hang_up("the reader is closed")
        threading.Thread(
            target=self._serve, args=(card, peer), name=f"vpcd {self.reader} {peer}", daemon=True
        ).start()

    def _serve(self, card: ForeignCard, peer: str) -> None:
        """Have a connection's card in the reader until it ends."""
        try:
            if why_not := self._why_not(card, peer):
                if not self._stopping:
                    self._refuse(peer, why_not)
                return
            if self._events:
                self._events.emit(CardProgramConnected(self.reader, peer))
            try:
                self._came(card)
            except VreaderError as error:
                self._refuse(peer, str(error))
                return
            card.wait_until_left()
            if self._events:
                self._events.emit(CardProgramLeft(self.reader, peer, card.reason))
            if not self._stopping:
                self._left(card)
        finally:
            card.release()
            with self._changed:
                self._asked.discard(card)
                if self._inside is card:
                    self._inside, self.peer = None, ""
                self._changed.notify_all()

    def _why_not(self, card: ForeignCard, peer: str) -> str:
        """Take the reader's only place for ``card``; return why it cannot have it, or nothing."""
        try:
            atr = card.identify()
        except CardMute:
            return f"it tells no ATR within {self._timing.power_up_s:g} s: is it a card program?"
        except CardGone:
            return f"it tells no ATR: {card.reason}"
        if not 0 < len(atr) <= MAX_ATR_LENGTH:
            return f"it answered {len(atr)} bytes when asked for its ATR: is it a card program?"
        with self._changed:
            self.settle()
            if self._inside is not None:
                return f"the reader holds the card of {self.peer} already"
            if self._stopping:
                return "the reader is closed"
            self._asked.discard(card)
            self._inside, self.peer = card, peer
        return ""

    def _refuse(self, peer: str, reason: str) -> None:
        if self._events:
            self._events.emit(CardProgramRefused(self.reader, peer, reason))
        # A program that tries again and again is complained about once.
        if reason != self._complaint:
            self._complaint = reason
            event = CardProgramRefused(self.reader, peer, reason)
            logging.getLogger("vreader").warning("vreader: %s", event)

    def _ignored(self, peer: str, reason: str) -> None:
        if self._events:
            self._events.emit(VpcdIgnored(self.reader, peer, reason))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = _address(host, port)
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        number = error.errno or 0
        if number < 0:  # create_server() hands the resolver's errors on by their numbers
            raise VreaderError(
                f"the host of {where} is unknown", hint="check the spelling, or leave the host out"
            ) from None
        raise VreaderError(
            f"cannot listen at {where}: {os.strerror(number)}",
            hint="another reader, or a pcscd with vpcd, may listen there: use another port, or 0",
        ) from None


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
