# SPDX-License-Identifier: Apache-2.0
"""The cards that files register: .reg files, hives, and INFs as if they had been installed.

The files are read in order into one registry, as they would be on one machine: where two register a
card of the same name, the later one has written over the earlier.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from vreader.errors import UsageError
from vreader.pairing.windows import Windows
from vreader.registry import Registry
from vreader.registry.files import import_data, read_file
from vreader.registry.names import fold
from vreader.registry.regf import is_hive
from vreader.registry.regfile import VERSION_4, VERSION_5
from vreader.registry.textfile import decode
from vreader.registry.view import View
from vreader.setupapi.defaultinstall import DEFAULT_INSTALL
from vreader.setupapi.inf import Inf, read_inf
from vreader.setupapi.installation import CONTROL_SET, Installation
from vreader.setupapi.plan import Plan
from vreader.setupapi.target import TargetOS, install_section, models_for
from vreader.winscard.cardtypes import CardTypes

_CALAIS: Final = (
    r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais",
)
_DRIVER: Final = rf"{CONTROL_SET}\Control\Class\{{990A2BD7-E738-46C7-B26F-1CF8FB9F1391}}\0000"


class Registered(NamedTuple):
    """A registered card, and the file that says so.

    Attributes:
        name: of its key.
        atr: under its mask; empty where there is none.
        mask: the bits that count; None where there is none.
        source: the file that wrote it last.
        problem: why no ATR can match it, or empty.
    """

    name: str
    atr: bytes
    mask: bytes | None
    source: str
    problem: str = ""

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "name": self.name,
            "atr": self.atr.hex().upper(),
            "mask": self.mask.hex().upper() if self.mask else None,
            "source": self.source,
        }


class Replaced(NamedTuple):
    """A card whose ATR or mask a later file has written over."""

    before: Registered
    after: Registered

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {"before": self.before.record(), "after": self.after.record()}


class Gathered(NamedTuple):
    """What the files register.

    Attributes:
        entries: the cards, in the order in which they were made.
        replaced: those of them that a later file has changed.
        idle: files that register no card, or none that is new.
    """

    entries: list[Registered]
    replaced: list[Replaced]
    idle: list[str]


def gather(
    paths: Sequence[str], windows: Windows | None = None, *, bits: int = 0, root: str = ""
) -> Gathered:
    """Read files, and return the cards they register.

    Args:
        paths: .reg files, hives, and INFs, of which the sections are installed that their models
            for the Windows name; DefaultInstall where there are none.
        windows: the Windows; 10.0-amd64 by default.
        bits: of the program that looks for cards; 0 is the system's own.
        root: the key that a hive's root becomes; empty asks the hive, then the file's name.

    Raises:
        UsageError: a file cannot be read or is none of these; with its place.
    """
    windows = windows or Windows(TargetOS())
    registry = Registry()
    view = View(registry, bits or windows.bits, windows.bits)
    found: dict[str, Registered] = {}
    replaced: list[Replaced] = []
    idle: list[str] = []
    for path in paths:
        _read(registry, path, windows.target, root)
        before, found = found, {}
        for card in CardTypes(view).list("created"):
            new = Registered(card.name, card.atr, card.mask or None, path, card.problem)
            old = before.get(fold(card.name))
            if old is not None and (old.atr, old.mask) == (new.atr, new.mask):
                new = old
            elif old is not None:
                replaced.append(Replaced(old, new))
            found[fold(card.name)] = new
        if all(entry.source != path for entry in found.values()):
            idle.append(path)
    return Gathered(list(found.values()), replaced, idle)


def _read(registry: Registry, path: str, target: TargetOS, root: str) -> None:
    data = read_file(path)
    name = path.lower()
    if is_hive(data) or name.endswith(".reg") or _first_line(data) in (VERSION_4, VERSION_5):
        import_data(registry, data, path, root=root, only=_CALAIS)
    elif name.endswith(".inf") or b"version]" in data.replace(b"\0", b"").lower():
        _install(read_inf(data, path), registry, target)
    else:
        raise UsageError(
            f"{path} registers no cards: it is neither a .reg file nor a hive nor an INF",
            hint="a .reg file begins with 'Windows Registry Editor', an INF has [Version]",
        )


def _first_line(data: bytes) -> str:
    try:
        return decode(data[:200]).strip().partition("\n")[0].strip()
    except ValueError:
        return ""


def _install(inf: Inf, registry: Registry, target: TargetOS) -> None:
    """Do what the sections say that an INF has for the Windows."""
    installs = [model.install for model in models_for(inf, target)]
    relative = _DRIVER if installs else ""  # HKR stands for nothing in DefaultInstall
    sections = dict.fromkeys(
        install_section(inf, name, target.arch) for name in installs or [DEFAULT_INSTALL]
    )
    for section in filter(None, sections):
        plan = Plan(inf, registry, target, Installation(section))
        plan.section(section, relative)
        plan.run()
