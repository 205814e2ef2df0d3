# SPDX-License-Identifier: Apache-2.0
"""What is said to the cards of a world, compared with golden files; the same for every world."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vreader.conversation.hearing import Said

GOLDEN = "tests/golden"


class Conversing(ABC):
    """A world that hears what is said to its cards."""

    @abstractmethod
    def said(self, reader: object = None) -> "list[Said]":
        """Return the resets, commands and answers of a card, since the world began or was marked.

        Args:
            reader: by name, by number, or the only one.

        Raises:
            VreaderError: it was too much to remember; UsageError where the world remembers nothing.
        """

    @abstractmethod
    def mark(self) -> None:
        """Begin conversations anew: what was said before is not compared."""

    def assert_conversation(
        self,
        name: str,
        *,
        directory: str | os.PathLike[str] = GOLDEN,
        reader: object = None,
        masks: Sequence[str] = (),
        update: bool | None = None,
    ) -> None:
        """Compare what was said to a card with the golden file ``DIRECTORY/NAME.txt``.

        What is random by itself may differ, and secrets are not in the file
        (:mod:`vreader.conversation.randomness`).

        Args:
            name: of the file, without its end.
            directory: where golden files are; made when it is needed.
            reader: by name, by number, or the only one.
            masks: what else may differ: a command as hexadecimal, ``.`` being any digit and ``*``
                at the end any further bytes, whose answer's data may be anything; ``@START-END``
                says which bytes of it; ``>`` before it makes them bytes of the command itself.
            update: write the file where it differs; by default where VREADER_UPDATE_GOLDEN is set.

        Raises:
            AssertionError: they differ, or there is no file.
            UsageError: an argument or the file makes no sense.
            VreaderError: the file cannot be written, or the conversation was too long.
        """
        __tracebackhide__ = True
        from vreader.conversation.golden import assert_golden

        assert_golden(self.said(reader), name, directory, masks=masks, update=update)
