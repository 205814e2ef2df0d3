# SPDX-License-Identifier: Apache-2.0
"""One simulated computer: its readers, its resource manager, its clock.

Rooms below never block. Here a caller's thread does what is to be done (:mod:`vreader.host.locked`)
and waits where a call has to wait.
"""

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakValueDictionary

from vreader.card import Card
from vreader.clock import Clock
from vreader.errors import VreaderError
from vreader.events import Emitter
from vreader.host.clock import RealClock
from vreader.host.device import DeviceHandle
from vreader.host.eventlog import EventLog
from vreader.host.installer import install_reader
from vreader.host.locked import Locked
from vreader.host.reader import HostReader, SerialCard, split_reader_name
from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER, ReaderDriver
from vreader.reader.driver import ReaderSettings, VirtualReader
from vreader.reader.observer import Describe, describe_nothing
from vreader.registry import Registry
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.wdm import NTSTATUS, IoManager, PnpManager
from vreader.wdm.io_manager import DriverEntry as DriverEntryRoutine
from vreader.winscard.call import Call, Operation
from vreader.winscard.codes import SCARD
from vreader.winscard.manager import ResourceManager
from vreader.winscard.profile import PCSCLITE, RmProfile

if TYPE_CHECKING:
    from vreader.reader.finger import Finger
    from vreader.reader.linkspec import LinkSettings

T = TypeVar("T")

PATIENCE_S = 0.5
_LOOK_S = 0.1  # how often a call that waits looks whether whoever asked is still there


