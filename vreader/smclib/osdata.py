# SPDX-License-Identifier: Apache-2.0
"""OsData, the part of a reader's data that belongs to the operating system (smcnt.h)."""

from collections.abc import Callable
from typing import Any

from vreader.wdm import BugCheck, DeviceObject, Irp


class REMOVE_LOCK:
    """Who is inside the driver; ``released`` is called when the last one leaves after removal.

    ``tags`` names those of the ``count`` holders that gave a tag, by identity.
    """

    __slots__ = ("count", "released", "removed", "tags")

    def __init__(self) -> None:
        self.count = 0
        self.tags: list[object] = []
        self.removed = False
        self.released: Callable[[], None] | None = None


class POS_DEP_DATA:
    """OsData: the requests in hand, the device, the remove lock, power.

    Attributes:
        CurrentIrp: the request a callback has; tracking is not among them.
        NotificationIrp: the tracking request.
        InD0: the bus has the device in D0; the driver's skeleton sees to it.
        Now: seconds on the computer's clock; kept here because each request asks it.
        PoweredOff: the driver's own power switch, an NFC radio say, is off: requests for the card
            are DEVICE_POWERED_OFF before anything else is looked at.
    """

    __slots__ = (
        "CurrentIrp",
        "DeviceObject",
        "InD0",
        "NotificationIrp",
        "Now",
        "PoweredOff",
        "RemoveLock",
        "StartedAt",
    )

    def __init__(self, device: DeviceObject) -> None:
        self.CurrentIrp: Irp | None = None
        self.NotificationIrp: Irp | None = None
        self.DeviceObject = device
        self.RemoveLock = REMOVE_LOCK()
        self.PoweredOff = False
        self.InD0 = False  # until the bus has started the device
        self.StartedAt = 0.0
        self.Now = device.DriverObject.io.clock.now


class _NotInitialized:
    """Stands for OsData before SmartcardInitialize and after SmartcardExit."""

    def __getattr__(self, member: str) -> object:
        raise BugCheck(0xC9, f"OsData->{member} without SmartcardInitialize")


NOT_INITIALIZED: Any = _NotInitialized()
