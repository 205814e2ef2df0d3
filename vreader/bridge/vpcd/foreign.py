# SPDX-License-Identifier: Apache-2.0
"""A card that is a program at the other end of a connection: it speaks vpcd's protocol as a card.

The reader speaks first, and has one question on its way. Only ``ATR`` and C-APDUs are answered, in
order; so an answer that nobody waits for any more is owed, and skipped when it comes.

A card program commonly sends the length and the body of an answer with two calls, and the second
waits until the first is acknowledged: ``TCP_QUICKACK`` is renewed before each receive.
"""

import select
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from vreader.bridge.vpcd.conversation import TCP_QUICKACK
from vreader.bridge.vpcd.frame import MAX_PAYLOAD, Control, FrameDecoder, encode
from vreader.card import CardGone, CardMute
from vreader.iso7816 import SW
from vreader.iso7816.atr import MAX_ATR_LENGTH

POWER_UP_S = 10.0
_RECEIVE_SIZE = 65536
_LOOK_S = 0.2
_WRONG_LENGTH = SW.WRONG_LENGTH.to_bytes2()
_OFF, _ON, _RST, _ATR = (
    encode(bytes([code])) for code in (Control.OFF, Control.ON, Control.RST, Control.ATR)
)
# Linux alone tells that the other side has gone while bytes of it are still unread.
_HANG_UP: int | None = getattr(select, "POLLRDHUP", None)


