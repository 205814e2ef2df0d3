# SPDX-License-Identifier: Apache-2.0
"""A minidriver in Python as it is loaded: what its DLL would export."""

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import ClassVar

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.carddata import CURRENT_VERSION
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.interface import Minidriver


class DllReason(IntEnum):
    """Why DllMain is called."""

    PROCESS_DETACH = 0
    PROCESS_ATTACH = 1
    THREAD_ATTACH = 2
    THREAD_DETACH = 3


class Module(ABC):
    """A minidriver as loaded: what its DLL exports.

    Args:
        api: the SCard functions that it is linked with; handles in CardData are handles of it.

    Attributes:
        VERSION: the newest version of CARD_DATA it can serve.
    """

    VERSION: ClassVar[int] = CURRENT_VERSION

    def __init__(self, api: ScardApi) -> None:
        self.api = api

    def DllMain(self, reason: DllReason) -> bool:
        """Be told that a process or a thread comes or goes; False refuses to be loaded."""
        return True

    @abstractmethod
    def CardAcquireContext(self, data: CardData | None, flags: int) -> Minidriver:
        """Make a context for a card.

        ERROR_REVISION_MISMATCH, SCARD_E_UNKNOWN_CARD, SCARD_E_INVALID_PARAMETER.
        """
