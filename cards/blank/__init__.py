# SPDX-License-Identifier: Apache-2.0
"""The card kind ``blank``: an ATR and nothing behind it, for pairing experiments."""

from cards.blank.kind import KIND

__all__ = ["KIND"]
