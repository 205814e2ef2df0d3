# SPDX-License-Identifier: Apache-2.0
"""What a host says of itself: which of its devices is which reader."""

from vreader.events import Event


class ReaderNamed(Event):
    """A reader was set up.

    Attributes:
        device: name of its physical device object, by which drivers' events speak of it.
        reader: its name for applications.
    """

    device: str
    reader: str

    def __str__(self) -> str:
        return f"is {self.reader!r}"
