# SPDX-License-Identifier: Apache-2.0
"""The reader's end of T=1 (ISO/IEC 7816-3:2006 §11.6): APDUs in, blocks out, no clock.

:meth:`T1Reader.begin` takes a C-APDU and returns the block to send. Each answer of the card, or
None where nothing came within the block waiting time, goes into :meth:`T1Reader.receive`, which
returns the next block to send, or None when :attr:`T1Reader.response` is there, or raises.

Theory of operation. What is expected next is told by the *phase*; what the last block sent was
decides how an error is answered: after an I-block or S(response) by an R-block that names the block
expected, else by the same block again (rules 7.1 to 7.3). Errors are counted until something new
comes. One too many, and both ends start anew with S(RESYNCH request); when that fails three times
only a reset of the card is left (rules 6, 7.4).

A command whose last piece was sent before a resynchronisation may have been executed, unless the
card has said that it did not get it. It is then reported as failed rather than sent again, unless
the user of this class wants it so.
"""

from enum import Enum

from vreader.iso7816.apdu import MAX_NE
from vreader.iso7816.t1 import (
    ABORT,
    DEFAULT_IFS,
    IFS,
    MAX_INF,
    OTHER_ERROR,
    RESYNCH,
    WTX,
    Block,
    BlockError,
    BlockFormatError,
    T1AbortedError,
    T1Error,
    T1LostError,
    T1UncertainError,
    swap_nad,
)

MAX_RESPONSE = MAX_NE + 2
MAX_WTX = 1000
ATTEMPTS = 3  # an S(request) is sent so often before it has failed (rules 7.4.1, 7.4.2)


class Phase(Enum):
    """What is expected from the card next."""

    IDLE = "nothing"
    NEGOTIATE = "S(IFS response)"
    SEND = "R-block for a piece of the command, or the answer to the last piece"
    RECEIVE = "the next piece of the response"
    RESYNCH = "S(RESYNCH response)"
    ABORT = "S(ABORT response)"
    ABORTED = "R-block that hands the turn back"


