# SPDX-License-Identifier: Apache-2.0
"""What the embedded door says: who connected, who was dropped and why."""

from vreader.events import Event


class ClientEvent(Event):
    """A program connected to the door, or left.

    Attributes:
        pid: its process, 0 where unknown.
        change: ``connected``, ``left``, or ``dropped``.
        reason: why it was dropped; empty otherwise.
    """

    pid: int
    change: str
    reason: str = ""

    def __str__(self) -> str:
        who = f"client {self.pid}" if self.pid else "a client"
        return f"{who} {self.change}" + (f": {self.reason}" if self.reason else "")


class DoorFaultEvent(Event):
    """A bug in this program showed while it served a client.

    Attributes:
        pid: the client's process.
        traceback: names code only.
    """

    pid: int
    traceback: str
