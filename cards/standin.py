# SPDX-License-Identifier: Apache-2.0
"""What the cards that stand in for another have in common: no memory, and files to read.

They are told what to answer from outside, by a conversation, a trace or a real card, and have no
state of their own that could be kept.
"""

from collections.abc import Mapping, Sequence

from vreader.card import Card, Description, Store
from vreader.errors import UsageError, VreaderError

MAX_FILE = 64 << 20
_REMEMBERED = 1000


class StandInKind:
    """The part of :class:`vreader.card.CardKind` that is the same for all of them."""

    name: str
    reader_name: str | None = None
    aids: Sequence[bytes] = ()

    def open(self, store: Store) -> Card:
        """Refuse: nothing of such a card is in a file."""
        raise VreaderError(
            f"a {self.name} card is not kept in a file", hint=f"use it as --card {self.name},…"
        )

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Refuse: keys and certificates are the other card's affair."""
        raise UsageError(
            f"a {self.name} card takes no keys or certificates", hint="provision a card of its own"
        )

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Know nothing: the kinds that own the application explain its commands."""
        return Description("")

    def refuse_state(self, store: Store) -> None:
        """Raise UsageError where the card is to be kept in a file."""
        if store.path is not None:
            raise UsageError(
                f"a {self.name} card keeps no state file", hint="leave state= or --state out"
            )


def read_text(path: str, what: str, hint: str) -> str:
    """Return the text of a file.

    Args:
        path: where it is.
        what: it is, for errors.
        hint: what to do when no path is given.

    Raises:
        UsageError: there is none, it cannot be read, is no file, not text, or above 64 MiB.
    """
    import os
    import stat

    if not path:
        raise UsageError(f"no {what} is named", hint=hint)
    try:
        # A FIFO that nobody writes is refused, not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{path} is not a file", hint=f"name the {what} itself")
            if status.st_size > MAX_FILE:
                raise UsageError(
                    f"{path} is larger than {MAX_FILE >> 20} MiB", hint=f"shorten the {what}"
                )
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(MAX_FILE)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the {what} {path}: {reason}", hint=hint) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not text: byte {error.start} is not UTF-8", hint=f"name a {what}"
        ) from None


class Complaints:
    """Tells people, in the log, why a card answers as it does; the same thing only once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._said: set[str] = set()

    def say(self, text: str) -> None:
        """Log ``text``, unless it was said before."""
        if text in self._said:
            return
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said.add(text)
        import logging  # slow to import, and mostly there is nothing to say

        logging.getLogger("vreader").warning("%s: %s", self._source, text)
