# SPDX-License-Identifier: Apache-2.0
"""What an INF file is and what each Windows would take of it, for a person and for a program.

To know what an install does it is done, on an empty registry.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from vreader.registry import Registry
from vreader.registry.names import fold
from vreader.registry.show import printable
from vreader.setupapi.calais import CSP, KSP, MODULE, CardEntry, card_entries
from vreader.setupapi.defaultinstall import install_default
from vreader.setupapi.inf import Inf
from vreader.setupapi.install import install_device
from vreader.setupapi.installation import FileCopy, Installation
from vreader.setupapi.minidriver import NARROW, models_sections
from vreader.setupapi.package import Package
from vreader.setupapi.syntax import InfError
from vreader.setupapi.target import Model, TargetOS, match, models_for, models_in

SYSTEMS: Final = (
    "10.0-amd64", "10.0-x86", "10.0-arm64", "6.1-amd64", "6.1-x86", "6.0-amd64", "6.0-x86",
)  # fmt: skip
# Steps after which the rest of a file is left alone; an install that fails counts as some.
_MOST_STEPS: Final = 400_000
_FAILED_STEPS: Final = 20_000


class Taken(NamedTuple):
    """One way in which a Windows installs a file, or why it does not.

    Attributes:
        how: ``device`` or ``default``.
        ids: hardware and compatible ids of the model; none for the default install.
        section: DDInstall or DefaultInstall; empty where it is not installed.
        problem: why it is not, or empty.
        done: what would become of it, or None.
    """

    how: str
    ids: list[str]
    section: str
    problem: str
    done: Installation | None

    def record(self) -> dict[str, object]:
        """Return it under plain names, for JSON."""
        return {
            "how": self.how,
            "ids": self.ids,
            "section": self.section,
            "problem": self.problem,
            "files": [] if self.done is None else [copy._asdict() for copy in self.done.copies],
        }


class Outline(NamedTuple):
    """All that is told of a file.

    Attributes:
        package: the file.
        models: lines of all Models sections.
        systems: what each Windows takes, by its short name.
    """

    package: Package
    models: list[Model]
    systems: dict[str, list[Taken]]

    def cards(self) -> list[tuple[CardEntry, list[str]]]:
        """Return each card entry once, with the Windows on which something registers it."""
        found: dict[tuple[object, ...], tuple[CardEntry, list[str]]] = {}
        for system, ways in self.systems.items():
            arch = TargetOS.parse(system).arch
            for done in _installations(ways):
                for card in card_entries(done.added, wow64=arch not in NARROW).values():
                    key = (card.name.lower(), card.wow64, *_values(card).values())
                    systems = found.setdefault(key, (card, []))[1]
                    if system not in systems:
                        systems.append(system)
        return list(found.values())

    def copies(self) -> list[tuple[FileCopy, list[str]]]:
        """Return each copied file once, with the Windows on which it is copied."""
        found: dict[tuple[str, str], tuple[FileCopy, list[str]]] = {}
        for system, ways in self.systems.items():
            for done in _installations(ways):
                for copy in done.copies:
                    key = copy.source.lower(), copy.destination.lower()
                    systems = found.setdefault(key, (copy, []))[1]
                    if system not in systems:
                        systems.append(system)
        return list(found.values())

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            **self.package.record(),
            "models": [
                {
                    "line": model.line,
                    "section": model.models,
                    "description": model.description,
                    "manufacturer": model.manufacturer,
                    "install": model.install,
                    "ids": model.ids,
                }
                for model in self.models
            ],
            "systems": {
                system: [way.record() for way in ways] for system, ways in self.systems.items()
            },
            "cards": [
                {
                    "name": card.name,
                    "wow64": card.wow64,
                    "line": card.line,
                    **_values(card),
                    "systems": systems,
                }
                for card, systems in self.cards()
            ],
            "files": [{**copy._asdict(), "systems": systems} for copy, systems in self.copies()],
        }


def outline(
    package: Package,
    systems: Sequence[str] = SYSTEMS,
    *,
    device: str = "",
    sources: Mapping[str, Inf] | None = None,
) -> Outline:
    """Look at a file.

    Args:
        package: the file.
        systems: on which Windows, ``10.0-amd64``.
        device: the device that is to be installed, by an id; any the file names without one.
        sources: INFs by folded name that it may include.

    Raises:
        InfError: its models cannot be read.
        UsageError: there is no such Windows.
    """
    inf = package.inf
    models = [
        model
        for name, manufacturer, _ in models_sections(inf)
        for model in models_in(inf, name, manufacturer)
    ]
    trials = _Trials(inf, device, sources)
    found = {system: list(trials.on(TargetOS.parse(system))) for system in systems}
    return Outline(package, models, found)


class _Trials:
    """Installs a file on empty registries, each section of a Windows once."""

    def __init__(self, inf: Inf, device: str, sources: Mapping[str, Inf] | None) -> None:
        self._inf = inf
        self._device = device
        self._sources = sources
        self._steps = 0

    def on(self, target: TargetOS) -> Iterator[Taken]:
        """Yield what a Windows takes: each of its models, then the default install."""
        tried: dict[str, tuple[Installation | None, str]] = {}
        models = models_for(self._inf, target)
        if self._device:
            models = [model for model in models if match(model, [self._device], ()) is not None]
        if not models:
            yield Taken("device", [], "", f"no model for {self._device or 'it'}", None)
        for model in models:
            name = fold(model.install)
            if name not in tried:
                tried[name] = self._tried(partial(self._install, model, target))
            done, problem = tried[name]
            yield Taken("device", model.ids, "" if done is None else done.section, problem, done)
        done, problem = self._tried(
            lambda: install_default(self._inf, Registry(), target, sources=self._sources)
        )
        yield Taken("default", [], "" if done is None else done.section, problem, done)

    def _install(self, model: Model, target: TargetOS) -> Installation:
        ids = [self._device] if self._device else [each for each in model.ids if each]
        if not ids:
            raise self._inf.error(model.line, "the model has no id")
        return install_device(
            self._inf, Registry(), ids, instance=r"SHOWN\0\0", target=target, sources=self._sources
        )

    def _tried(self, install: Callable[[], Installation]) -> tuple[Installation | None, str]:
        """Return what became of an install, or None and why nothing did."""
        if self._steps > _MOST_STEPS:
            return None, "not looked at: the file has too many steps"
        try:
            done = install()
        except InfError as error:
            self._steps += _FAILED_STEPS
            return None, _problem(error)
        self._steps += len(done.steps)
        return done, ""


def _installations(ways: list[Taken]) -> list[Installation]:
    """Return what became of the installs that worked, each once."""
    return list(dict.fromkeys(way.done for way in ways if way.done is not None))


def _problem(error: InfError) -> str:
    return f"line {error.line}: {error.problem}" if error.line else error.problem


def _values(card: CardEntry) -> dict[str, str]:
    atr, mask = card.data("ATR"), card.data("ATRMask")
    return {
        "atr": "" if atr is None else atr.hex().upper(),
        "mask": "" if mask is None else mask.hex().upper(),
        "module": card.text(MODULE) or "",
        "csp": card.text(CSP) or "",
        "ksp": card.text(KSP) or "",
    }


# ---------------------------------------------------------------------- for a person


def told(found: Outline) -> Iterator[str]:
    """Yield the lines of a file's outline."""
    package = found.package
    signed = package.signature.value
    if not package.stated and signed != "unsigned":
        signed += ", as it names a catalog"
    yield printable(
        f"{package.name}: {package.class_name or 'no class'} {package.class_guid}".rstrip()
    )
    yield printable(f"  by {package.provider or 'nobody'}, {signed}")
    yield printable(f"  {package.date:%m/%d/%Y} version {package.version_text}")
    yield ""
    yield "models"
    for model in found.models:
        ids = ", ".join(each for each in model.ids if each) or "no id"
        yield printable(f"  {model.line:>5}  [{model.models}] {model.description!r}: {ids}")
    yield ""
    yield "installed"
    for system, ways in found.systems.items():
        for way in ways:
            text = f"[{way.section}]" if way.section else f"not: {way.problem}"
            of = f" for {', '.join(each for each in way.ids if each)}" if way.ids else ""
            yield printable(f"  {system:<10}  {way.how:<7}  {text}{of}")
    yield from _told_cards(found)
    copies = found.copies()
    if copies:
        yield ""
        yield "files"
    for copy, systems in copies:
        source = f" from {copy.source}"
        yield printable(f"  {copy.line:>5}  {copy.destination}{source}  ({', '.join(systems)})")


def _told_cards(found: Outline) -> Iterator[str]:
    cards = found.cards()
    if cards:
        yield ""
        yield "cards"
    for card, systems in cards:
        yield printable(f"  {card.line:>5}  {card.label}  ({', '.join(systems)})")
        values = _values(card)
        for label, key in (
            ("ATR", "atr"), ("ATRMask", "mask"), ("module", "module"), (CSP, "csp"), (KSP, "ksp"),
        ):  # fmt: skip
            yield printable(f"         {label}: {values[key] or 'none'}")