class T1Reader:
    """The IFD end of T=1.

    Args:
        ifsc: largest information field the card accepts, from its TA(3).
        ifsd: largest one this end accepts; the card is told before the first command.
        crc: blocks end with a CRC instead of an LRC, from the card's TC(3).
        nad: node address byte of every block.
        retries: how often in a row an error is answered before resynchronisation; 3 is an R-block
            and two more (rule 7.4.2).
        ifs_request: send S(IFS request); without it ``ifsd`` stays 32.
        repeat: send a command again after a resynchronisation, though it may run twice.
        max_wtx: successive S(WTX request)s granted before the card counts as lost.

    Attributes:
        phase: what is expected next.
        wtx: multiplier of the block waiting time for the answer to the block just handed out.
        response: the R-APDU, once ``receive`` has returned None.
        broken: the card must be reset before the next command.
        sent: the block last handed out, or to be handed out next.
        failures: errors in a row.
    """

    def __init__(
        self,
        *,
        ifsc: int = DEFAULT_IFS,
        ifsd: int = MAX_INF,
        crc: bool = False,
        nad: int = 0,
        retries: int = 3,
        ifs_request: bool = True,
        repeat: bool = False,
        max_wtx: int = MAX_WTX,
    ) -> None:
        self.ifsd = ifsd if ifs_request else DEFAULT_IFS
        self.crc = crc
        self.nad = nad
        self.retries = retries
        self.ifs_request = ifs_request
        self.repeat = repeat
        self.max_wtx = max_wtx
        self._initial_ifsc = ifsc
        self._command = self.response = b""
        self._received = bytearray()
        self._offset = self._starts = self._pieces = 0
        self.broken = False
        self._restart()

    def _restart(self) -> None:
        """Take the values that hold after a reset of the card, or a resynchronisation."""
        self.ifsc = self._initial_ifsc
        self.ns = self.nr = 0  # number of our own next I-block; of the one expected
        self.phase = Phase.IDLE
        self.wtx = 1
        self._told_ifsd = not self.ifs_request
        self.failures = self._repeats = self._waits = 0
        self.sent = self._piece = Block(0)
        self._sending = False

    # ------------------------------------------------------------------ commands

    def begin(self, command: bytes) -> bytes:
        """Start a command; return the first block to send. Raises T1Error out of turn."""
        if self.broken or self.phase is not Phase.IDLE:
            raise T1Error("reset the card" if self.broken else "a command is in hand")
        self._command = command
        self._starts = 0
        return self._start()

    def begin_anew(self, command: bytes) -> bytes:
        """Start a command though the last one has not ended; S(RESYNCH request) goes first.

        Raises T1Error when the card must be reset.
        """
        if self.broken:
            raise T1Error("reset the card")
        self._command = command
        self._starts = self._offset = 0
        self._heard = False
        self.phase = Phase.SEND  # whatever the last one was at is of no account
        return self._resynchronize(lost=False)

    def _start(self) -> bytes:
        self._offset = self._pieces = 0
        self._received = bytearray()
        self._progress()
        self._heard = self._sending = False
        if not self._told_ifsd:
            self.phase = Phase.NEGOTIATE
            return self._send(Block(IFS, bytes((self.ifsd,))))
        return self._send_piece()

    @property
    def bytes_sent(self) -> int:
        """How much of the command has been handed out, in bytes."""
        return self._offset

    @property
    def bytes_received(self) -> int:
        """How much of the response has come, in bytes."""
        return len(self._received)

    def current(self) -> bytes:
        """Return ``sent`` with the ``nad`` that holds now."""
        return self.sent._replace(nad=self.nad).encode(crc=self.crc)

    def abort(self) -> bytes:
        """Return S(ABORT request), to send instead of the next block of a chain (rule 9).

        Raises:
            T1Error: there is no chain, or the ends do not know for sure which block came last:
                an error is being mended, or the card has asked for time.
        """
        if (
            self.phase not in (Phase.SEND, Phase.RECEIVE)
            or self.failures
            or self._repeats
            or not (self.sent.is_i or self.sent.is_r)
        ):
            raise T1Error("there is no chain to abort now")
        return self._abort()

    def _abort(self) -> bytes:
        self.phase = Phase.ABORT
        return self._send(Block(ABORT))

    def receive(self, raw: bytes | None) -> bytes | None:
        """Take the card's block, or None for silence; return the next block to send.

        The result is None when the response is complete.

        Raises:
            T1LostError: neither retries nor resynchronisation have helped.
            T1UncertainError: the card may have executed the command; its answer is lost.
            T1AbortedError: a chain was aborted.
        """
        if self.phase is Phase.IDLE:
            raise T1Error("no command is in hand")
        if raw is None:
            return self._failed(OTHER_ERROR)
        self._heard = True
        try:
            block = Block.parse(raw, crc=self.crc)
            if block.nad != swap_nad(self.nad):
                raise BlockFormatError(f"NAD={block.nad:02X} is not for us")
        except BlockError as error:
            return self._failed(error.code)
        if block.is_i:
            return self._take_i(block)
        if block.is_r:
            return self._take_r(block)
        return self._take_request(block) if block.is_request else self._take_response(block)

    # ------------------------------------------------------------------ sending

    def _send(self, block: Block, wtx: int = 1) -> bytes:
        self.sent = block
        self.wtx = wtx
        return self.current()

    def _send_piece(self) -> bytes:
        inf = self._command[self._offset : self._offset + self.ifsc]
        self._offset += len(inf)
        self._piece = Block.i(self.ns, self._offset < len(self._command), inf)
        self._sending = True
        self.phase = Phase.SEND
        return self._send(self._piece)

    def _progress(self) -> None:
        self.failures = self._repeats = self._waits = 0

    def _failed(self, error: int) -> bytes:
        """Ask again, or resynchronise, or at last give up."""
        self.failures += 1
        sent = self.sent
        if self.phase in (Phase.NEGOTIATE, Phase.RESYNCH):
            if self.failures >= ATTEMPTS:
                self.broken = True
                self.phase = Phase.IDLE
                raise T1LostError(f"no answer to {sent}", mute=not self._heard)
            return self._send(sent)
        if self.failures > self.retries:  # the card may have got the last piece all the same
            return self._resynchronize(lost=self._sending and not self._piece.more)
        if sent.is_r or sent.is_request:
            return self._send(sent)
        return self._send(Block.r(self.nr, error))

    def _resynchronize(self, *, lost: bool) -> bytes:
        self._lost = lost or self.phase in (Phase.ABORT, Phase.ABORTED)
        self._starts += 1
        if self._starts > ATTEMPTS:
            self.broken = True
            raise self._end(T1LostError("starting anew does not help", mute=not self._heard))
        self.failures = 0
        self.phase = Phase.RESYNCH
        return self._send(Block(RESYNCH))

    def _end(self, error: T1Error) -> T1Error:
        self.phase = Phase.IDLE
        return error

    # ------------------------------------------------------------------ what came

    def _take_i(self, block: Block) -> bytes | None:
        answer = self.phase is Phase.SEND and not self._piece.more
        wanted = (answer or self.phase is Phase.RECEIVE) and block.number == self.nr
        if not wanted or len(block.inf) > self.ifsd:
            return self._failed(OTHER_ERROR)
        self.ns ^= answer
        self.phase = Phase.RECEIVE
        self._progress()
        self.nr ^= 1
        self._received += block.inf
        self._pieces += 1
        # Bytes beyond the longest response, or pieces without any for ever.
        if len(self._received) > MAX_RESPONSE or self._pieces > MAX_RESPONSE:
            return self._abort()
        if block.more:
            return self._send(Block.r(self.nr))
        self.response = bytes(self._received)
        self.phase = Phase.IDLE
        return None

    def _take_r(self, block: Block) -> bytes:
        if self.phase is Phase.ABORTED:
            self.ns = block.number
            raise self._end(T1AbortedError("the card has aborted the chain"))
        if self.phase is Phase.SEND:
            if block.number == self.ns:
                # The card has not got the piece.
                self.failures = 0
                self._repeats += 1
                if self._repeats > self.retries:
                    return self._resynchronize(lost=False)
                return self._send(self._piece)
            if self._piece.more:
                self._progress()
                self.ns ^= 1
                return self._send_piece()
        return self._failed(OTHER_ERROR)

    def _take_request(self, block: Block) -> bytes:
        if self.phase in (Phase.NEGOTIATE, Phase.RESYNCH, Phase.ABORT) or block.pcb == RESYNCH:
            return self._failed(OTHER_ERROR)
        if block.pcb == WTX:
            self._waits += 1
            if self._waits > self.max_wtx:
                self.broken = True
                raise self._end(T1LostError("the card asks for time without end", mute=False))
            return self._send(Block(block.response().pcb, block.inf), wtx=block.inf[0])
        if block.pcb == IFS:
            self.ifsc = block.inf[0]  # from the next piece on
        else:
            self.phase = Phase.ABORTED
            self._received.clear()
        return self._send(Block(block.response().pcb, block.inf))

    def _take_response(self, block: Block) -> bytes:
        if not self.sent.is_request or not block.answers(self.sent):
            return self._failed(OTHER_ERROR)
        self._progress()
        if self.phase is Phase.NEGOTIATE:
            self._told_ifsd = True
            return self._send_piece()
        if self.phase is Phase.ABORT:
            raise self._end(T1AbortedError("the chain was aborted"))
        lost = self._lost
        self._restart()
        if lost and not self.repeat:
            raise T1UncertainError("resynchronised; the card may have executed the command")
        return self._start()
