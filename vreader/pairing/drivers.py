# SPDX-License-Identifier: Apache-2.0
"""The search for a card device's driver, and the installation of the winner.

The driver store is searched first, with what comes with the system in it; then, as policy says,
Windows Update. What is taken from there is staged, as on a machine. Where nothing fits, Windows 8
and later install the driver of unknown cards; before, the device is left without.
"""

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vreader.pairing.result import Device, Driver
from vreader.setupapi.devlog import device_install, node_of
from vreader.setupapi.package import Package
from vreader.setupapi.rank import Candidate, search

if TYPE_CHECKING:
    from vreader.pairing.machine import Machine

Tell = Callable[..., None]


class Found(NamedTuple):
    """What came of a search.

    Attributes:
        candidates: drivers that fit, best first.
        driver: the one that the device has now.
        log: lines of setupapi.dev.log.
    """

    candidates: list[Driver]
    driver: Driver | None
    log: list[str]


class DriverSearch:
    """One device's.

    Args:
        machine: whose store and policy.
        device: of the card.
        tell: hears of each step: stage, text, facts.
    """

    def __init__(self, machine: "Machine", device: Device, tell: Tell) -> None:
        self._machine = machine
        self._device = device
        self._tell = tell

    def run(self, when: datetime.datetime) -> "Found":
        """Return the drivers that fit, and the one that the device now has.

        Args:
            when: for the log.
        """
        stage, machine = "driver search", self._machine
        installed = machine.installed.get(self._device.instance.lower())
        if installed is not None:
            self._tell(stage, f"the device has its driver: {installed.description}")
            return Found([], installed, [])
        candidates = self._search()
        for number, each in enumerate(candidates):
            text = (
                f"{'then' if number else 'best'}: {each.package.name}, "
                f"{each.model.description!r} by {each.matching_id}, rank {each.rank:08X}"
            )
            self._tell(stage, text, **each.record())
        chosen = candidates[0] if candidates else machine.null_driver()
        if chosen is None:
            self._tell(stage, "no driver fits: the device stays without one")
        elif not candidates:
            self._tell(stage, "no driver fits: the device gets the driver of unknown cards")
        driver, service = (None, "") if chosen is None else self._install(chosen)
        arch = machine.windows.target.arch
        log = device_install(
            self._device.instance,
            self._device.hardware_ids,
            self._device.compatible_ids,
            [node_of(each, arch) for each in candidates],
            when,
            selected=None if chosen is None else node_of(chosen, arch),
            service=service,
        )
        return Found([driver_of(each) for each in candidates], driver, log)

    def _search(self) -> list[Candidate]:
        """Rank what the policy lets be looked at."""
        stage, machine = "driver search", self._machine
        packages = machine.store.packages()
        found = self._rank(packages)
        self._tell(stage, f"driver store: {len(found)} of {len(packages)} packages fit")
        when = machine.policy.update_search(machine.registry)
        if not machine.updates:
            return found
        if when == "never":
            self._tell(stage, "Windows Update is not searched: policy")
        elif when == "not-found" and found:
            self._tell(stage, "Windows Update is not searched: the store has a driver")
        else:
            offered = self._rank(machine.updates)
            self._tell(
                stage, f"Windows Update: {len(offered)} of {len(machine.updates)} packages fit"
            )
            found = self._rank([*packages, *machine.updates])
        return found

    def _rank(self, packages: "list[Package]") -> list[Candidate]:
        machine = self._machine
        equal = machine.policy.signers_equal
        return search(
            packages,
            self._device.hardware_ids,
            self._device.compatible_ids,
            machine.windows.target,
            signers_equal=machine.windows.signers_equal if equal == "os" else equal == "yes",
        )

    def _install(self, chosen: Candidate) -> tuple[Driver, str]:
        """Install a driver; return it and its service."""
        machine = self._machine
        if chosen.package.source == "update":
            staged = machine.store.stage(chosen.package)
            self._tell("install", f"{staged.name} is staged as {staged.published}")
            chosen = chosen._replace(package=staged)
        done = machine.install(chosen, self._device)
        for step in done.steps:
            self._tell("install", f"line {step.line} [{step.section}]: {step.text}", line=step.line)
        driver = driver_of(chosen)
        machine.installed[self._device.instance.lower()] = driver
        return driver, done.service


def driver_of(candidate: Candidate) -> Driver:
    """Return what an answer tells of a candidate."""
    package = candidate.package
    return Driver(
        package.name,
        package.published,
        package.source,
        candidate.model.description,
        candidate.section,
        candidate.matching_id,
        candidate.rank,
        package.signature.name.lower(),
        f"{candidate.date:%m/%d/%Y}",
        ".".join(map(str, candidate.version)),
    )
