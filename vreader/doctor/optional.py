# SPDX-License-Identifier: Apache-2.0
"""Parts that some commands need and others do without."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import NamedTuple

from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.machine import Machine


class _Program(NamedTuple):
    name: str
    package: str
    purpose: str


_PROGRAMS = (
    _Program("opensc-tool", "opensc", "looks at cards, and most examples use it"),
    _Program("tshark", "tshark", "decodes traces in *.pcapng"),
    _Program("wine", "wine wine64", "runs minidriver DLLs"),
    _Program("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64", "builds what loads minidriver DLLs"),
)
_LAB = ("jinja2", "joblib", "regipy", "rich")


def look(machine: Machine) -> Iterator[Finding]:
    """Say what is there, and how to get what is not."""
    yield _packages(["pyscard"], "pyscard", "programs in Python that use PC/SC", "vreader[pcsc]")
    yield _packages(_LAB, "the lab", "hives, sweeps and reports", "vreader[lab]")
    yield _plugin()
    for program in _PROGRAMS:
        path = machine.which(program.name)
        if path is None:
            what = f"{program.name} is not installed; it {program.purpose}"
            yield note(what, f"apt install {program.package}")
        else:
            yield ok(path)


def _packages(names: "list[str] | tuple[str, ...]", what: str, purpose: str, extra: str) -> Finding:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        text = f"{what} is not installed ({', '.join(missing)}); for {purpose}"
        return note(text, f"pip install '{extra}'")
    return ok(", ".join(found))


def _plugin() -> Finding:
    """Look for pytest, and for our plug-in where pytest finds it."""
    try:
        pytest = version("pytest")
    except PackageNotFoundError:
        return note("pytest is not installed; for the fixtures", "pip install pytest")
    for point in entry_points(group="pytest11"):
        if point.value.startswith("vreader."):
            try:
                point.load()
            except Exception as error:
                text = f"pytest {pytest} cannot load our plug-in: {error}"
                return warn(text, "reinstall vreader; pytest -p no:vreader does without")
            return ok(f"pytest {pytest} with our plug-in")
    return warn(
        f"pytest {pytest} does not find our plug-in", "pip install vreader again, beside it"
    )
