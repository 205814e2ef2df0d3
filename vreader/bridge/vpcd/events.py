# SPDX-License-Identifier: Apache-2.0
"""What the two ends of vpcd say: connected, refused, disconnected. Never an APDU."""

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
    """The other side sent something that has no meaning, and the connection survived it."""

    reason: str

    def __str__(self) -> str:
        return f"{self.reader}: {self.reason}"


class CardProgramConnected(VpcdEvent):
    """A card program at ``peer`` has told its ATR: it is the card of ``reader``."""

    def __str__(self) -> str:
        return f"{self.reader}: the card is a program at {self.peer}"


class CardProgramLeft(VpcdEvent):
    """The connection of the card program has ended: the card is gone."""

    reason: str

    def __str__(self) -> str:
        return f"{self.reader}: the card program at {self.peer} has gone: {self.reason}"


class CardProgramRefused(VpcdEvent):
    """A connection was closed that could not be the card of ``reader``."""

    reason: str

    def __str__(self) -> str:
        return f"{self.reader}: the connection from {self.peer} was refused: {self.reason}"
