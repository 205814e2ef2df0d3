# SPDX-License-Identifier: Apache-2.0
"""What a resource manager that has gone answers: NO_SERVICE, and it takes handles back.

A thread may come a moment too late. And connections of versions before 2.2 that live longer than
their world, in the traceback of a failed test for example, give their handles back when they are
collected: they must not be told that it was wrong.
"""

from collections.abc import Callable

from vreader.bridge.pyscard.functions import Functions
from vreader.bridge.pyscard.numbers import Numbers
from vreader.bridge.pyscard.shapes import Answer, failing
from vreader.winscard.codes import SCARD


class Gone:
    """Answers for a resource manager in whose place another is now.

    Args:
        numbers: those of the machine's pyscard.
        before: its functions, with the handles that are still held.
        given_back: called with every handle that nobody holds any more.
    """

    def __init__(
        self, numbers: Numbers, before: Functions, given_back: Callable[[int], None]
    ) -> None:
        self._no_service = numbers.code(SCARD.E_NO_SERVICE)
        self._contexts, self._cards = before.contexts, before.cards
        self._given_back = given_back

    def SCardReleaseContext(self, hcontext: int) -> int:
        """Return success."""
        self._contexts.discard(hcontext)
        for card in [card for card, context in self._cards.items() if context == hcontext]:
            del self._cards[card]
            self._given_back(card)
        self._given_back(hcontext)
        return 0

    def SCardDisconnect(self, hcard: int, dwdisposition: int) -> int:
        """Return success."""
        self._cards.pop(hcard, None)
        self._given_back(hcard)
        return 0

    def SCardGetStatusChange(
        self, hcontext: int, dwtimeout: int, readerstatelist: list[tuple[str, int]]
    ) -> Answer:
        """Return [NO_SERVICE, states of which nothing is known]."""
        return [self._no_service, [(state[0], 0, []) for state in readerstatelist]]

    def __getattr__(self, name: str) -> Callable[..., int | Answer]:
        if not name.startswith("SCard"):
            raise AttributeError(name)
        function = getattr(Functions, name)
        return lambda *args: failing(function, self._no_service)
