# SPDX-License-Identifier: Apache-2.0
"""What the door for our winscard.dll says: who came, who was dropped and why."""

from vreader.events import Event


class WinscardClientEvent(Event):
    """A connection of a Windows program began or ended.

    Attributes:
        client: its number, 0 before it has shown the token.
        change: ``connected``, ``left``, or ``dropped``.
        reason: why it was dropped; empty otherwise.
    """

    client: int
    change: str
    reason: str = ""
