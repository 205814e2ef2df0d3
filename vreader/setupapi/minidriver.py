# SPDX-License-Identifier: Apache-2.0
"""What the INF of a card's minidriver installs, and on which Windows.

A section is installed in two ways: for a device, by way of the models, or as DefaultInstall, from
the file's menu. Sources: WDK "Smart Card Plug and Play", "INF DefaultInstall Section", "INF
DDInstall Section".
"""

from collections.abc import Iterator
from typing import Final

from vreader.registry.names import fold
from vreader.setupapi.calais import Cards
from vreader.setupapi.inf import Inf
from vreader.setupapi.syntax import Section
from vreader.setupapi.target import Decoration, Model, install_section, manufacturers, models_in

DEFAULT_INSTALL: Final = "DEFAULTINSTALL"
NARROW: Final = ("x86", "arm")  # have one view of the registry
WINDOWS_7: Final = (6, 1)


class Install:
    """A section that is installed on one architecture.

    Attributes:
        section: DDInstall or DefaultInstall.
        arch: of the machine.
        default: it is installed from the file's menu.
        windows7: models for Windows 7 by name lead to it.
        models: those that lead to it; none for DefaultInstall.
        cards: what it registers; filled by whoever looks at the lines.
    """

    __slots__ = ("arch", "cards", "default", "models", "section", "windows7")

    def __init__(self, section: Section, arch: str, *, default: bool) -> None:
        self.section = section
        self.arch = arch
        self.default = default
        self.windows7 = False
        self.models: list[Model] = []
        self.cards: Cards = {}

    @property
    def wow64(self) -> bool:
        """The machine has a second view of the registry, for 32-bit programs."""
        return self.arch not in NARROW


def find_installs(inf: Inf) -> list[Install]:
    """Return what a minidriver's INF installs: DDInstall sections, then DefaultInstall."""
    found: dict[tuple[str, str], Install] = {}
    for name, manufacturer, decoration in models_sections(inf):
        arch = decoration.arch or "x86"
        windows7 = (decoration.major, decoration.minor) == WINDOWS_7
        for model in models_in(inf, name, manufacturer):
            section = inf.find(install_section(inf, model.install, arch) or "")
            if section is None:
                continue
            key = fold(section.name), arch
            install = found.get(key)
            if install is None:
                install = found[key] = Install(section, arch, default=False)
            install.windows7 = install.windows7 or windows7
            install.models.append(model)
    architectures = dict.fromkeys(install.arch for install in found.values())
    return [*found.values(), *_default_installs(inf, list(architectures))]


def models_sections(inf: Inf) -> Iterator[tuple[str, str, Decoration]]:
    """Yield each Models section once: its name, manufacturer and decoration.

    One without a decoration is for x86.
    """
    seen: set[str] = set()
    for _, manufacturer, models, decorations in manufacturers(inf):
        for text in decorations or [""]:
            name = f"{models}.{text}" if text else models
            decoration = Decoration.parse(text) if text else Decoration("x86")
            if decoration is not None and fold(name) not in seen:
                seen.add(fold(name))
                yield name, manufacturer, decoration


def default_sections(inf: Inf) -> Iterator[tuple[Section, Decoration | None]]:
    """Yield DefaultInstall sections and their decorations, None for the one without."""
    for name, section in inf.sections.items():
        head, _, rest = name.partition(".")
        if head != DEFAULT_INSTALL:
            continue
        decoration = Decoration.parse(rest) if rest else None
        if decoration is not None or not rest:
            yield section, decoration


def _default_installs(inf: Inf, architectures: list[str]) -> Iterator[Install]:
    """Yield an install for each architecture a DefaultInstall section is for."""
    sections = list(default_sections(inf))
    taken = {decoration.arch for _, decoration in sections if decoration is not None}
    others = [arch for arch in architectures if arch not in taken]
    for section, decoration in sections:
        if decoration is not None and decoration.arch:
            yield Install(section, decoration.arch, default=True)
            continue
        for arch in others or ["x86"]:
            yield Install(section, arch, default=True)
