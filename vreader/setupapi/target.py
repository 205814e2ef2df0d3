# SPDX-License-Identifier: Apache-2.0
"""Which part of an INF is for which Windows: TargetOS decorations, Models sections, DDInstall.

Sources: WDK "INF Manufacturer Section", "INF Models Section", "INF DDInstall Section".
"""

from collections.abc import Iterator, Sequence
from typing import Final

from vreader.errors import UsageError
from vreader.registry.names import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.syntax import Entry

ARCHITECTURES: Final = ("x86", "amd64", "arm64", "arm", "ia64")
# From Windows Server 2003 SP1 on, sections for others than x86 must be decorated.
_DECORATED_SINCE: Final = (5, 2)

Rank = tuple[tuple[int, int], int, bool, int, bool]
_PLAIN: Final[Rank] = ((-2, 0), 0, False, 0, False)


class TargetOS:
    """A Windows that something is installed on; it does not change.

    Attributes:
        arch: one of ARCHITECTURES.
        major, minor, build: its version.
        product: VER_NT_WORKSTATION 1, DOMAIN_CONTROLLER 2, SERVER 3.
        suite: VER_SUITE_* bits.
    """

    __slots__ = ("arch", "build", "major", "minor", "product", "suite")

    def __init__(
        self,
        arch: str = "amd64",
        major: int = 10,
        minor: int = 0,
        build: int = 19045,
        product: int = 1,
        suite: int = 0x100,
    ) -> None:
        self.arch = arch
        self.major = major
        self.minor = minor
        self.build = build
        self.product = product
        self.suite = suite

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}-{self.arch}"

    @classmethod
    def parse(cls, text: str) -> "TargetOS":
        """Read ``10.0-amd64`` or ``10.0.19045-amd64``; raises UsageError."""
        version, _, arch = text.lower().partition("-")
        numbers = version.split(".")
        fits = arch in ARCHITECTURES and 2 <= len(numbers) <= 3
        if not fits or not all(n.isascii() and n.isdigit() and len(n) < 10 for n in numbers):
            raise UsageError(f"{text!r} is no Windows", hint="for example 10.0-amd64 or 6.1-x86")
        return cls(arch, *map(int, numbers))


class Decoration:
    """What a TargetOS decoration asks for; None where it does not care.

    ``nt[Architecture][.[Major][.[Minor][.[ProductType][.[SuiteMask][.[Build]]]]]]``
    """

    __slots__ = ("arch", "build", "major", "minor", "product", "suite")

    def __init__(
        self,
        arch: str | None,
        major: int | None = None,
        minor: int | None = None,
        product: int | None = None,
        suite: int | None = None,
        build: int | None = None,
    ) -> None:
        self.arch = arch
        self.major = major
        self.minor = minor
        self.product = product
        self.suite = suite
        self.build = build

    @classmethod
    def parse(cls, text: str) -> "Decoration | None":
        """Read a decoration without its leading dot; None where it is none."""
        head, *numbers = text.strip().lower().split(".")
        arch = head[2:]
        if not head.startswith("nt") or (arch and arch not in ARCHITECTURES) or len(numbers) > 5:
            return None
        found: list[int | None] = [None] * 5
        for place, number in enumerate(numbers):
            if number:
                found[place] = parse_number(number)
                if found[place] is None:
                    return None
        return cls(arch or None, *found)

    def rank(self, target: TargetOS) -> "Rank | None":
        """Say how well it fits, higher being better; None where it does not.

        The version decides first, then build, product type, suite and architecture.
        """
        current = (target.major, target.minor)
        if self.arch is None:
            if target.arch != "x86" and current >= _DECORATED_SINCE:
                return None
        elif self.arch != target.arch:
            return None
        version = (-1, 0) if self.major is None else (self.major, self.minor or 0)
        # A build counts for its own version alone.
        build = (self.build or 0) if version == current else 0
        if version > current or build > target.build:
            return None
        if self.product is not None and self.product != target.product:
            return None
        suite = self.suite or 0
        if suite & ~target.suite:
            return None
        product = self.product is not None
        return version, build, product, suite.bit_count(), self.arch is not None


