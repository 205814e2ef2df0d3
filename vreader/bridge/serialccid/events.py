# SPDX-License-Identifier: Apache-2.0
"""What a serial CCID door says: that its driver has spoken, what it could not read. Never bytes."""

from vreader.events import Event


class SerialCcidEvent(Event):
    """Something happened on the line of ``reader``, whose device file is ``path``."""

    reader: str
    path: str


class SerialCcidConnected(SerialCcidEvent):
    """A driver has spoken for the first time."""

    def __str__(self) -> str:
        return f"{self.reader}: a driver speaks on {self.path}"


class SerialCcidWaiting(SerialCcidEvent):
    """The card works on; the driver was asked to wait."""

    def __str__(self) -> str:
        return f"{self.reader}: the card still works; the driver is asked to wait"


class SerialCcidIgnored(SerialCcidEvent):
    """The driver sent something that could not be read, or did not read what it was sent."""

    reason: str

    def __str__(self) -> str:
        return f"{self.reader}: {self.reason}"
