# SPDX-License-Identifier: Apache-2.0
"""One simulated Windows that pairs cards: registry, driver store, a reader with its filter."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from vreader.card import Card
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.host.selfregister import CardModule
from vreader.kinds import describe
from vreader.pairing.discovery import Identity
from vreader.pairing.policy import DEFAULT, Policy
from vreader.pairing.result import Device, Driver, Pairing
from vreader.pairing.windows import NULL_DRIVER, Windows
from vreader.reader.finger import Finger
from vreader.reader.scfilter import SmartCardFilter
from vreader.registry import Registry
from vreader.registry.view import View
from vreader.setupapi.calais import card_entries
from vreader.setupapi.defaultinstall import DEFAULT_INSTALL, install_default
from vreader.setupapi.install import install_device
from vreader.setupapi.installation import Installation
from vreader.setupapi.package import Package
from vreader.setupapi.rank import Candidate, last_resort
from vreader.setupapi.store import DriverStore
from vreader.setupapi.target import install_section
from vreader.wdm.rootbus import BusQueryId
from vreader.winscard.cardtypes import CardTypes
from vreader.winscard.profile import WINDOWS

READER = "Virtual Reader"


class Machine:
    """A Windows with one reader.

    Args:
        windows: which.
        policy: its choices.
        bits: of the program that asks for cards; the system's by default.
        registry: what is there before; changed by what is installed.
        store: packages staged beside those that come with the system.
        installed: packages whose DefaultInstall is run first.
        updates: packages that Windows Update offers.
        modules: card modules that register themselves, where policy has them do so
            (``self-register``), when an install has copied their file.
        pinpad: gives the reader a keypad, and who types on it.

    Attributes:
        host: the computer.
        reader: its reader's name.
        filter: of the reader, where the card's device is.
        store: its driver store.
        files: paths of files that are known to be there, in lower case.
        entries: names of Calais entries that packages from elsewhere have made here, in lower case.
        installed: the driver of each device that has been there, by instance in lower case.

    Raises:
        VreaderError: a package cannot be installed.
    """

    def __init__(
        self,
        windows: Windows,
        policy: Policy = DEFAULT,
        *,
        bits: int = 0,
        registry: Registry | None = None,
        store: Sequence[Package] = (),
        installed: Sequence[Package] = (),
        updates: Sequence[Package] = (),
        modules: Sequence[CardModule] = (),
        pinpad: Finger | None = None,
    ) -> None:
        self.windows = windows
        self.policy = policy
        self.bits = bits or windows.bits
        self.registry = Registry() if registry is None else registry
        self.view = View(self.registry, self.bits, windows.bits)
        self.services = View(self.registry, windows.bits, windows.bits)
        self.updates = list(updates)
        self._modules = list(modules)
        self.store = DriverStore(windows.inbox)
        for package in store:
            self.store.stage(package)
        self.files = {path.lower() for path in windows.files}
        self.entries: set[str] = set()
        self.installed: dict[str, Driver] = {}
        self.host = Host(WINDOWS, describe=describe, registry=self.registry, bits=windows.bits)
        try:
            self.filter = SmartCardFilter(by_atr=False)
            filters = (self.filter.DriverEntry,)
            self._slot = self.host.add_reader(READER, filters=filters, pinpad=pinpad)
            self.reader = self._slot.name
            self.api = ScardApi(self.host, bits=self.bits)
            for package in windows.inbox:
                if install_section(package.inf, DEFAULT_INSTALL, windows.target.arch):
                    self.install_default(package)
            for package in installed:
                self.install_default(package)
        except BaseException:
            self.host.close()
            raise

    def make_device(self, identity: Identity) -> Device | None:
        """Let the filter make the card's device, and read its ids as the PnP manager does.

        Returns:
            The device; None where the card has gone.
        """
        pnp = self.host.pnp
        own = identity.hardware_ids[0].replace("\\", "_")
        instance = f"{self.reader} {own}".replace(" ", "_").upper()

        def ask() -> Device | None:
            self.filter.identify(identity.hardware_ids, tuple(identity.compatible_ids), instance)
            pdo = self.filter.card
            if pdo is None:
                return None
            (device,), (number,), hardware, compatible = (
                pnp.query_ids(pdo, kind)
                for kind in (
                    BusQueryId.DeviceID,
                    BusQueryId.InstanceID,
                    BusQueryId.HardwareIDs,
                    BusQueryId.CompatibleIDs,
                )
            )
            return Device(rf"{device.upper()}\{number}", hardware, compatible)

        return self.host.run(ask)

    def install(self, candidate: Candidate, device: Device) -> Installation:
        """Install a driver for the card's device; raises InfError."""
        done = install_device(
            candidate.package.inf,
            self.registry,
            device.hardware_ids,
            instance=device.instance,
            compatible_ids=device.compatible_ids,
            target=self.windows.target,
            sources=self.store.sources,
            candidate=candidate,
        )
        self._has_installed(done, candidate.package)
        return done

    def install_default(self, package: Package) -> Installation:
        """Run DefaultInstall of a package, as by right click; raises InfError."""
        done = install_default(
            package.inf, self.registry, self.windows.target, sources=self.store.sources
        )
        self._has_installed(done, package)
        return done

    def _has_installed(self, done: Installation, package: Package) -> None:
        """Remember files and entries; let modules that have been copied register themselves."""
        copied = {path.lower() for path in done.files}
        self.files |= copied
        if package.source != "inbox":  # those leave alone what a registry that was read says
            self.entries |= {
                entry.name.lower()
                for entry in card_entries(done.added, wow64=self.windows.bits == 64).values()
            }
        for module in self._modules if self.policy.self_register == "yes" else ():
            if any(path.rpartition("\\")[2] == module.file.lower() for path in copied):
                self.entries |= {name.lower() for name in module.DllRegisterServer(self.api)}

    def card_names(self) -> set[str]:
        """Return the names of the Calais entries that services see now, in lower case."""
        return {entry.name.lower() for entry in CardTypes(self.services).list()}

    def null_driver(self) -> Candidate | None:
        """Return the driver of cards that nothing else is for; None where there is none."""
        for package in self.store.packages():
            if package.source == "inbox" and package.name == NULL_DRIVER:
                return last_resort(package, self.windows.target)
        return None

    def insert(self, card: Card, label: str = "card") -> Pairing:
        """Insert a card and do what Windows does; say what became of it.

        Args:
            card: the card; it is left in the reader.
            label: what to call it in the answer.
        """
        from vreader.pairing.insertion import Insertion

        self._slot.insert(card)
        return Insertion(self, label).run()

    def remove(self) -> None:
        """Take the card out; raises VreaderError where there is none."""
        self._slot.remove()

    def close(self) -> None:
        """Shut it down. May be called twice."""
        self.host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