class ForeignCard:
    """A card behind a connection, as a reader sees it.

    Args:
        sock: connected; the card owns it.
        patience_s: how long the program may work on one command.
        remarks: called with a line of text for what has no meaning.
        power_up_s: how long it may take for an ATR, answers still owed included.

    Attributes:
        reason: why the connection has ended, or nothing.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        patience_s: float,
        remarks: Callable[[str], None],
        power_up_s: float = POWER_UP_S,
    ) -> None:
        self._sock = sock
        sock.setblocking(False)
        self._quick_ack = None
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._quick_ack = TCP_QUICKACK
        self._patience_s = patience_s
        self._power_up_s = power_up_s
        self._remark = remarks
        self.reason = ""
        self._decoder = FrameDecoder()
        self._frames: deque[bytes] = deque()
        self._owed = 0
        self._powered = False
        self._talking = threading.Lock()
        self._interrupted = False
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)

    # ------------------------------------------------------------------ what a reader does

    def identify(self) -> bytes:
        """Return what the program says its ATR is, without power; raises CardGone or CardMute."""
        return self._exchange(_ATR, self._power_up_s)

    def power_on(self) -> bytes:
        """Power the program's card up, after taking its power if it had any."""
        before = _OFF if self._powered else b""
        self._powered = True
        return self._learn_atr(before + _ON)

    def reset(self) -> bytes:
        """Reset the program's card."""
        return self._learn_atr(_RST)

    def power_off(self) -> None:
        """Take the card's power. Nobody waits for the program, which only has to be told."""
        self._powered = False
        with self._talking:
            # With a question behind it: some programs take silence for the end of the driver.
            self._owed += 1
            self._send(_OFF + _ATR, self._power_up_s)

    def transmit(self, c_apdu: bytes) -> bytes:
        """Have the program answer; a command that no frame can carry is answered 6700."""
        if not 2 <= len(c_apdu) <= MAX_PAYLOAD:
            self._remark(f"a C-APDU of {len(c_apdu)} bytes does not fit a vpcd frame: 6700")
            return _WRONG_LENGTH
        try:
            r_apdu = self._exchange(encode(c_apdu), self._patience_s)
        except CardMute:
            if not self._interrupted:
                self._remark(f"the card program gave no answer within {self._patience_s:g} s")
            raise
        if len(r_apdu) < 2:
            self._remark(f"the card program answered with {len(r_apdu)} bytes: no R-APDU")
            raise CardMute
        return r_apdu

    def interrupt(self) -> None:
        """Stop waiting for the answer to the command in hand."""
        self._interrupted = True
        try:
            self._waker.send(b"\0")
        except OSError:
            pass  # it has been woken often enough, or is closed

    def hang_up(self, reason: str) -> None:
        """End the connection; whoever waits for an answer hears CardGone."""
        self.reason = self.reason or reason
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself

    # ------------------------------------------------------------------ who looks after it

    def wait_until_left(self) -> None:
        """Return when the connection has ended and its last answer was given."""
        if _HANG_UP is not None:
            poll = select.poll()
            poll.register(self._sock, _HANG_UP)
            poll.poll()
        else:
            while not self.has_left():
                time.sleep(_LOOK_S)
        with self._talking:
            self.reason = self.reason or "it left"

    def has_left(self) -> bool:
        """Tell whether the connection has ended."""
        if _HANG_UP is not None:
            poll = select.poll()
            try:
                poll.register(self._sock, _HANG_UP)
                return bool(poll.poll(0))
            except ValueError:
                return True  # it has been released
        if not self._talking.acquire(blocking=False):
            return False
        try:
            return not self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self._talking.release()

    def release(self) -> None:
        """Close everything, after the connection has ended."""
        self.hang_up("closed")
        with self._talking:
            self._selector.close()
            for sock in (self._sock, self._wake, self._waker):
                sock.close()

    # ------------------------------------------------------------------ the conversation

    def _learn_atr(self, control: bytes) -> bytes:
        try:
            atr = self._exchange(control + _ATR, self._power_up_s)
        except CardMute:
            if not self._interrupted:
                self.hang_up(f"no ATR within {self._power_up_s:g} s")
            raise
        if not 0 < len(atr) <= MAX_ATR_LENGTH:
            self._remark(f"the card program answered with {len(atr)} bytes: no ATR")
            raise CardMute
        return atr

    def _exchange(self, question: bytes, limit_s: float) -> bytes:
        """Ask and return the next payload that is not owed; raises CardGone or CardMute."""
        with self._talking:
            deadline = time.monotonic() + limit_s
            self._interrupted = False
            self._drop_unasked()
            self._send(question, limit_s)
            while True:
                while self._frames:
                    payload = self._frames.popleft()
                    if not self._owed:
                        return payload
                    self._owed -= 1
                if not self._wait(selectors.EVENT_READ, deadline) or self._interrupted:
                    self._owed += 1
                    raise CardMute
                self._receive()

    def _drop_unasked(self) -> None:
        """Forget what the program has said unasked: it is no answer to what comes now."""
        if self._owed:
            return  # what comes is told apart by its number
        self._receive()
        if self._frames:
            self._remark("the card program spoke without being asked")
            self._frames.clear()
        if self._decoder.partial:
            self._owed += 1

    def _send(self, data: bytes, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        view = memoryview(data)
        while True:
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                pass
            except OSError as error:
                raise self._gone(error) from None
            if not view:
                return
            if not self._wait(selectors.EVENT_WRITE, deadline):
                # Half a question is on its way: there is no way back.
                self.hang_up("it does not take what it is sent")
                raise CardMute

    def _wait(self, event: int, deadline: float) -> bool:
        """Wait for the socket, or to be interrupted; False when the time is over."""
        if self._quick_ack is not None and event == selectors.EVENT_READ:
            try:
                self._sock.setsockopt(socket.IPPROTO_TCP, self._quick_ack, 1)
            except OSError as error:
                raise self._gone(error) from None
        if event != selectors.EVENT_READ:
            self._selector.modify(self._sock, event)
        try:
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
        finally:
            if event != selectors.EVENT_READ:
                self._selector.modify(self._sock, selectors.EVENT_READ)
        for key, _ in ready:
            if key.fileobj is self._wake:
                self._wake.recv(_RECEIVE_SIZE)
        return bool(ready)

    def _receive(self) -> None:
        """Take what has come, if anything."""
        try:
            data = self._sock.recv(_RECEIVE_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._gone(error) from None
        if not data:
            broken = " in the middle of a frame" if self._decoder.partial else ""
            self.reason = self.reason or f"it left{broken}"
            raise CardGone
        self._frames.extend(self._decoder.feed(data))

    def _gone(self, error: OSError) -> CardGone:
        self.reason = self.reason or f"the connection broke: {error.strerror or error}"
        return CardGone()
