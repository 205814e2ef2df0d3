# SPDX-License-Identifier: Apache-2.0
"""An application on a card: parse a C-APDU into a typed command, gate it, execute it.

``parse`` is the only place of an applet that knows P1, P2 and Lc; ``gate`` the only place that asks
for rights; ``execute`` may take both for granted. Chaining, GET RESPONSE, Le and SELECT belong to
:mod:`cards.platform.card` and never appear here.
"""

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

from vreader.iso7816 import SW, CommandApdu


class Refuse(Exception):  # noqa: N818 - an answer of the card, not an error of ours
    """The card refuses a command; ``sw`` is the whole answer (ISO/IEC 7816-4:2020 §5.6).

    Writes of the command to non-volatile memory are undone, except what it committed itself.
    """

    def __init__(self, sw: SW) -> None:
        super().__init__(str(sw))
        self.sw = sw


class Template(IntEnum):
    """What SELECT shall tell about the selected file: P2 bits 4 and 3 (§11.2.2, table 63)."""

    FCI = 0x00
    FCP = 0x04
    FMD = 0x08
    NONE = 0x0C


class CardStatus:
    """The security status of the whole card: dropped at reset, not when an application is left.

    Attributes:
        verified: names of what was verified for all applications, e.g. a global PIN.
        authentication: the security status of the channel that took the last step of an
            authentication with a key that all channels share.
    """

    def __init__(self) -> None:
        self.verified: set[str] = set()
        self.authentication: object | None = None

    def drop(self) -> None:
        """Forget everything: the card was reset or loses power."""
        self.verified.clear()
        self.authentication = None


class Application(Protocol):
    """What a card asks of one of its applications.

    Attributes:
        aid: the full application identifier, 5 to 16 bytes (ISO/IEC 7816-4:2020 §12.2.3).
        proprietary_class: commands of class 80 and 90 are for this application, too.
        exact_le: a wrong Le is answered with 6Cxx, not with as much as Le asks for.
        anywhere: :meth:`takes` is asked about commands while another application is selected.
    """

    aid: bytes
    proprietary_class: bool
    exact_le: bool
    anywhere: bool

    def select(self, wanted: Template) -> bytes:
        """Become the selected application and return the wanted template.

        Called again when the selected application is selected once more: the security status
        stays. Raises Refuse when it cannot be selected; the card then stays as it was.
        """

    def deselect(self) -> None:
        """Drop the security status: another application was selected."""

    def reset(self) -> None:
        """Drop everything volatile: the card was reset or loses power."""

    def takes(self, apdu: CommandApdu) -> bool:
        """Tell whether a whole command is for this application although it is not selected.

        It takes precedence over the selected one. A SELECT that succeeds this way (of a file, say)
        selects the application, every other command leaves the selection alone.
        """

    def process(self, apdu: CommandApdu) -> bytes:
        """Answer one whole command, chaining already undone; raises Refuse."""


CommandT = TypeVar("CommandT")


class Applet(ABC, Generic[CommandT]):
    """Base of an application in three steps. ``CommandT`` is the union of its typed commands."""

    aid: bytes
    proprietary_class: bool = False
    exact_le: bool = False
    anywhere: bool = False

    @abstractmethod
    def parse(self, apdu: CommandApdu) -> CommandT:
        """Read the command; raises Refuse: 6D00, 6A86, 6700, 6A80 and the like."""

    def gate(self, command: CommandT) -> None:
        """Raise Refuse when life cycle or security status forbid the command (6982, 6985)."""

    @abstractmethod
    def execute(self, command: CommandT) -> bytes:
        """Carry out a permitted command and return the response data; raises Refuse."""

    def select(self, wanted: Template) -> bytes:
        """Return the response data of SELECT; none unless the applet says more."""
        return b""

    def deselect(self) -> None:
        """Drop the security status: by default the same as a reset."""
        self.reset()

    def reset(self) -> None:
        """Drop everything volatile; nothing by default."""

    def takes(self, apdu: CommandApdu) -> bool:
        """Take nothing while not selected."""
        return False

    def process(self, apdu: CommandApdu) -> bytes:
        """Parse, gate, execute."""
        command = self.parse(apdu)
        self.gate(command)
        return self.execute(command)
