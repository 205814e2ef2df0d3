# SPDX-License-Identifier: Apache-2.0
"""Makes APDU events: follows which application is selected, and masks secrets once, here.

What is secret comes from the card kinds' ``describe`` plus rules of ISO/IEC 7816-4 that hold for
every card: the data of VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (§11.6), with or
without chaining, and the plaintext that PSO: DECIPHER returns (ISO/IEC 7816-8).
"""

from collections.abc import Callable

from vreader.card import Description
from vreader.events import Emitter
from vreader.reader.events import ApduEvent

Describe = Callable[[bytes, bytes], Description]
Ranges = tuple[tuple[int, int], ...]

# VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, each also in its BER-TLV form.
_SECRET_INS = frozenset((0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D))
_UNKNOWN = Description("")


def describe_nothing(c_apdu: bytes, aid: bytes) -> Description:
    """Stand in where no card kinds are known."""
    return _UNKNOWN


class ApduObserver:
    """Watches the APDUs of one slot and emits masked events.

    Args:
        events: where they go.
        reader: the name to put into them.
        describe: explains a command sent while an application is selected.
        unmask: show secrets, on the user's explicit wish.
    """

    def __init__(self, events: Emitter, reader: str, describe: Describe, unmask: bool) -> None:
        self.events = events
        self.reader = reader
        self.describe = describe
        self.unmask = unmask
        self.aid = b""

    def reset(self) -> None:
        """Forget the selected application."""
        self.aid = b""

    def exchanged(self, command: bytes, response: bytes, seconds: float, problem: str) -> None:
        """Emit one exchange."""
        told = self.describe(command, self.aid)
        if command[1:3] == b"\xa4\x04" and response[-2:-1] in (b"\x90", b"\x61", b"\x62"):
            self.aid = command[5 : 5 + command[4]] if len(command) > 5 else b""
        masked: Ranges = ()
        masked_response: Ranges = ()
        if not self.unmask:
            masked = _secret_ranges(command, told)
            if len(response) > 2 and (told.secret_reply or command[1:3] == b"\x2a\x80"):
                masked_response = ((0, len(response) - 2),)
        self.events.emit(
            ApduEvent(
                self.reader,
                blank(command, masked),
                blank(response, masked_response),
                masked,
                masked_response,
                told.text,
                seconds,
                problem,
            )
        )


def _secret_ranges(command: bytes, told: Description) -> Ranges:
    if len(command) > 5 and command[1] in _SECRET_INS:
        return ((5, len(command)),)
    return tuple((max(0, a), min(b, len(command))) for a, b in told.secret if a < len(command))


def blank(data: bytes, ranges: Ranges) -> bytes:
    """Return ``data`` with the bytes inside ``ranges`` set to zero."""
    if not ranges:
        return data
    out = bytearray(data)
    for start, end in ranges:
        out[start:end] = bytes(end - start)
    return bytes(out)
