# SPDX-License-Identifier: Apache-2.0
"""Makes APDU events: follows which application is selected, and masks secrets once, here.

What is secret comes from the card kinds' ``describe`` plus rules of ISO/IEC 7816-4 that hold for
every card: the data of VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (§11.6), with or
without chaining, the plaintext that PSO: DECIPHER returns (ISO/IEC 7816-8), and ENVELOPE, which may
carry any of them. A command into which a PIN was typed is secret whatever it is.
"""

from collections.abc import Callable

from vreader.card import Description
from vreader.events import Emitter
from vreader.reader.events import ApduEvent

Describe = Callable[[bytes, bytes], Description]
Ranges = tuple[tuple[int, int], ...]

# Each also in its BER-TLV form, with an odd INS.
_ENVELOPE = (b"\xc2", b"\xc3")
_DECIPHER = (b"\x2a\x80", b"\x2b\x80")  # INS and P1
_SECRET_INS = frozenset((0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D, 0xC2, 0xC3))
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
        self._aids: dict[int, bytes] = {}
        self._secret_follows = False

    def reset(self) -> None:
        """Forget the selected applications."""
        self._aids = {}
        self._secret_follows = False

    def selected(self, command: bytes, response: bytes) -> None:
        """Follow which application is selected; asked of every SELECT, traced or not."""
        if command[1:3] == b"\xa4\x04" and response[-2:-1] in (b"\x90", b"\x61", b"\x62"):
            self._aids[_channel(command[0])] = _selected(command)

    def text_of(self, command: bytes, typed: bool = False) -> str:
        """Return what ``command`` means, as the card's kind says it; may be empty."""
        return self._describe(command, typed).text

    def is_secret(self, command: bytes, typed: bool = False) -> bool:
        """Whether ``command`` or its response holds something that must not be shown."""
        if self.unmask:
            return False
        told = self._describe(command, typed)
        return bool(_secret_ranges(command, told, typed)) or self._has_secret_reply(command, told)

    def exchanged(
        self, command: bytes, response: bytes, seconds: float, problem: str, typed: bool = False
    ) -> None:
        """Emit one exchange; a PIN was ``typed`` into the command or not."""
        told = self._describe(command, typed)
        secret_reply = self._has_secret_reply(command, told)
        # GET RESPONSE fetches the rest. A late answer does not end what another command has begun.
        if problem != "late" or secret_reply:
            self._secret_follows = secret_reply and response[-2:-1] == b"\x61"
        masked: Ranges = ()
        masked_response: Ranges = ()
        if not self.unmask:
            masked = _secret_ranges(command, told, typed)
            if secret_reply and len(response) > 2:
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

    def _describe(self, command: bytes, typed: bool) -> Description:
        aid = self._aids.get(_channel(command[0]) if command else 0, b"")
        if typed:
            command = blank(command, ((5, len(command)),))
        try:
            return self.describe(command, aid)
        except Exception as error:
            # A plug-in's bug must not show secrets: what cannot be explained is hidden whole.
            text = f"(describe failed: {type(error).__name__})"
            return Description(text, ((5, len(command)),), secret_reply=True)

    def _has_secret_reply(self, command: bytes, told: Description) -> bool:
        ins = command[1:2]
        if told.secret_reply or command[1:3] in _DECIPHER or ins in _ENVELOPE:
            return True
        return self._secret_follows and ins == b"\xc0"


def _secret_ranges(command: bytes, told: Description, typed: bool) -> Ranges:
    if len(command) > 5 and (typed or command[1] in _SECRET_INS):
        return ((5, len(command)),)
    clamped = ((max(0, a), min(b, len(command))) for a, b in told.secret)
    return tuple((a, b) for a, b in clamped if a < b)


def _channel(cla: int) -> int:
    """Return the logical channel a class byte names (ISO/IEC 7816-4:2020 §5.4.1)."""
    return 4 + (cla & 0xF) if cla & 0x40 else cla & 3


def _selected(command: bytes) -> bytes:
    """Return the DF name of a SELECT, short or extended."""
    if len(command) > 7 and not command[4]:
        return command[7 : 7 + int.from_bytes(command[5:7], "big")]
    return command[5 : 5 + command[4]] if len(command) > 5 else b""


def blank(data: bytes, ranges: Ranges) -> bytes:
    """Return ``data`` with the bytes inside ``ranges`` set to zero."""
    if not ranges:
        return data
    out = bytearray(data)
    for start, end in ranges:
        out[start:end] = bytes(end - start)
    return bytes(out)
