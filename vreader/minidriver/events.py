# SPDX-License-Identifier: Apache-2.0
"""What the minidriver bench says while it works: calls of a minidriver's functions.

A call is told twice, before and after the APDUs it causes, so that one trace shows which call
caused which command. Secrets are gone from both (:mod:`vreader.minidriver.traced`).
"""

from vreader.events import Event
from vreader.minidriver.abi.returncodes import SUCCESS, name_of


class CardCallStarted(Event):
    """A function is about to be called.

    Attributes:
        function: its documented name.
        arguments: pairs of name and value as text; ``**`` for secrets.
        reader: in which the card is, or empty.
        call: counts the calls of one wrapper; its CardCallEvent has the same.
    """

    function: str
    arguments: tuple[tuple[str, str], ...]
    reader: str = ""
    call: int = 0

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.arguments)
        return f"{self.function}({told})"


class CardCallEvent(Event):
    """A function has returned.

    Attributes:
        function: its documented name.
        arguments: as when it was called.
        result: what it returns besides the code, as text; for a failure the attempts or the length
            that it tells; ``**`` for secrets.
        code: the DWORD it returns.
        seconds: how long it took, the card included.
        reader: in which the card is, or empty.
        call: the number of its CardCallStarted.
    """

    function: str
    arguments: tuple[tuple[str, str], ...]
    result: str
    code: int
    seconds: float
    reader: str = ""
    call: int = 0

    @property
    def problem(self) -> str:
        """The code's name where it is a failure; by it a trace knows what went wrong."""
        return "" if self.code == SUCCESS else name_of(self.code)

    def __str__(self) -> str:
        told = f"{self.function} → {name_of(self.code)}"
        return "  ".join(filter(None, (told, self.result, f"{self.seconds * 1e3:.1f} ms")))
