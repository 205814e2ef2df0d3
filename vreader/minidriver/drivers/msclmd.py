# SPDX-License-Identifier: Apache-2.0
"""The class minidriver, ``msclmd.dll``: it asks the card what it is and serves PIV or GIDS.

WDK "Smart Card Discovery Process": the PIV application is looked for first, then that of GIDS, and
a card that answers "not found" to both is still taken for GIDS.
"""

from vreader.minidriver.abi.codes import NO_CARD_MODE
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.base import CardMinidriver
from vreader.minidriver.drivers.gids import GidsMinidriver
from vreader.minidriver.drivers.link import failed
from vreader.minidriver.drivers.piv import PivMinidriver
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import Module
from vreader.minidriver.rules.base import acquire, negotiate
from vreader.pairing.discovery import Verdict, class_minidriver
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.probing import drive

_DRIVERS: dict[Verdict, type[CardMinidriver]] = {
    Verdict.PIV: PivMinidriver,
    Verdict.GIDS: GidsMinidriver,
}


class ClassMinidriver(Module):
    """msclmd.dll. Without a card, for key injection, it is the minidriver of GIDS cards."""

    def CardAcquireContext(self, data: CardData | None, flags: int) -> Minidriver:
        """See Module; SCARD_E_UNKNOWN_CARD for a card that is neither.

        What "not found" is beside 6A82 is not documented; here nothing is (assumed).
        """
        given = acquire(data, flags)
        version = negotiate(given.version, self.VERSION)
        if flags & NO_CARD_MODE:
            return GidsMinidriver(self.api, given, version, no_card=True)
        try:
            protocol = self.api.SCardStatus(given.card).protocol
            found = drive(
                class_minidriver(),
                lambda command: self.api.SCardTransmit(given.card, protocol, command),
            )
        except ScardError as error:
            raise failed(error) from error
        driver = _DRIVERS.get(found.verdict)
        if driver is None:
            raise MinidriverError(SCARD.E_UNKNOWN_CARD)
        return driver(self.api, given, version)
