# SPDX-License-Identifier: Apache-2.0
"""A desk that a PIV card and its PIN unlock, and that locks itself when the card is taken out.

CARD_PIN=123456 python3 desk.py
"""

import os
import sys
import threading

from smartcard.CardMonitoring import CardMonitor, CardObserver
from smartcard.CardRequest import CardRequest
from smartcard.Exceptions import CardRequestTimeoutException, SmartcardException
from smartcard.util import toBytes

SELECT_PIV = toBytes("00 A4 04 00 05 A0 00 00 03 08")
VERIFY = toBytes("00 20 00 80 08")
PIN_LENGTH = 8


class DeskError(Exception):
    """Why the desk cannot be unlocked, in words for whoever stands before it."""


class Desk(CardObserver):
    """A desk; it is locked at first."""

    def __init__(self) -> None:
        self.locked = True
        self.card_seen, self.card_gone = threading.Event(), threading.Event()

    def __enter__(self):
        CardMonitor().addObserver(self)
        return self

    def __exit__(self, *exc):
        CardMonitor().deleteObserver(self)

    def unlock(self, pin: str, patience_s: float = 1) -> None:
        try:
            with CardRequest(timeout=patience_s).waitforcard() as service:
                service.connection.connect()
                check_pin(service.connection, pin)
        except CardRequestTimeoutException:
            raise DeskError("insert your card") from None
        except SmartcardException:
            raise DeskError("leave your card in") from None
        self.locked = False

    def update(self, observable, handlers) -> None:
        """Called by pyscard, in a thread of its own."""
        added, removed = handlers
        if added:
            self.card_seen.set()
        if removed:
            self.locked = True
            self.card_gone.set()


def check_pin(connection, pin: str) -> None:
    if connection.transmit(SELECT_PIV)[1:] != (0x90, 0x00):
        raise DeskError("this is not a PIV card")
    padded = pin.encode().ljust(PIN_LENGTH, b"\xff")
    _, sw1, sw2 = connection.transmit(VERIFY + list(padded))
    if (sw1, sw2) == (0x69, 0x83):
        raise DeskError("the card is blocked")
    if sw1 == 0x63:
        raise DeskError(f"wrong PIN, {sw2 & 0x0F} tries left")
    if (sw1, sw2) != (0x90, 0x00):
        raise DeskError(f"the card says {sw1:02X}{sw2:02X}")


if __name__ == "__main__":
    try:
        Desk().unlock(os.environ["CARD_PIN"])
    except DeskError as reason:
        sys.exit(f"desk: {reason}")
    print("unlocked")
