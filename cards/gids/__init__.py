# SPDX-License-Identifier: Apache-2.0
"""A GIDS card (Generic Identity Device Specification v2) with Microsoft's generic profile.

``KIND`` and ``TPMVSC`` are the plug-ins; importing them is cheap, the card itself is imported when
one is made. :mod:`vreader.cardfs` knows the files that Windows keeps on a card.
"""

from cards.gids.kind import KIND, TPMVSC

__all__ = ["KIND", "TPMVSC"]