class Host(Locked):
    """A computer with virtual readers.

    Args:
        profile: the resource manager's semantics; None starts none, so that readers can be opened
            directly (a vpcd door, a certification run).
        clock: for tests; the real clock by default.
        describe: explains APDUs in traces and says which of their bytes are secret.
        unmask: show secrets in traces.
        registry: the computer's; an empty one by default.
        bits: of its system, 32 or 64.
        new_id: makes handle numbers; random by default.

    Raises:
        UsageError: no system has so many bits.

    Attributes:
        readers: those plugged in.
        registry: the computer's; readers are installed on it.
        bits: of its system.
        log: its System event log.
    """

    def __init__(
        self,
        profile: RmProfile | None = PCSCLITE,
        *,
        clock: Clock | None = None,
        describe: Describe = describe_nothing,
        unmask: bool = False,
        registry: Registry | None = None,
        bits: int = 64,
        new_id: Callable[[], int] = lambda: int.from_bytes(os.urandom(4), "big") >> 1,
    ) -> None:
        super().__init__()
        if bits != 64:
            from vreader.registry.view import check_bits  # most systems have 64

            check_bits(32, bits)
        self.events = Emitter()
        self._real_clock = RealClock(self.run_due) if clock is None else None
        self.clock: Clock = clock or self._real_clock or RealClock(self.run_due)
        self.describe = describe
        self.unmask = unmask
        self.io = IoManager(self.clock, self.events)
        self.io.run_locked = self.run
        self.pnp = PnpManager(self.io)
        self.registry = Registry() if registry is None else registry
        self.bits = bits
        self.log = EventLog(self.io.log, self.registry, self._reader_name)
        self.readers: list[HostReader] = []
        self._units = 0  # readers there have ever been
        self._cards: WeakValueDictionary[int, SerialCard] = WeakValueDictionary()
        self._base_name = (profile or PCSCLITE).base_name
        self.rm: ResourceManager | None = None
        if profile is not None:
            self.rm = ResourceManager(
                self.io,
                GUID_DEVINTERFACE_SMARTCARD_READER,
                profile,
                new_id,
                self.events,
                self.registry,
                bits,
            )

    # ------------------------------------------------------------------ calls that may wait

    def call(
        self,
        operation: Operation[T],
        *,
        patience_s: float = PATIENCE_S,
        alive: Callable[[], bool] | None = None,
    ) -> T:
        """Run a resource manager operation to its end on this thread.

        Args:
            operation: from :mod:`vreader.winscard.operations`.
            patience_s: how long BeginTransaction waits for another's transaction before
                SHARING_VIOLATION.
            alive: asked now and then while a call waits; False says that whoever asked has gone,
                so a turn is given up, and a person at a keypad is not asked any more.

        Raises:
            ScardError: as the operation says.
        """
        call: Call[T] = Call(self.io, operation)
        try:
            self.run(call.start)
            if not call.done:
                self._wait(call, patience_s, alive)
        except BaseException:
            # An interrupt (Ctrl-C): the turn this call was waiting for must go to the next one.
            self.run(call.abandon)
            raise
        return call.result()

    def _wait(self, call: Call[Any], patience_s: float, alive: Callable[[], bool] | None) -> None:
        """Wait until a call is done: its turn comes, or a card finishes on another thread."""
        ready = threading.Event()
        with self.lock:
            if call.done:
                return
            call.waker = call.ended = ready.set
        deadline = self.clock.now() + patience_s
        while not call.done:
            queue = call.parked
            limited = queue is not None and not queue.patient
            left = max(0.0, deadline - self.clock.now()) if limited else PATIENCE_S
            if ready.wait(min(left, PATIENCE_S if alive is None else _LOOK_S)):
                ready.clear()
                self.run(call.resume)
            elif limited and self.clock.now() >= deadline:
                self.run(call.give_up, SCARD.E_SHARING_VIOLATION)
            elif not (alive is None or alive()):
                self.run(call.hang_up)

    # ------------------------------------------------------------------ readers

    def add_reader(
        self,
        name: str = "Virtual Reader",
        *,
        profile: DriverProfile = CONTACT,
        serial: str = "",
        timeout_s: float | None = None,
        pinpad: "Finger | None" = None,
        link: "str | LinkSettings | None" = None,
        driver: type[ReaderDriver] = VirtualReader,
        inf: str | None = None,
        exclusive: bool | None = None,
        filters: tuple[DriverEntryRoutine, ...] = (),
    ) -> HostReader:
        """Plug in a virtual reader.

        Args:
            name: as applications see it; the index at its end may be left out.
            profile: the driver profile.
            serial: its serial number attribute.
            timeout_s: seconds a card may work on one request.
            pinpad: gives the reader a keypad, and is who types on it
                (:mod:`vreader.reader.finger`).
            link: drives the card at TPDU level, ``t0`` or ``t1`` and options
                (:mod:`vreader.reader.linkspec`); None carries APDUs whole.
            driver: the reader driver; one of your own names its reader and profile itself, and the
                arguments above are not for it.
            inf: path of the INF file to install it from; by default the driver's own, if any.
            exclusive: only one handle at a time; None does as the INF says, True without one.
            filters: DriverEntry routines of upper filter drivers, lowest first.

        Raises:
            UsageError: the name cannot be said in reader attributes, there is no such link, or the
                INF cannot be used.
        """
        vendor, ifd_type = split_reader_name(name, self._base_name)
        if isinstance(link, str):
            from vreader.reader.linkspec import LinkSettings

            link = LinkSettings.parse(link)

        def plug_in() -> HostReader:
            unit = self._units
            settings = ReaderSettings(
                vendor=vendor,
                ifd_type=ifd_type,
                serial=serial,
                profile=profile,
                timeout_s=timeout_s,
                describe=self.describe,
                unmask=self.unmask,
                pinpad=pinpad,
                link=link,
            )
            found = install_reader(self.registry, self.log, driver, inf, unit)
            loaded = self.io.load_driver(found.service, driver().DriverEntry, found.settings)
            properties = {"reader": settings, "unit": unit, **found.properties}
            alone = found.exclusive if exclusive is None else exclusive
            reader = HostReader(self, f"reader{unit}", loaded, properties, alone, filters)
            self.readers.append(reader)
            self._units += 1
            return reader

        return self.run(plug_in)

    def _reader_name(self, device: str) -> str:
        """Return what the manager calls the reader of a device; its own name without one."""
        for reader in self.rm.readers.values() if self.rm is not None else ():
            if reader.device.file.DeviceObject.bottom.name == device:
                return reader.name
        return next((reader.name for reader in self.readers if reader.device == device), device)

    def open_device(self, name: str) -> DeviceHandle:
        r"""Open a reader device (``\\.\SCReader0``) for direct access.

        Raises:
            VreaderError: there is no such device, or somebody has it open.
        """
        status, handle = self.run(self.io.create_file, name)
        if handle is None:
            hint = {
                NTSTATUS.ACCESS_DENIED: "its resource manager or another program has it open",
                NTSTATUS.OBJECT_NAME_NOT_FOUND: r"readers are \\.\SCReader0, \\.\SCReader1, …",
            }.get(status, "the reader may just be leaving; try again")
            raise VreaderError(f"cannot open {name}: {status!s}", hint=hint)
        return DeviceHandle(self, handle)

    def serial_card(self, card: Card) -> SerialCard:
        """Wrap a card so that calls to it never overlap, whichever threads and readers ask."""
        with self.lock:
            found = self._cards.get(id(card))
            if found is None:
                found = self._cards[id(card)] = SerialCard(card)
            return found

    def close(self) -> None:
        """Shut the computer down: readers are removed, timers stop. May be called twice."""
        if self.rm is not None:
            self.run(self.rm.close)
            self.rm = None
        for reader in list(self.readers):
            reader.unplug()
        self.run(self.io.unload_all)
        self._cards.clear()
        if self._real_clock is not None:
            self._real_clock.stop()
        self.join_workers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
