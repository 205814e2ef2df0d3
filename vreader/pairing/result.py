# SPDX-License-Identifier: Apache-2.0
"""The answer to a pairing question: what became of a card, and every step that led there."""

from typing import Final, NamedTuple

from vreader.pairing.events import PairingStep
from vreader.setupapi.calais import BASE_CSP, BASE_KSP

NONE: Final = "none"
ERROR: Final = "error"


class Device(NamedTuple):
    r"""The card's device.

    Attributes:
        instance: ``SCFILTER\CID_…\…``.
        hardware_ids, compatible_ids: as Device Manager shows them.
        problem: what it shows beside the device; empty where it works.
    """

    instance: str
    hardware_ids: list[str]
    compatible_ids: list[str]
    problem: str = ""


class Driver(NamedTuple):
    """A driver that was looked at for the device.

    Attributes:
        package: name of its INF.
        published: its name in the driver store, ``oem0.inf``; empty where it is not there.
        source: ``inbox``, ``store`` or ``update``.
        description: of its model.
        section: the DDInstall section.
        matching_id: the id by which it fits.
        rank: 0xSSGGTHHH; the lowest wins.
        signer: what the rank's SS comes from.
        date, version: of DriverVer.
    """

    package: str
    published: str
    source: str
    description: str
    section: str
    matching_id: str
    rank: int
    signer: str
    date: str
    version: str


class Module(NamedTuple):
    """The card module that is loaded for a card name.

    Attributes:
        name: as the registry has it (value 80000001).
        path: the file that a program of these bits loads.
        found: whether the file is there; None where nobody can know: the entry came with a
            registry, without its files.
    """

    name: str
    path: str
    found: bool | None


class Pairing(NamedTuple):
    """What became of a card on a Windows.

    Attributes:
        card: as it was asked for.
        atr: its ATR; empty where it did not answer.
        os: the Windows, ``10.0-amd64``.
        bits: of the program that asks for the card.
        suppressed_by: the Calais entry that keeps the card's device away, or empty.
        device: the card's device, or None.
        candidates: drivers that fit the device, best first.
        driver: the one that was taken, or None.
        card_name: what winscard calls the card, or empty.
        name_source: where that name comes from.
        module: the card module, or None.
        csp, ksp: names of the providers for CAPI and for CNG programs, or empty.
        class_verdict: what the class minidriver takes the card for; empty where another is loaded.
        problem: why there is no answer at all, or empty.
        steps: everything, in order.
        devlog: the driver search as setupapi.dev.log tells it; not in :meth:`record`, for it has
            the time in it.
    """

    card: str
    atr: bytes
    os: str
    bits: int
    suppressed_by: str = ""
    device: Device | None = None
    candidates: tuple[Driver, ...] = ()
    driver: Driver | None = None
    card_name: str = ""
    name_source: str = ""
    module: Module | None = None
    csp: str = ""
    ksp: str = ""
    class_verdict: str = ""
    problem: str = ""
    steps: tuple[PairingStep, ...] = ()
    devlog: tuple[str, ...] = ()

    @property
    def ways(self) -> list[str]:
        """The providers that load card modules: Microsoft's; another one has its own way."""
        known = {BASE_CSP.lower(), BASE_KSP.lower()}
        return [name for name in (self.csp, self.ksp) if name.lower() in known]

    @property
    def loaded(self) -> bool:
        """A card module is loaded, as far as anybody can know."""
        module = self.module
        named = module is not None and module.name and module.found is not False
        return bool(named and self.ways and not self.problem)

    @property
    def answer(self) -> str:
        """The whole in one sentence."""
        if self.problem:
            return self.problem
        if not self.card_name:
            return "no program finds this card by a name: no minidriver is loaded"
        if self.module is None or not self.module.name:
            return f"the card is called {self.card_name}, and no minidriver is named for it"
        if not self.ways:
            return f"{self.module.name} is named for it, but no provider that would load it"
        if self.module.found is False:
            return f"{self.module.path} would be loaded, but the file is not there"
        but = ", but does not know this card" if self.class_verdict == "unknown" else ""
        return f"{self.module.path} is loaded through {' and '.join(self.ways)}{but}"

    @property
    def outcome(self) -> str:
        """The minidriver in a word, for tables: its file, or why there is none."""
        if self.problem:
            return ERROR
        if self.module is None or not self.module.name:
            return NONE
        return self.module.name if self.loaded else f"{self.module.name} (not loaded)"

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            "card": self.card,
            "atr": self.atr.hex().upper(),
            "os": self.os,
            "bits": self.bits,
            "suppressed_by": self.suppressed_by,
            "device": None if self.device is None else self.device._asdict(),
            "candidates": [_driver(each) for each in self.candidates],
            "driver": None if self.driver is None else _driver(self.driver),
            "card_name": self.card_name,
            "name_source": self.name_source,
            "module": None if self.module is None else self.module._asdict(),
            "csp": self.csp,
            "ksp": self.ksp,
            "class_verdict": self.class_verdict,
            "problem": self.problem,
            "outcome": self.outcome,
            "answer": self.answer,
            "steps": [step.record() for step in self.steps],
        }


def _driver(driver: Driver) -> dict[str, object]:
    return {**driver._asdict(), "rank": f"{driver.rank:08X}"}
