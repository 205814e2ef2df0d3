# SPDX-License-Identifier: Apache-2.0
"""The platform for writing cards: applications chosen by AID, chaining, PINs, non-volatile memory.

A card kind builds an :class:`AppletCard` from :class:`Applet` objects over an :class:`Nvm`; see
:mod:`cards.piv` for a whole one. Uses the ground floor of vreader alone, and knows no reader.
"""

from cards.platform.applet import Applet, Application, CardStatus, Refuse, Template
from cards.platform.card import AppletCard
from cards.platform.nvm import Area, Nvm, NvmError, open_nvm
from cards.platform.pin import Pin

__all__ = [
    "Applet",
    "AppletCard",
    "Application",
    "Area",
    "CardStatus",
    "Nvm",
    "NvmError",
    "Pin",
    "Refuse",
    "Template",
    "open_nvm",
]
