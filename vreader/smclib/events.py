# SPDX-License-Identifier: Apache-2.0
"""What the driver library says: state changes and event log entries."""

from vreader.events import Event


class StateEvent(Event):
    """A reader changed its state; names of CardState, and why in words."""

    device: str
    before: str
    cause: str
    after: str


class DriverLogEvent(Event):
    """SmartcardLogError: an entry for the event log."""

    device: str
    status: str
    text: str
