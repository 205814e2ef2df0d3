# SPDX-License-Identifier: Apache-2.0
"""A card around an object with the methods of vpicc's SmartcardOS.

Those are ``getATR() -> bytes``, ``powerUp()``, ``powerDown()``, ``reset()`` and
``execute(bytes) -> bytes``. In vpicc itself whatever they raise ends the program; here a card that
fails answers 6F00, as every card with a bug does, and ``sys.exit()`` is such a failure.
"""

from collections.abc import Callable
from typing import Protocol

from cards.vpicc.muzzle import muzzle


class SmartcardOS(Protocol):
    """What vpicc calls a card."""

    def getATR(self) -> bytes:  # noqa: N802 - vpicc's names
        """Return the ATR."""

    def powerUp(self) -> object:  # noqa: N802
        """Power the card up."""

    def powerDown(self) -> object:  # noqa: N802
        """Power the card down."""

    def reset(self) -> object:
        """Reset the card, which keeps its power."""

    def execute(self, msg: bytes) -> bytes:
        """Return the R-APDU to a C-APDU."""


METHODS = ("getATR", "powerUp", "powerDown", "reset", "execute")


class VpiccCard:
    """A card that was written for vpicc.

    Args:
        system: the object.
    """

    def __init__(self, system: SmartcardOS) -> None:
        self._system = system
        self._powered = False

    def power_on(self) -> bytes:
        """Power the card up, after taking its power if it had any."""
        self.power_off()
        self._powered = True
        _call(self._system.powerUp)
        return self._atr()

    def reset(self) -> bytes:
        """Reset the card."""
        _call(self._system.reset)
        return self._atr()

    def power_off(self) -> None:
        """Take the card's power."""
        if self._powered:
            self._powered = False
            _call(self._system.powerDown)

    def transmit(self, c_apdu: bytes) -> bytes:
        """Have the card answer."""
        return _octets(_call(self._system.execute, c_apdu), "execute()")

    def _atr(self) -> bytes:
        return _octets(_call(self._system.getATR), "getATR()")


def _call(method: Callable[..., object], *arguments: object) -> object:
    muzzle()
    try:
        return method(*arguments)
    except SystemExit as error:
        raise RuntimeError(f"the card called sys.exit({error.code!r})") from error


def _octets(answer: object, what: str) -> bytes:
    """Return an answer as bytes; old cards make them as text, a character for each byte."""
    if isinstance(answer, bytes | bytearray):
        return bytes(answer)
    if isinstance(answer, str):
        try:
            return answer.encode("latin-1")
        except UnicodeEncodeError:
            pass
    raise TypeError(f"{what} returned {type(answer).__name__}, not bytes")
