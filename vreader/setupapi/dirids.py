# SPDX-License-Identifier: Apache-2.0
"""Directories an INF names by number. Source: WDK "Using Dirids", "INF DestinationDirs Section"."""

from collections.abc import Mapping

from vreader.setupapi.inf import Inf
from vreader.setupapi.syntax import Entry

WINDOWS = r"C:\Windows"


def dirids(folder: str, arch: str) -> dict[int, str]:
    """Return the directories of a simulated machine by number.

    Args:
        folder: name of the package's folder in the driver store, which is 13.
        arch: of the machine.
    """
    system = rf"{WINDOWS}\System32"
    wide = arch not in ("x86", "arm")  # has directories for programs of 32 bits beside its own
    programs_32 = r"C:\Program Files (x86)" if wide else r"C:\Program Files"
    return {
        1: r"C:\Package",
        10: WINDOWS,
        11: system,
        12: rf"{system}\drivers",
        13: rf"{system}\DriverStore\FileRepository\{folder}",
        17: rf"{WINDOWS}\INF",
        18: rf"{WINDOWS}\Help",
        20: rf"{WINDOWS}\Fonts",
        24: "C:",
        30: "C:",
        50: rf"{WINDOWS}\System",
        54: "C:",
        16419: r"C:\ProgramData",
        16422: r"C:\Program Files",
        16425: rf"{WINDOWS}\SysWOW64" if wide else system,
        16426: programs_32,
        16427: r"C:\Program Files\Common Files",
        16428: rf"{programs_32}\Common Files",
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
    return folder_of(number, subdirectory, directories)


def folder_of(number: str, subdirectory: str, directories: Mapping[int, str]) -> str:
    """Return the directory of a number and what is below it; -1 is an absolute path."""
    if number == "-1":
        return subdirectory.rstrip("\\")
    usable = number.isascii() and number.isdigit() and len(number) < 7
    folder = directories.get(int(number), f"%{number}%") if usable else f"%{number}%"
    return rf"{folder}\{subdirectory}" if subdirectory else folder


def copied(inf: Inf, line: Entry) -> tuple[str, str]:
    """Return what a line of a file-list section copies: name of the copy, name in the package.

    ``destination[,source[,…]]``: without a source both have one name.
    """
    if line.key is not None:
        return line.key, line.key
    name, source, *_ = (*inf.fields(line), "")
    return name, source or name
