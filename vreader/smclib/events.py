# SPDX-License-Identifier: Apache-2.0
"""What the driver library says: state changes, event log entries, debug messages."""

from vreader.events import Event


class StateEvent(Event):
    """A reader changed its state; names of CardState, and why in words."""

    device: str
    before: str
    cause: str
    after: str


class DriverLogEvent(Event):
    """SmartcardLogError: an entry for the event log.

    Attributes:
        device: name of the device, or of the driver where that was given.
        status: the error code by name, in hexadecimal where it is no NTSTATUS of the headers.
        text: the insertion string, %2 of the driver's message.
        code: the error code, 32 bits: severity, facility, number.
        dump: the dump data, 32 bits, what the viewer shows as data.
        driver: name of the driver, the event's source.
    """

    device: str
    status: str
    text: str
    code: int = 0
    dump: int = 0
    driver: str = ""


class DebugEvent(Event):
    """SmartcardDebug: a message of a driver whose bits are set in the debug level.

    Attributes:
        device: name of the reader's physical device object, or of the driver.
        bits: the message's DEBUG_* bits.
        text: the message.
    """

    device: str
    bits: int
    text: str

    def __str__(self) -> str:
        return self.text
