# SPDX-License-Identifier: Apache-2.0
"""Directories an INF names by number. Source: WDK "Using Dirids", "INF DestinationDirs Section"."""

from collections.abc import Mapping

from vreader.setupapi.inf import Inf

WINDOWS = r"C:\Windows"


def dirids(package: str, arch: str) -> dict[int, str]:
    """Return the directories of a simulated machine by number.

    Args:
        package: name of the INF file; 13 is its directory in the driver store.
        arch: of the machine.
    """
    system = rf"{WINDOWS}\System32"
    return {
        1: r"C:\Package",
        10: WINDOWS,
        11: system,
        12: rf"{system}\drivers",
        13: rf"{system}\DriverStore\FileRepository\{package.lower()}_{arch}",
        17: rf"{WINDOWS}\INF",
        18: rf"{WINDOWS}\Help",
        20: rf"{WINDOWS}\Fonts",
        24: "C:",
        30: "C:",
        50: rf"{WINDOWS}\System",
        54: "C:",
        16419: r"C:\ProgramData",
        16422: r"C:\Program Files",
        16425: rf"{WINDOWS}\SysWOW64",
        16426: r"C:\Program Files (x86)",
        16427: r"C:\Program Files\Common Files",
        16428: r"C:\Program Files (x86)\Common Files",
    }


def destination(inf: Inf, files: str, directories: Mapping[int, str]) -> str:
    """Return where the files of a section go; an unknown number stays ``%number%``.

    Args:
        inf: with its [DestinationDirs].
        files: the file-list section; empty for ``@file``, which has the default.
        directories: from :func:`dirids`.
    """
    section = inf.find("DestinationDirs")
    if section is None:
        return directories[11]
    entries = list(section.directives(files)) if files else []
    entries = entries or list(section.directives("DefaultDestDir"))
    if not entries:
        return directories[11]
    number, subdirectory, *_ = (*inf.fields(entries[0]), "")
    usable = number.isascii() and number.isdigit() and len(number) < 7
    folder = directories.get(int(number), f"%{number}%") if usable else f"%{number}%"
    return rf"{folder}\{subdirectory}" if subdirectory else folder
