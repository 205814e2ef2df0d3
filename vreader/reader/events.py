# SPDX-License-Identifier: Apache-2.0
"""What the reader says: cards coming and going, APDUs exchanged, PINs asked for.

Secrets are masked before.
"""

from vreader.events import Event


class CardEvent(Event):
    """A card was inserted, removed, reset or powered down.

    Attributes:
        reader: name of the reader's physical device object.
        change: ``inserted``, ``removed``, ``cold reset``, ``warm reset``, ``power down``.
        atr: the raw ATR of a reset, else empty.
        problem: why a reset gave none: ``mute``, ``gone``, ``fault``; else empty.
    """

    reader: str
    change: str
    atr: bytes = b""
    problem: str = ""


class ApduEvent(Event):
    """One command and its response.

    Attributes:
        reader: name of the reader's physical device object.
        command, response: as exchanged; bytes inside ``masked`` / ``masked_response`` are zero.
        masked, masked_response: (start, end) ranges that hold secrets.
        text: what the command means, from the card kind's ``describe``; may be empty.
        seconds: how long the card took; negative where nobody has measured it.
        problem: ``gone``, ``mute``, ``fault`` or ``late``, else empty.
    """

    reader: str
    command: bytes
    response: bytes
    masked: tuple[tuple[int, int], ...]
    masked_response: tuple[tuple[int, int], ...]
    text: str
    seconds: float
    problem: str = ""


class TpduEvent(Event):
    """Something crossed the line between reader and card, where the reader has a TPDU link.

    Attributes:
        reader: name of the reader's physical device object.
        protocol: ``T=0``, ``T=1`` or ``PPS``.
        to_card: its direction.
        text: what it is, e.g. ``I(0,1)``; may be empty.
        data: the bytes as sent; empty where the command or its response is secret.
        length: how many there are.
        harm: ``spoil``, ``lose``, ``cut``: what became of it on the way; else empty.
    """

    reader: str
    protocol: str
    to_card: bool
    text: str
    data: bytes
    length: int
    harm: str = ""

    def __str__(self) -> str:
        shown = self.data[:32].hex(" ").upper() + " …" * (len(self.data) > 32)
        harm = {"spoil": "spoilt on its way", "lose": "lost", "cut": "cut short"}.get(self.harm, "")
        parts = [f"{self.protocol} {'>' if self.to_card else '<'}", shown, self.text]
        if len(self.data) != self.length or self.length > 32:
            parts.append(f"({self.length} B)")
        return "  ".join(part for part in (*parts, harm) if part)


class FaultEvent(Event):
    """A fault that somebody has set strikes; what comes of it is told by the next events.

    Attributes:
        reader: name of the reader's physical device object.
        fault: its word, ``wrong-sw`` for example (:class:`vreader.reader.faults.Fault`).
        text: what it does, ``sw=6983`` for example; may be empty.
    """

    reader: str
    fault: str
    text: str = ""

    def __str__(self) -> str:
        return f"fault: {self.fault} {self.text}".rstrip()


class PinEvent(Event):
    """Somebody was asked for a PIN on a pinpad.

    Attributes:
        reader: name of the reader's physical device object.
        asked: ``PIN``, ``current PIN``, ``new PIN`` or ``new PIN again``.
        outcome: ``typed``, or why the request ended: ``cancelled``, ``timed out``, ``differs``, …
    """

    reader: str
    asked: str
    outcome: str

    def __str__(self) -> str:
        return f"pinpad: {self.asked} {self.outcome}"


class CardFaultEvent(Event):
    """A card's code raised an exception: a bug of that card, answered 6F00.

    Attributes:
        reader: name of the reader's physical device object.
        traceback: the traceback; without the exception's text where the command holds secrets.
    """

    reader: str
    traceback: str