class Model:
    """One line of a Models section.

    Attributes:
        line: where it stands.
        manufacturer, description: texts for people.
        models: the Models section it is in.
        install: the DDInstall section's name, undecorated.
        ids: what it drives: one hardware id first (maybe empty), then compatible ids.
    """

    __slots__ = ("description", "ids", "install", "line", "manufacturer", "models")

    def __init__(
        self,
        line: int,
        manufacturer: str,
        description: str,
        models: str,
        install: str,
        ids: list[str],
    ) -> None:
        self.line = line
        self.manufacturer = manufacturer
        self.description = description
        self.models = models
        self.install = install
        self.ids = ids


def parse_number(text: str) -> int | None:
    """Read a number of an INF, decimal or 0x hexadecimal; None where it is none."""
    if not (text.isascii() and text.isalnum()):
        return None
    try:
        number = int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:  # more digits than int takes, too
        return None
    return number if 0 <= number < 1 << 64 else None


def manufacturers(inf: Inf) -> Iterator[tuple[Entry, str, str, list[str]]]:
    """Yield entry, manufacturer, undecorated models section and decorations, line by line."""
    section = inf.find("Manufacturer")
    for entry in () if section is None else section.entries:
        models, *decorations = inf.fields(entry)
        name = models if entry.key is None else inf.key(entry)
        yield entry, name, models, [text for text in decorations if text]


def models_for(inf: Inf, target: TargetOS) -> list[Model]:
    """Return what an INF can install on ``target``, in its order."""
    found: list[Model] = []
    seen: set[str] = set()  # the first manufacturer of a section is the one that counts
    for _entry, manufacturer, models, decorations in manufacturers(inf):
        best, chosen = None, ""
        if target.arch == "x86" or (target.major, target.minor) < _DECORATED_SINCE:
            best, chosen = _PLAIN, models
        for text in decorations:
            decoration = Decoration.parse(text)
            rank = None if decoration is None else decoration.rank(target)
            if rank is not None and (best is None or rank > best):
                best, chosen = rank, f"{models}.{text}"
        if best is not None and fold(chosen) not in seen:
            seen.add(fold(chosen))
            found += models_in(inf, chosen, manufacturer)
    return found


def models_in(inf: Inf, name: str, manufacturer: str) -> Iterator[Model]:
    """Yield the lines of one Models section; nothing where there is none of this name."""
    section = inf.find(name)
    if section is None:
        return
    for entry in section.entries:
        if entry.key is not None:
            install, *ids = inf.fields(entry)
            description = inf.key(entry)
            yield Model(entry.line, manufacturer, description, section.name, install, ids)


def install_section(inf: Inf, name: str, arch: str) -> str | None:
    """Return which DDInstall section is for an architecture: ``.nt<arch>``, ``.nt`` or plain."""
    for candidate in (f"{name}.nt{arch}", f"{name}.nt", name):
        section = inf.find(candidate)
        if section is not None:
            return section.name
    return None


def match(
    model: Model, hardware: Sequence[str], compatible: Sequence[str]
) -> tuple[int, str] | None:
    """Say how well a model's ids meet those of a device, and which; None where they do not.

    Lower is better. It is the identifier score of a driver's rank: 0x0000 where both are hardware
    ids, 0x1000 where the INF's is a compatible one, 0x2000 where the device's is, 0x3000 where both
    are, plus the place in the device's list; where both are, 0x100 for each place in the INF's
    list, too. Places count up to 0xFFF. Source: WDK "Identifier Score".
    """
    best: tuple[int, str] | None = None
    places = [(0, _first_places(hardware)), (0x2000, _first_places(compatible))]
    for k, of_inf in enumerate(map(fold, model.ids)):
        if not of_inf:
            continue
        for base, first in places:
            j = first.get(of_inf)
            if j is None:
                continue
            place = j + 0x100 * (k - 1) if base and k else j
            score = base + (0x1000 if k else 0) + min(place, 0xFFF)
            if best is None or score < best[0]:
                best = score, model.ids[k]
    return best


def _first_places(ids: Sequence[str]) -> dict[str, int]:
    """Return where each id stands first, so that long lists cost no more than their length."""
    places: dict[str, int] = {}
    for place, each in enumerate(ids):
        places.setdefault(fold(each), place)
    return places
