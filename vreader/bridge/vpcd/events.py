# SPDX-License-Identifier: Apache-2.0
"""What a vpcd door says: connected, refused, kept waiting, disconnected. Never an APDU."""

from vreader.events import Event


class VpcdEvent(Event):
    """Something happened at the door of ``reader``, whose driver is (or should be) at ``peer``."""

    reader: str
    peer: str


class VpcdConnected(VpcdEvent):
    """The driver has spoken: from now on its resource manager sees the card."""

    def __str__(self) -> str:
        return f"{self.reader}: connected to vpcd at {self.peer}"


class VpcdDisconnected(VpcdEvent):
    """The connection has ended: to the resource manager the card is gone."""

    reason: str

    def __str__(self) -> str:
        return f"{self.reader}: disconnected from vpcd at {self.peer}: {self.reason}"


class VpcdRefused(VpcdEvent):
    """No connection is possible now; said once for each outage, though dialing goes on.

    Attributes:
        reason: what is wrong, e.g. that nobody listens.
        hint: what a person can do about it, one line; may be empty.
    """

    reason: str
    hint: str

    def __str__(self) -> str:
        hint = f" (hint: {self.hint})" if self.hint else ""
        return f"{self.reader}: {self.reason}{hint}"


class VpcdIgnored(VpcdEvent):
    """The driver sent something that has no meaning, and the connection survived it."""

    reason: str

    def __str__(self) -> str:
        return f"{self.reader}: {self.reason}"
