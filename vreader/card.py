# SPDX-License-Identifier: Apache-2.0
"""The contract between a reader and a card, and between the tool and a kind of card.

A *card* answers ATRs and APDUs and knows no reader. A *card kind* makes cards, reopens them from
their store, provisions them and describes their commands for traces. Kinds are found through the
entry-point group ``vreader.cards``; nothing else about them is known outside their own package.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from vreader.errors import UsageError


class CardGone(Exception):  # noqa: N818 - an event of the physical world, not an error
    """The card has left the reader, maybe in the middle of a command (reader: NO_MEDIA)."""


class CardMute(Exception):  # noqa: N818 - an event of the physical world, not an error
    """The card does not answer (reader: IO_TIMEOUT)."""


@runtime_checkable
class Card(Protocol):
    """What a reader can do to a card; calls never overlap.

    Every method may raise CardGone or CardMute. Any other exception is a bug of the card: the
    reader answers 6F00 and logs the traceback.

    A card may have two methods more, both called from any thread, also while it works:
    ``interrupt()`` when it has lost its power at work, so that it need not go on; and ``close()``
    when nobody will use it again. Both must be quick. One that keeps a memory may have
    ``tear(c_apdu, committed)``, see :func:`tear`.
    """

    def power_on(self) -> bytes:
        """Cold reset. Volatile state is gone; return the raw ATR bytes, garbled ones included."""

    def reset(self) -> bytes:
        """Warm reset: volatile state is gone, power is kept; return the raw ATR bytes."""

    def power_off(self) -> None:
        """Remove power; volatile state is gone."""

    def transmit(self, c_apdu: bytes) -> bytes:
        """Execute one C-APDU (2 to 65544 bytes, any content) and return the R-APDU (≥ 2 bytes)."""


def interrupt(card: object) -> None:
    """Tell a card that it has lost its power at work, if it wants to know."""
    call = getattr(card, "interrupt", None)
    if callable(call):
        call()


def tear(card: Card, c_apdu: bytes, committed: bool) -> None:
    """Have a card execute a command and lose its power in the middle.

    That is when it first makes a change of its memory last, before or after it has (``committed``);
    or at the end. A card that has no ``tear`` of its own has not executed the command, or has.
    """
    call = getattr(card, "tear", None)
    if callable(call):
        call(c_apdu, committed)
        return
    if committed:
        card.transmit(c_apdu)
    card.power_off()


class Description(NamedTuple):
    """What a command means, for people, and which of its bytes nobody may see.

    Attributes:
        text: one short line, e.g. ``VERIFY PIV PIN``; empty when the kind does not know it.
        secret: (start, end) offsets into the C-APDU that hold PINs or keys.
        secret_reply: the data of the R-APDU is sensitive too (a decrypted session key, say).
    """

    text: str
    secret: tuple[tuple[int, int], ...] = ()
    secret_reply: bool = False


class Store(Protocol):
    """Where a card keeps its non-volatile memory.

    ``path`` None means memory only. Opening a file and its format are the card platform's affair.
    """

    @property
    def path(self) -> str | None:
        """The state file, or None."""


class MemoryStore:
    """A store that lives as long as the card object."""

    path: str | None = None


class FileStore:
    """A store in one file, named on the command line as ``state=FILE``."""

    def __init__(self, path: str) -> None:
        self.path: str | None = path


@runtime_checkable
class CardKind(Protocol):
    """A plug-in: one kind of card, in several profiles.

    A kind that also takes ``file.py:Class`` for a profile has ``takes_classes = True``.

    Attributes:
        name: the word users type, e.g. ``piv``.
        summary: one line for ``vreader cards``.
        reader_name: the reader vendor tools expect it in, or None for the default name.
        aids: the application identifiers whose commands ``describe`` knows.
    """

    name: str
    summary: str
    reader_name: str | None
    aids: Sequence[bytes]

    def profiles(self) -> Mapping[str, str]:
        """Profile name → one line about it; the first is the default."""

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Make a new card.

        Args:
            profile: one of ``profiles()``.
            options: ``key=value`` pairs as typed; unknown keys raise UsageError naming the known.
            store: where it keeps its state; an existing file is opened, not overwritten.
            seed: makes serial numbers and identifiers repeatable; None is random.

        Raises:
            VreaderError: an option or the store cannot be used; the hint says what to do.
        """

    def open(self, store: Store) -> Card:
        """Reopen the card in ``store``; raises VreaderError when there is none it can use."""

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Give a new card keys and certificates; raises UsageError for what it cannot do."""

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain a C-APDU sent while the application ``aid`` is selected; never raises."""


@runtime_checkable
class KeepingKind(CardKind, Protocol):
    """A kind whose cards live in files: what ``vreader card`` needs besides.

    A card's *profile* is what it is made as; its *image* is what it has become.
    """

    def options(self) -> Mapping[str, str]:
        """Options of ``create``: name → one line about it."""

    def provisioning(self) -> Mapping[str, str]:
        """Options of ``provision``: name → one line about it."""

    def holds(self, path: str) -> bool:
        """Tell, without locking or changing it, whether the file has a card of this kind."""

    def outline(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return (label, value) lines that every card has: profile, ATR, applications."""

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return (label, value) lines about the card for people; no secrets."""

    def born(self, card: Card) -> None:
        """Keep the present image as the one that ``restore`` returns to."""

    def restore(self, card: Card) -> None:
        """Make the card again what it was when it was made; raises VreaderError."""

    def export(self, card: Card) -> bytes:
        """Return the image as a portable text, secrets included."""

    def reads(self, image: bytes) -> bool:
        """Tell whether ``image`` was exported from a card of this kind; never raises."""

    def load(self, image: bytes, store: Store) -> Card:
        """Make a card of an exported image; raises VreaderError when it cannot be used."""


def check_options(given: Mapping[str, str], known: Collection[str], kind: str) -> None:
    """Raise UsageError for the first key of ``given`` that is not in ``known``."""
    for key in given:
        if key not in known:
            raise UsageError(
                f"card kind {kind} has no option {key!r}",
                hint="options of this kind: " + (", ".join(known) or "none"),
            )
