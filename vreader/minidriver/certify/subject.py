# SPDX-License-Identifier: Apache-2.0
"""What is certified: how to load a minidriver on a machine, and how to get a fresh card for it."""

from collections.abc import Callable
from typing import NamedTuple

from vreader.card import Card, interrupt
from vreader.host.scard import ScardApi
from vreader.minidriver.module import Module


class Subject(NamedTuple):
    """A minidriver and its card.

    Attributes:
        name: what reports call it.
        load: loads it for a program with that SCard API; where the module has ``close`` it is
            called when the check is over, and where it then has ``findings`` (with ``kind`` and
            ``text``, of a DLL's memory say) the check has failed.
        card: makes a card as new; each check has one of its own.
        card_name: pwszCardName.
    """

    name: str
    load: Callable[[ScardApi], Module]
    card: Callable[[], Card]
    card_name: str = "Certified Card"


class Meddler:
    """A card in front of another one, where things can go wrong at a chosen command.

    Attributes:
        inner: the card behind it.
        commands: how many C-APDUs have come.
        meddle: is asked with each C-APDU, and answers in the card's stead with other than None; it
            may raise CardMute and move the card.
    """

    def __init__(self, inner: Card) -> None:
        self.inner = inner
        self.commands = 0
        self.meddle: Callable[[bytes], bytes | None] | None = None

    def power_on(self) -> bytes:
        """See Card."""
        return self.inner.power_on()

    def reset(self) -> bytes:
        """See Card."""
        return self.inner.reset()

    def power_off(self) -> None:
        """See Card."""
        self.inner.power_off()

    def transmit(self, c_apdu: bytes) -> bytes:
        """See Card."""
        self.commands += 1
        if self.meddle is not None and (answer := self.meddle(c_apdu)) is not None:
            return answer
        return self.inner.transmit(c_apdu)

    def interrupt(self) -> None:
        """See Card."""
        interrupt(self.inner)

    def close(self) -> None:
        """See Card."""
        close = getattr(self.inner, "close", None)
        if callable(close):
            close()
