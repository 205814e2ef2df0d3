# SPDX-License-Identifier: Apache-2.0
"""What a reader driver knows of one reader: where it is in its life, and who waits for it.

DEVICE_EXTENSION is a driver's own affair in the WDK; this is that of :mod:`vreader.reader.base`.
"""

from collections.abc import Callable, Mapping

from vreader.reader.hardware import SlotHardware
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import (
    NTSTATUS,
    DeviceObject,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    Irp,
)
from vreader.wdm.irp import complete
from vreader.wdm.lifecycle import IO, PnpState

_GONE = frozenset((PnpState.SURPRISE_REMOVED, PnpState.REMOVED))


class DEVICE_EXTENSION:
    r"""The FDO's own data.

    Attributes:
        SmartcardExtension: shared with the driver library.
        Lower: the device below in the stack.
        Pdo: the bottom of the stack.
        Hardware: the place for the card.
        Link: the symbolic link, ``\\.\SCReaderN``.
        State: where the device is in its life.
        Refuse: what I/O is answered instead of being served, or None.
        Waiting: requests that wait for D0, where the profile has them wait.
    """

    def __init__(
        self,
        ext: SMARTCARD_EXTENSION,
        lower: DeviceObject,
        pdo: DeviceObject,
        hardware: SlotHardware,
        link: str,
    ) -> None:
        self.SmartcardExtension = ext
        self.Lower = lower
        self.Pdo = pdo
        self.Hardware = hardware
        self.Link = link
        self.State = PnpState.NOT_STARTED
        self.Refuse: NTSTATUS | None = IO[PnpState.NOT_STARTED]
        self.Waiting: list[Irp] = []

    def move(self, state: PnpState) -> None:
        """Be in ``state`` from now on."""
        self.State = state
        self.Refuse = self.refusal(IO)

    def refusal(self, table: Mapping[PnpState, NTSTATUS | None]) -> NTSTATUS | None:
        """Return what ``table`` refuses with in this state, or the profile's word for it."""
        profile = self.SmartcardExtension.Profile
        if self.State is PnpState.SURPRISE_REMOVED:
            return profile.removed_status
        if self.State is PnpState.STOPPED:
            return profile.stopped_status
        return table[self.State]

    def wait(self, irp: Irp) -> NTSTATUS:
        """Keep a request until the reader wakes, as a power managed queue does."""

        def cancel(_device: DeviceObject, irp: Irp) -> None:
            self.Waiting.remove(irp)
            complete(irp, NTSTATUS.CANCELLED)

        IoSetCancelRoutine(irp, cancel)
        IoMarkIrpPending(irp)
        self.Waiting.append(irp)
        return NTSTATUS.PENDING

    def let_go(self, serve: Callable[["DEVICE_EXTENSION", Irp], NTSTATUS]) -> None:
        """Serve what has waited for D0, or refuse it where the reader is gone.

        Who is answered may change what comes next: a reader that is stopped again serves nobody.
        """
        while self.Waiting:
            refusal = self.Refuse if self.State in _GONE else None
            if refusal is None and not self.SmartcardExtension.OsData.InD0:
                return
            irp = self.Waiting.pop(0)
            IoSetCancelRoutine(irp, None)
            if refusal is not None:
                complete(irp, refusal)
            else:
                serve(self, irp)


def extension_of(device: DeviceObject) -> DEVICE_EXTENSION:
    """Return an FDO's own data."""
    extension = device.DeviceExtension
    assert isinstance(extension, DEVICE_EXTENSION)  # our own FDOs only reach our own dispatch
    return extension
