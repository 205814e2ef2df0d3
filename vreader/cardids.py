# SPDX-License-Identifier: Apache-2.0
r"""The device ids that Windows gives to smart cards: ``SCFILTER\CID_…``.

A card is called after the first GUID of its object 7F68, or after all its historical bytes, the
status indicator included (WDK "Smart Card Plug and Play", "Smart Card Discovery Process").
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

PREFIX: Final = "SCFILTER\\CID_"
PIV_ID: Final = f"{PREFIX}2777be07-6993-4513-bd80-c184fcb0ab2d"  # KB 4563240
# In no page of Microsoft's: third parties name it for the inbox driver of GIDS cards.
GIDS_ID: Final = f"{PREFIX}e2f748f9-db8b-4c08-a258-583d8955d94a"


def device_id(what: "bytes | UUID") -> str:
    r"""Return ``SCFILTER\CID_`` and the historical bytes, or a GUID, in lower case."""
    return PREFIX + (what.hex() if isinstance(what, bytes) else str(what))
