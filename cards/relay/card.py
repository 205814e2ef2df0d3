# SPDX-License-Identifier: Apache-2.0
"""The card that is somewhere else: every call goes to a real reader, every answer comes from it.

It records nothing itself: a world's trace has every exchange, its secrets masked by those who know
them, and is what :mod:`cards.replay` reads.
"""

from cards.relay.pcsc import Pcsc
from vreader.errors import VreaderError


class RelayCard:
    """A card in a reader of the system's PC/SC, for ourselves alone as long as we have it.

    Args:
        pcsc: the system's PC/SC.
        reader: part of a reader's name; empty is the first one with a card.

    Raises:
        VreaderError: there is no such reader, or no card in it, or it is in use.
    """

    def __init__(self, pcsc: Pcsc, reader: str) -> None:
        self._pcsc = pcsc
        try:
            pcsc.choose(_find(pcsc, reader))
        except BaseException:
            pcsc.close()
            raise

    def power_on(self) -> bytes:
        """Reset the card by its power."""
        return self._pcsc.power_up(cold=True)

    def reset(self) -> bytes:
        """Reset the card, which keeps its power."""
        return self._pcsc.power_up(cold=False)

    def power_off(self) -> None:
        """Drop the card's volatile state; nobody else gets the card."""
        self._pcsc.power_down()

    def transmit(self, c_apdu: bytes) -> bytes:
        """Have the card answer."""
        return self._pcsc.transmit(c_apdu)

    def close(self) -> None:
        """Let others have the card."""
        self._pcsc.close()


def _find(pcsc: Pcsc, part: str) -> str:
    found = pcsc.readers()
    names = ", ".join(repr(name) for name, _ in found) or "none"
    fitting = [(name, has_card) for name, has_card in found if part in name]
    if not fitting:
        what = f"no reader is called {part!r}" if part else "there is no reader"
        raise VreaderError(what, hint=f"readers: {names}")
    for name, has_card in fitting:
        if has_card:
            return name
    raise VreaderError(
        f"no card is in {fitting[0][0]!r}" if part else "no reader holds a card",
        hint="insert the card first",
    )
