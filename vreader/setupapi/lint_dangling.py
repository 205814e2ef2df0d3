# SPDX-License-Identifier: Apache-2.0
"""The lint of sections that nothing leads to, most of them misspelt."""

from typing import Final

from vreader.registry.names import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.minidriver import Install, default_sections, models_sections
from vreader.setupapi.rule import Report
from vreader.setupapi.target import ARCHITECTURES

# Sections that Windows or the tools look for by name, decorated or not.
_KNOWN: Final = frozenset(
    {
        "VERSION",
        "STRINGS",
        "MANUFACTURER",
        "SOURCEDISKSNAMES",
        "SOURCEDISKSFILES",
        "DESTINATIONDIRS",
        "CONTROLFLAGS",
        "SIGNATUREATTRIBUTES",
        "CLASSINSTALL32",
        "INTERFACEINSTALL32",
        "DEFAULTUNINSTALL",
    }
)
# What hangs on DDInstall and on DefaultInstall.
_SUFFIXES: Final = frozenset(
    {
        "HW",
        "SERVICES",
        "COINSTALLERS",
        "INTERFACES",
        "WDF",
        "EVENTS",
        "COMPONENTS",
        "SOFTWARE",
        "FILTERS",
        "SECURITY",
        "FACTDEF",
        "LOGCONFIGOVERRIDE",
    }
)


def lint_dangling(inf: Inf, installs: list[Install], report: Report) -> None:
    """Report sections that neither a directive, nor a model, nor their own name leads to."""
    used = {fold(name) for name, _, _ in models_sections(inf)}
    used |= {fold(install.section.name) for install in installs}
    used |= {fold(section.name) for section, _ in default_sections(inf)}
    for install in installs:
        for model in install.models:
            name = fold(model.install)
            used.update((name, f"{name}.NT", *(f"{name}.NT{fold(a)}" for a in ARCHITECTURES)))
    for section in inf.sections.values():
        for entry in section.entries:
            if entry.key is not None:
                used.update(fold(inf.expand(value).strip()) for value in entry.values)
    for name, section in inf.sections.items():
        if name in used or name.partition(".")[0] in _KNOWN:
            continue
        base, _, suffix = name.rpartition(".")
        if suffix not in _SUFFIXES or base not in used or base not in inf.sections:
            report(335, section.line, f"[{section.name}]{_meant(inf, section.name, used)}")


def _meant(inf: Inf, name: str, used: set[str]) -> str:
    """Return which section would be found where one has a ``.NT`` too many or too few."""
    base, _, suffix = name.rpartition(".")
    folded = fold(base)
    if fold(suffix) in _SUFFIXES:
        for other in (folded.removesuffix(".NT"), f"{folded}.NT"):
            found = inf.sections.get(other) if other in used and other != folded else None
            if found is not None:
                return f"; is [{found.name}.{suffix}] meant?"
    return ""
