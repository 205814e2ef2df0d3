# SPDX-License-Identifier: Apache-2.0
"""A virtual reader from outside: where a person inserts and removes cards."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from vreader.card import Card, interrupt, tear
from vreader.errors import UsageError, VreaderError
from vreader.reader.extension import DEVICE_EXTENSION
from vreader.reader.hardware import SlotHardware
from vreader.reader.slot import Slot
from vreader.smclib.ioctl import MAXIMUM_ATTR_STRING_LENGTH
from vreader.smclib.profile import DriverProfile
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, DriverObject
from vreader.wdm.io_manager import DriverEntry
from vreader.winscard.profile import PCSCLITE

if TYPE_CHECKING:
    from vreader.host.host import Host
    from vreader.reader.armed import ArmedFault
    from vreader.reader.faults import FaultPlan
    from vreader.reader.finger import Key, Typed
    from vreader.reader.hardware import Other
    from vreader.wdm import IoManager

T = TypeVar("T")


def split_reader_name(
    name: str, base_name: Callable[[str], str] = PCSCLITE.base_name
) -> tuple[str, str]:
    """Split a reader name into the driver's two attributes, VENDOR_NAME and VENDOR_IFD_TYPE.

    ``Yubico YubiKey CCID 00 00`` → ("Yubico", "YubiKey CCID"). Each holds at most 32 bytes.

    Args:
        name: as applications see it, with or without its index.
        base_name: takes the index away, as the resource manager's profile has it.

    Raises:
        UsageError: the name is empty, too long or not printable.
    """
    base = base_name(name).strip()
    if not base or not base.isprintable():
        raise UsageError(
            f"reader name {name!r} is empty or not printable",
            hint="use something like 'Virtual Reader 00 00'",
        )
    words = base.split(" ")
    for count in range(1, len(words) + 1):
        vendor, ifd_type = " ".join(words[:count]), " ".join(words[count:])
        if max(len(vendor.encode()), len(ifd_type.encode())) <= MAXIMUM_ATTR_STRING_LENGTH:
            return vendor, ifd_type
    raise UsageError(
        f"reader name {name!r} is too long",
        hint="vendor and type, divided at a space, hold at most 32 bytes each",
    )


class SerialCard:
    """A card whose calls never overlap: a late command ends before the next one starts."""

    __slots__ = ("__weakref__", "_lock", "card")

    def __init__(self, card: Card) -> None:
        self.card = card
        self._lock = threading.Lock()

    def power_on(self) -> bytes:
        """See Card."""
        with self._lock:
            return self.card.power_on()

    def reset(self) -> bytes:
        """See Card."""
        with self._lock:
            return self.card.reset()

    def power_off(self) -> None:
        """See Card."""
        with self._lock:
            self.card.power_off()

    def transmit(self, c_apdu: bytes) -> bytes:
        """See Card."""
        with self._lock:
            return self.card.transmit(c_apdu)

    def tear(self, c_apdu: bytes, committed: bool) -> None:
        """See :func:`vreader.card.tear`."""
        with self._lock:
            tear(self.card, c_apdu, committed)

    def look(self, question: Callable[[Card], T], patience_s: float) -> T | None:
        """Ask something about the card while it rests; None where it is at work for too long."""
        if not self._lock.acquire(timeout=patience_s):
            return None
        try:
            return question(self.card)
        finally:
            self._lock.release()

    def interrupt(self) -> None:
        """See Card; it does not wait for the call that it is to end."""
        interrupt(self.card)


class HostReader:
    """One virtual reader of a host.

    Attributes:
        device: the physical device object's name, as traces show it.
        link: its symbolic link, to open it directly.
        plugged_in: whether it is still there.
        events: carries what happens in the host.
    """

    def __init__(
        self,
        host: "Host",
        device: str,
        driver: DriverObject,
        properties: dict[str, object],
        exclusive: bool,
        filters: tuple[DriverEntry, ...],
    ) -> None:
        self._host = host
        self.events = host.events
        self.device = device
        self._hardware = SlotHardware(host.events, device)
        properties["hardware"] = self._hardware
        self._pdo = host.pnp.add_device(
            device, driver, properties=properties, exclusive=exclusive, filters=filters
        )
        fdo = self._pdo.AttachedDevice
        assert fdo is not None  # AddDevice succeeded
        extension = fdo.DeviceExtension
        assert isinstance(extension, DEVICE_EXTENSION)
        self._extension = extension
        self.link = extension.Link
        self.plugged_in = True

    @property
    def name(self) -> str:
        """The name applications see, or the driver's own where no manager has named it."""
        rm = self._host.rm
        if rm is not None:
            for reader in list(rm.readers.values()):
                if reader.link == self.link:
                    return reader.name
        vendor = self._extension.SmartcardExtension.VendorAttr
        return b" ".join((vendor.VendorName, vendor.IfdType)).decode(errors="replace").strip()

    @property
    def card(self) -> Card | None:
        """The card inside, as it was inserted."""
        inside = self._hardware.card
        return inside.card if isinstance(inside, SerialCard) else inside

    @property
    def state(self) -> CardState:
        """The driver's state now."""
        return self._extension.SmartcardExtension.ReaderCapabilities.CurrentState

    @property
    def profile(self) -> DriverProfile:
        """The driver profile: its choices where Microsoft's texts disagree or are silent."""
        return self._extension.SmartcardExtension.Profile

    def insert(self, card: Card) -> None:
        """Put a card in; raises VreaderError when there is one already, or no reader any more."""
        wrapped = self._host.serial_card(card)
        inserted = self._host.run(
            lambda: self._hardware.insert(wrapped) if self.plugged_in else None
        )
        if inserted is None:
            raise VreaderError(f"{self.name} has been unplugged", hint="add another reader")
        if not inserted:
            raise VreaderError(f"{self.name} holds a card already", hint="remove it first")

    def remove(self) -> None:
        """Take the card out, in the middle of a command too; raises VreaderError without one."""
        if not self._host.run(self._hardware.remove):
            raise VreaderError(f"{self.name} is empty", hint="insert a card first")

    @property
    def io(self) -> "IoManager":
        """The host's I/O manager."""
        return self._host.io

    @property
    def faults(self) -> "tuple[ArmedFault, ...]":
        """What was set by :meth:`fault`, also what is over, until it is cleared."""
        faults = self._hardware.faults
        return () if faults is None else tuple(faults.all)

    def fault(self, plan: "FaultPlan | str", other: "Other | None" = None) -> "ArmedFault":
        """Let something go wrong; return what counts how often it has.

        Args:
            plan: what, and when; text is read as FaultPlan.parse does.
            other: for RESET_BY_OTHER, another application than one of this host's own manager.

        Raises:
            UsageError: the plan is none, or not for this reader.
        """
        from vreader.host.faulting import arm

        return arm(self._host, self, self._extension.SmartcardExtension, plan, other)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        faults = self._hardware.faults
        if faults is not None:
            self._host.run(faults.clear)

    def press(self, entry: "str | Typed | Key") -> None:
        """Press keys of the pinpad, where its finger has left a prompt unanswered.

        Args:
            entry: digits, after which the validation key is pressed, or see
                :mod:`vreader.reader.finger`.

        Raises:
            UsageError: there is no pinpad, or it cannot type the entry.
            VreaderError: no PIN is asked for.
        """
        slot = self._extension.SmartcardExtension.ReaderExtension
        pinpad = slot.pinpad if isinstance(slot, Slot) else None
        if pinpad is None:
            raise UsageError(f"{self.name} has no pinpad", hint="give add_reader a pinpad")
        if not self._host.run(pinpad.press, entry):
            raise VreaderError(f"{self.name} asks for no PIN", hint="wait for the prompt")

    def sleep(self) -> None:
        """Let the reader sleep (D3)."""
        self._host.run(self._host.pnp.set_power, self._pdo, 3)

    def wake(self) -> None:
        """Wake the reader (D0)."""
        self._host.run(self._host.pnp.set_power, self._pdo, 0)

    def stop(self) -> bool:
        """Stop the reader as for new resources: QUERY_STOP, STOP; False where it is vetoed."""
        pnp = self._host.pnp

        def stop() -> bool:
            return pnp.query_stop(self._pdo) and pnp.stop(self._pdo) is NTSTATUS.SUCCESS

        return self._host.run(stop)

    def start(self) -> None:
        """Start a stopped reader again."""
        self._host.run(self._host.pnp.start, self._pdo)

    def eject(self) -> bool:
        """Safely remove the reader: QUERY_REMOVE, then REMOVE; False where somebody needs it."""

        def ask() -> bool:
            if not self.plugged_in or not self._host.pnp.query_remove(self._pdo):
                return False
            self._leave()
            self._host.pnp.remove(self._pdo)
            return True

        return self._host.run(ask)

    def unplug(self) -> None:
        """Pull the reader out: SURPRISE_REMOVAL, then REMOVE_DEVICE. May be called twice."""

        def pull() -> bool:
            if not self.plugged_in:
                return False
            self._leave()
            self._host.pnp.surprise_removal(self._pdo)
            return True

        if self._host.run(pull):
            self._host.run(self._host.pnp.remove, self._pdo)

    def _leave(self) -> None:
        self.plugged_in = False
        self._host.readers.remove(self)
