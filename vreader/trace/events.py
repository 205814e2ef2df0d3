# SPDX-License-Identifier: Apache-2.0
"""What the trace itself says: its first entry."""

from vreader.events import Event


class TraceOpened(Event):
    """The trace begins.

    Attributes:
        version: of vreader.
        started: date and time (UTC, ISO 8601) at which the trace's seconds are zero.
        unmasked: PINs and keys are shown, on the user's wish.
        format: the version of the entries; :mod:`vreader.recording` reads it.
    """

    version: str
    started: str
    unmasked: bool
    format: int = 1
