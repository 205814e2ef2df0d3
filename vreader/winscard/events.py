# SPDX-License-Identifier: Apache-2.0
"""What the resource manager says: a reader's published state is different."""

from vreader.events import Event


class ReaderChangeEvent(Event):
    """A reader arrived, left, or changed what applications see of it.

    Attributes:
        reader: the reader's name.
        state: name of the CardState.
        counter: insertions and removals so far.
        sharing: connections; -1 exclusive.
        gone: the reader has left.
    """

    reader: str
    state: str
    counter: int
    sharing: int
    gone: bool
