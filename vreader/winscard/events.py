# SPDX-License-Identifier: Apache-2.0
"""What the resource manager says of readers, of drivers that refuse, and of names of cards."""

from vreader.events import Event


class ReaderChangeEvent(Event):
    """A reader arrived, left, or changed what applications see of it.

    Attributes:
        reader: the reader's name.
        state: name of the CardState.
        counter: insertions and removals so far.
        sharing: connections; -1 exclusive.
        gone: the reader has left.
    """

    reader: str
    state: str
    counter: int
    sharing: int
    gone: bool


class IoctlRejectedEvent(Event):
    """A driver answered a request of the manager with an error; for the event log alone.

    Attributes:
        device: name of the physical device object.
        code: the I/O control code.
        win32: the Win32 error number of the status.
        header: the first four bytes of what was sent, those of the command for a TRANSMIT; empty
            where there are fewer, and for codes of the vendor. Never more, never data.
    """

    device: str
    code: int
    win32: int
    header: bytes


class ReaderRefusedEvent(Event):
    """The manager does not take a reader; it stays usable as a device.

    Attributes:
        link: the device.
        reason: why, in words.
    """

    link: str
    reason: str


class TransactionExpired(Event):
    """Nobody called during a transaction for too long; the card is reset."""

    reader: str


class CardNameEvent(Event):
    """Somebody has asked for the name of a card, and this is why it is that.

    Attributes:
        reader: the reader whose card was asked, or could not be; empty where none was to be.
        atr: of the card.
        name: its name, empty where it has none.
        source: what decided (:class:`vreader.winscard.discovery.Discovery`).
        steps: all that was looked at and asked, in words.
    """

    reader: str
    atr: bytes
    name: str
    source: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        found = f"the card's name is {self.name!r}: {self.source}" if self.name else "no card name"
        return "\n".join((found, *(f"  {step}" for step in self.steps)))
