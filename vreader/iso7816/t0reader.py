# SPDX-License-Identifier: Apache-2.0
"""The reader's end of T=0 (ISO/IEC 7816-3:2006 §10.3, §12.2): APDUs in, characters out, no clock.

:meth:`T0Reader.begin` takes a C-APDU and returns the header to send. The card's characters, or None
where none came within the waiting time, go into :meth:`T0Reader.receive`; it returns what to send
next, empty where there is only to listen, or None when :attr:`T0Reader.response` is there.

Status words 61xx and 6Cxx are responses like others: whoever sent the command fetches the data or
repeats it. Le of a command that brings data is not sent, for T=0 has no place for it.
"""

from vreader.iso7816.apdu import ApduError, CommandApdu
from vreader.iso7816.t0 import (
    ENVELOPE,
    HEADER,
    MAX_SEGMENT,
    NULL,
    T0CommandError,
    T0Error,
    T0LostError,
    is_status,
)

_OK = b"\x90\x00"
MAX_NULLS = 10_000


def command_tpdus(command: bytes, *, envelope: bool = True) -> list[bytes]:
    """Return the command TPDUs that carry a C-APDU over T=0, in order (§12.2).

    There is one, but for more than 255 data bytes: those go in ENVELOPE commands, the last of them
    empty. Each is to be answered 9000 before the next one is sent.

    Raises:
        T0CommandError: the bytes are no C-APDU, or need ENVELOPE where ``envelope`` forbids it.
    """
    try:
        apdu = CommandApdu.parse(command)
    except ApduError as error:
        raise T0CommandError(str(error)) from error
    if len(apdu.data) <= MAX_SEGMENT:
        p3 = len(apdu.data) or (apdu.ne & 0xFF if apdu.ne <= 256 else 0)
        return [apdu.header + bytes((p3,)) + apdu.data]
    if not envelope:
        raise T0CommandError(f"T=0 carries 255 data bytes, not {len(apdu.data)}")
    segments = [command[at : at + MAX_SEGMENT] for at in range(0, len(command), MAX_SEGMENT)]
    head = bytes((apdu.cla, ENVELOPE, 0, 0))
    return [head + bytes((len(segment),)) + segment for segment in (*segments, b"")]


class T0Reader:
    """The IFD end of T=0.

    Args:
        envelope: carry commands with more than 255 data bytes in ENVELOPE commands; else refuse
            them.
        max_nulls: NULL bytes for one command before the card counts as lost.

    Attributes:
        tpdu: the command TPDU in hand.
        nulls: NULL bytes that have come for the command; each asks for another waiting time.
        response: the R-APDU, once ``receive`` has returned None.
        broken: the card must be reset before the next command.
    """

    def __init__(self, *, envelope: bool = True, max_nulls: int = MAX_NULLS) -> None:
        self.envelope = envelope
        self.max_nulls = max_nulls
        self.broken = False
        self.response = b""
        self.nulls = 0
        self._tpdus: list[bytes] = []
        self._take()

    def _take(self) -> None:
        """Turn to the next TPDU, if there is one."""
        self.tpdu = self._tpdus.pop(0) if self._tpdus else b""
        self._sent = HEADER
        self._wanted = 0  # data bytes that come before the next procedure byte
        self._left = (self.tpdu[4] or 256) if len(self.tpdu) == HEADER else 0
        self._data = bytearray()
        self._status = bytearray()

    def begin(self, command: bytes) -> bytes:
        """Start a command; return the header to send.

        Raises:
            T0CommandError: T=0 cannot carry it; nothing has been sent.
            T0Error: the last command has not ended, or the card must be reset first.
        """
        if self.broken or self.tpdu:
            raise T0Error("reset the card" if self.broken else "a command is in hand")
        self._tpdus = command_tpdus(command, envelope=self.envelope)
        self.nulls = 0
        self._take()
        return self.tpdu[:HEADER]

    def receive(self, raw: bytes | None) -> bytes | None:
        """Take characters of the card, or None for silence; return what to send next.

        Returns:
            The rest of the data, one byte of it, the next header, or nothing: listen on. None when
            the response is complete.

        Raises:
            T0LostError: the card does not speak T=0 any more.
        """
        if not self.tpdu:
            raise T0Error("no command is in hand")
        if not raw:
            raise self._lost("the card is silent", mute=True)
        for at, byte in enumerate(raw):
            if (answer := self._take_byte(byte)) != b"":
                if at + 1 < len(raw):
                    raise self._lost("characters come that nobody asked for")
                return answer
        return b""

    def _take_byte(self, byte: int) -> bytes | None:
        """Take one character; the answer is empty where the card goes on."""
        if self._status:
            self._status.append(byte)
            return self._end_tpdu()
        if self._wanted:
            self._wanted -= 1
            self._data.append(byte)
            return b""
        if byte == NULL:
            self.nulls += 1
            if self.nulls > self.max_nulls:
                raise self._lost("NULL bytes without end")
            return b""
        if is_status(byte):
            self._status.append(byte)
            return b""
        ins = self.tpdu[1]
        if byte not in (ins, ins ^ 0xFF):
            raise self._lost(f"{byte:02X} is no procedure byte for INS={ins:02X}")
        return self._move(None if byte == ins else 1)

    def _move(self, count: int | None) -> bytes:
        """Send or await the next data byte, or all that are left."""
        if self._sent < len(self.tpdu):
            data = self.tpdu[self._sent :][:count]
            self._sent += len(data)
            return data
        if not self._left:
            raise self._lost("the card asks for more data than there is")
        self._wanted = self._left if count is None else count
        self._left -= self._wanted
        return b""

    def _end_tpdu(self) -> bytes | None:
        self.response = bytes(self._data + self._status)
        if self.response != _OK:
            self._tpdus.clear()
        self._take()
        return self.tpdu[:HEADER] or None

    def _lost(self, message: str, *, mute: bool = False) -> T0LostError:
        self.broken = True
        self._tpdus.clear()
        self._take()
        return T0LostError(message, mute=mute)
