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

# VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, each also in its BER-TLV form; and ENVELOPE,
# which may carry any of them in pieces.
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
        self._hidden: bytes | None = None

    def reset(self) -> None:
        """Forget the selected applications."""
        self._aids = {}
        self._secret_follows = False

    def hide(self, command: bytes) -> None:
        """Mask the data of ``command`` whatever its instruction is: a PIN was typed into it."""
        self._hidden = command

    def has_secrets(self, command: bytes) -> bool:
        """Whether bytes of ``command`` must not be shown."""
        return not self.unmask and bool(self._secret_ranges(command, self._describe(command)))

    def is_secret(self, command: bytes) -> bool:
        """Whether ``command`` or its response holds something that must not be shown."""
        if self.unmask:
            return False
        told = self._describe(command)
        return bool(self._secret_ranges(command, told)) or self._has_secret_reply(command, told)

    def exchanged(self, command: bytes, response: bytes, seconds: float, problem: str) -> None:
        """Emit one exchange."""
        told = self._describe(command)
        if command[1:3] == b"\xa4\x04" and response[-2:-1] in (b"\x90", b"\x61", b"\x62"):
            self._aids[_channel(command[0])] = _selected(command)
        masked: Ranges = ()
        masked_response: Ranges = ()
        if not self.unmask:
            masked = self._secret_ranges(command, told)
            if self._is_secret_reply(command, response, told) and len(response) > 2:
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

    def _describe(self, command: bytes) -> Description:
        aid = self._aids.get(_channel(command[0]) if command else 0, b"")
        if command == self._hidden:
            command = blank(command, ((5, len(command)),))
        try:
            return self.describe(command, aid)
        except Exception as error:
            # A plug-in's bug must not show secrets: what cannot be explained is hidden whole.
            text = f"(describe failed: {type(error).__name__})"
            return Description(text, ((5, len(command)),), secret_reply=True)

    def _is_secret_reply(self, command: bytes, response: bytes, told: Description) -> bool:
        """Whether the reply's data is secret; GET RESPONSE fetches the rest of one that was."""
        secret = self._has_secret_reply(command, told)
        self._secret_follows = secret and response[-2:-1] == b"\x61"
        return secret

    def _has_secret_reply(self, command: bytes, told: Description) -> bool:
        if told.secret_reply or command[1:3] == b"\x2a\x80":
            return True
        return self._secret_follows and command[1:2] == b"\xc0"

    def _secret_ranges(self, command: bytes, told: Description) -> Ranges:
        if len(command) > 5 and (command[1] in _SECRET_INS or command == self._hidden):
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
