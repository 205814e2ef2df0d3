# SPDX-License-Identifier: Apache-2.0
"""Fabrikam's minidriver: a PIV card's, under their own name. A DLL for Windows takes its place."""

from vreader.minidriver.abi.codes import NO_CARD_MODE
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.piv import PivMinidriver
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import Module
from vreader.minidriver.rules.base import acquire, negotiate
from vreader.winscard.codes import SCARD


class Fabrikam(Module):
    """The module, as its DLL would be loaded."""

    def CardAcquireContext(self, data: CardData | None, flags: int) -> Minidriver:
        given = acquire(data, flags)
        if flags & NO_CARD_MODE:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        return PivMinidriver(self.api, given, negotiate(given.version, self.VERSION))
