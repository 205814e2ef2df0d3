# SPDX-License-Identifier: Apache-2.0
"""The card's end of T=1 (ISO/IEC 7816-3:2006 §11.6): an APDU-level card behind blocks.

Theory of operation. The reader's end speaks first and always; every call of :meth:`T1Card.receive`
brings its block and returns the card's, or None where the card stays silent. Two bits number the
I-blocks of either direction. Our last I-block is kept until the other side shows that it came: by
its next I-block, or by an R-block that asks for the next piece. A command reaches the card when its
last piece has come, once: repeated blocks are told by their number and never run a command again.

No clock is needed: what the card does for lack of time, it does by asking for more, S(WTX).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from vreader.iso7816.apdu import MAX_NC
from vreader.iso7816.sw import SW
from vreader.iso7816.t1 import (
    ABORT,
    DEFAULT_IFS,
    IFS,
    OTHER_ERROR,
    RESYNCH,
    WTX,
    Block,
    BlockError,
    BlockFormatError,
    swap_nad,
)

MAX_COMMAND = 4 + 3 + MAX_NC + 2  # the longest C-APDU there is


class T1Card:
    """The ICC end of T=1.

    Args:
        transmit: executes one C-APDU and returns the R-APDU. What it raises goes through
            :meth:`receive`; the command counts as executed then.
        ifsc: largest information field this end accepts, 1 to 254; the ATR's TA(3) must say so.
        ifsd: largest one the reader accepts until it sends S(IFS request).
        crc: blocks end with a CRC instead of an LRC; the ATR's TC(3) must say so.
        wtx: S(WTX request) multipliers (1 to 255) asked for before each answer, one after the
            other; ``itertools.repeat(1)`` is a storm without end.
        retries: blocks that cannot be read are answered this often in a row, then with silence
            (rule 7.4.3).
    """

    def __init__(
        self,
        transmit: Callable[[bytes], bytes],
        *,
        ifsc: int = DEFAULT_IFS,
        ifsd: int = DEFAULT_IFS,
        crc: bool = False,
        wtx: Iterable[int] = (),
        retries: int = 3,
    ) -> None:
        self.transmit = transmit
        self.crc = crc
        self.wtx = wtx
        self.retries = retries
        self._initial = (ifsc, ifsd)
        self.reset()

    def reset(self) -> None:
        """Start anew, as after an answer to reset."""
        self.ifsc, self.ifsd = self._initial
        self._ns = self._nr = 0  # number of our own next I-block; of the one expected
        self._sent: Block | None = None  # the last block sent
        self._unacknowledged: Block | None = None  # our I-block that may be asked for again
        self._command = bytearray()
        self._response = memoryview(b"")
        self._then: Callable[[], bytes] | None = None  # goes on when our S(request) is answered
        self._asks: deque[Block] = deque()
        self._waits: Iterator[int] = iter(())
        self._failures = 0
        self._nad = 0

    def ask(self, pcb: int, inf: bytes = b"") -> None:
        """Have the card send an S(request) instead of its next answer: IFS, ABORT or WTX.

        ABORT drops the command and the response in hand and hands the turn back.
        """
        self._asks.append(Block(pcb, inf))

    def receive(self, raw: bytes) -> bytes | None:
        """Take what came from the reader; return the answer block, or None for silence."""
        try:
            block = Block.parse(raw, crc=self.crc)
            if len(block.inf) > self.ifsc:
                raise BlockFormatError("INF is longer than IFSC")
        except BlockError as error:
            return self._invalid(error.code)
        self._nad = swap_nad(block.nad)
        if block.is_i:
            return self._take_i(block)
        if block.is_r:
            return self._take_r(block)
        return self._take_request(block) if block.is_request else self._take_response(block)

    # ------------------------------------------------------------------ sending

    def _send(self, block: Block) -> bytes:
        self._sent = block
        return block._replace(nad=self._nad).encode(crc=self.crc)

    def _send_r(self, error: int = 0) -> bytes:
        return self._send(Block.r(self._nr, error))

    def _proceed(self, then: Callable[[], bytes]) -> bytes:
        """Send the answer that ``then`` makes, S(requests) that are due before it."""
        wait = None if self._asks else next(self._waits, None)
        if wait is None and not self._asks:
            return then()
        self._then = then
        return self._send(self._asks.popleft() if wait is None else Block(WTX, bytes((wait,))))

    def _invalid(self, error: int) -> bytes | None:
        """Rules 7.1 to 7.3 and 7.5: ask again for what did not come, or repeat the request."""
        self._failures += 1
        if self._failures > self.retries:
            return None
        sent = self._sent
        if sent is not None and (sent.is_r or sent.is_request):
            return self._send(sent)
        return self._send_r(error)

    # ------------------------------------------------------------------ what came

    @property
    def _asked(self) -> Block | None:
        """Our S(request) that is still to be answered."""
        return self._sent if self._sent is not None and self._sent.is_request else None

    def _take_i(self, block: Block) -> bytes | None:
        mid_chain = self._unacknowledged is not None and self._unacknowledged.more
        if self._asked or mid_chain or block.number != self._nr:
            return self._invalid(OTHER_ERROR)
        self._acknowledged()
        self._nr ^= 1
        self._command += block.inf
        if block.more:
            if len(self._command) > MAX_COMMAND:
                self._asks.appendleft(Block(ABORT))
            return self._proceed(self._send_r)
        command = bytes(self._command)
        self._command.clear()
        self._waits = iter(self.wtx)
        return self._proceed(partial(self._execute, command))

    def _execute(self, command: bytes) -> bytes:
        # The contract promises cards two bytes at least.
        response = self.transmit(command) if len(command) >= 2 else SW.WRONG_LENGTH.to_bytes2()
        self._response = memoryview(response)
        return self._send_piece()

    def _send_piece(self) -> bytes:
        piece, self._response = self._response[: self.ifsd], self._response[self.ifsd :]
        block = Block.i(self._ns, bool(self._response), bytes(piece))
        self._unacknowledged = block
        return self._send(block)

    def _acknowledged(self) -> None:
        """Note that the other side has our I-block, or never will."""
        self._failures = 0
        if self._unacknowledged is not None:
            self._unacknowledged = None
            self._ns ^= 1

    def _take_r(self, block: Block) -> bytes | None:
        if self._asked:
            return self._invalid(OTHER_ERROR)
        self._failures = 0
        ours = self._unacknowledged
        if ours is not None and block.number == self._ns:
            return self._send(ours)
        if ours is not None and ours.more:
            self._acknowledged()
            return self._proceed(self._send_piece)
        # The reader missed our R-block, or we its I-block: say which one is expected.
        if self._sent is not None and self._sent.is_r:
            return self._send(self._sent)
        return self._send_r(OTHER_ERROR)

    def _take_request(self, block: Block) -> bytes | None:
        if block.pcb == RESYNCH:
            self._resynchronize()
        elif block.pcb == ABORT:
            self._drop()
        elif block.pcb == IFS and not self._asked:
            self._failures = 0
            self.ifsd = block.inf[0]
        else:
            return self._invalid(OTHER_ERROR)  # more waiting time is the card's to ask for
        return self._send(Block(block.response().pcb, block.inf))

    def _take_response(self, block: Block) -> bytes | None:
        asked = self._asked
        if asked is None or not block.answers(asked):
            return self._invalid(OTHER_ERROR)
        self._failures = 0
        then, self._then = self._then, None
        if asked.pcb == ABORT:
            self._drop()
            return self._send_r()  # hands the turn back
        if asked.pcb == IFS:
            self.ifsc = asked.inf[0]
        self._sent = None
        return self._proceed(then if then is not None else self._send_r)

    def _drop(self) -> None:
        """Forget both directions' chains (rule 9)."""
        self._acknowledged()
        self._command.clear()
        self._response = memoryview(b"")
        self._then = None
        self._waits = iter(())

    def _resynchronize(self) -> None:
        """Rule 6: back to the initial values; what is to be asked for stays so."""
        asks, nad = self._asks, self._nad
        self.reset()
        self._asks, self._nad = asks, nad
