# SPDX-License-Identifier: Apache-2.0
"""The card kind ``replay``: answers as a card did when a trace was recorded."""

from cards.replay.kind import KIND

__all__ = ["KIND"]
