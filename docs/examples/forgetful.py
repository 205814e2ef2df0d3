# SPDX-License-Identifier: Apache-2.0
"""A driver with a fault: nobody who waits is told of a card that comes or goes."""

from vreader.reader.driver import VirtualReader
from vreader.smclib.library import set_state
from vreader.smclib.states import ReaderEvent


class ForgetfulReader(VirtualReader):
    """The virtual reader, but for SmartcardCompleteCardTracking, which is forgotten."""

    service, inf = "forgetful", None

    def CardMoved(self, ext, card, inserted):
        set_state(ext, ReaderEvent.INSERTED if inserted else ReaderEvent.REMOVED)
