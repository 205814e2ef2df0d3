# SPDX-License-Identifier: Apache-2.0
"""What a check is: a name, the requirement behind it, and a function that complains.

A part is a list of checks under a letter, as in Microsoft's reader test. A check's id is made of
the letter and the function's name, its title is the function's docstring.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vreader.smclib.ioctl import Protocol

if TYPE_CHECKING:
    from vreader.certify.bench import Bench

_READER = "Device.Input.SmartCardReader."
MONITOR = _READER + "SupportsInsertionAndRemovalMonitor"
PACKETS = _READER + "Supports258And259BytePackets"
CONVENTIONS = _READER + "SupportsDirectAndInverseConvention"
MODES = _READER + "SupportsNegotiableAndSpecificModes"
RESET = _READER + "SupportsResetCommand"


class Failed(Exception):  # noqa: N818 - the result of a check, not an error of ours
    """The driver does not do what the check asks for; the text says what it did instead."""


class NotApplicable(Exception):  # noqa: N818 - likewise
    """The reader has nothing the check could ask for; the text says what."""


def one_line(text: str) -> str:
    """Return a driver's words without what a line, a terminal or XML cannot carry."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


Run = Callable[["Bench"], None]


class Check(NamedTuple):
    """One check.

    Attributes:
        id: the part's letter and a word, e.g. ``A.cancel``.
        title: what a reader must do, one line.
        requirement: the certification requirement, or the page that says so.
        run: does it; raises Failed or NotApplicable.
        contact: it is about contacts, a contactless reader need not pass it.
        protocols: the reader must be able to speak these.
    """

    id: str
    title: str
    requirement: str
    run: Run
    contact: bool
    protocols: Protocol


class Part:
    """The checks under one letter.

    Attributes:
        letter: A to F.
        title: what they are about.
        checks: in the order they run.
    """

    def __init__(self, letter: str, title: str) -> None:
        self.letter = letter
        self.title = title
        self.checks: list[Check] = []

    def check(
        self,
        requirement: str,
        *,
        contact: bool = False,
        protocols: Protocol = Protocol.UNDEFINED,
    ) -> Callable[[Run], Run]:
        """Make a check of the decorated function; see :class:`Check`."""

        def add(run: Run) -> Run:
            name = f"{self.letter}.{run.__name__.replace('_', '-')}"
            title = (run.__doc__ or "").rstrip(".")
            self.checks.append(Check(name, title, requirement, run, contact, protocols))
            return run

        return add
