# SPDX-License-Identifier: Apache-2.0
"""The card kind ``relay``: a card in a reader of the system's own PC/SC."""

from cards.relay.kind import KIND

__all__ = ["KIND"]
