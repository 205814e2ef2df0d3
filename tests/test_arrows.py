# SPDX-License-Identifier: Apache-2.0
"""The floors of the house hold: an import only ever points down.

A new room under vreader/ must be given its floor here before anything in it is accepted.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = (  # from the ground up; rooms of one floor do not know each other
    {
        "iso7816",
        "registry",
        "card",
        "cardfs",
        "cardids",
        "classfile",
        "clock",
        "errors",
        "events",
        "kinds",
        "listenspec",
        "publish",
        "readfile",
        "recipe",
        "recording",
        "cardfile",
        "cardspec",
    },
    {"wdm"},
    {"smclib"},
    {"reader"},
    {"winscard", "setupapi"},
    {"host", "privatedir"},
    {"bridge", "trace"},
    {"conversation"},
    {"world"},
    {"pairing", "certify", "doctor"},
    {"minidriver"},
    {"testing"},
    {"cli", "pytest_plugin", "ui", "__init__"},
    {"__main__"},
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
GROUND = FLOORS[0]
BELOW_HOST = {room for room, number in FLOOR_OF.items() if number < FLOOR_OF["host"]}
FORBIDDEN_BELOW_HOST = {"socket", "threading", "time", "random", "asyncio", "subprocess"}
FOR_CARDS = {"iso7816", "card", "cardfs", "classfile", "errors", "events", "readfile", "recording"}


def modules(package: str) -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of whatever a module imports, inside functions too."""
    for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.parts[1].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path))
    rooms = {(name[1] if len(name) > 1 else "__init__") for name in names if name[0] == "vreader"}
    return rooms - {"__version__"}


@pytest.mark.parametrize("path", modules("vreader"), ids=str)
def test_imports_point_down(path):
    room = room_of(path)
    assert room in FLOOR_OF, f"vreader/{room} has no floor yet"
    for target in rooms_imported(path) - {room}:
        assert target in FLOOR_OF, f"{path} imports vreader.{target}, which has no floor"
        on_the_ground = room in GROUND and target in GROUND
        assert FLOOR_OF[target] < FLOOR_OF[room] or on_the_ground, f"{path} imports {target}"


@pytest.mark.parametrize("path", modules("vreader"), ids=str)
def test_vreader_never_imports_cards(path):
    assert "cards" not in {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", modules("cards"), ids=str)
def test_cards_know_the_ground_floor_alone(path):
    assert rooms_imported(path) <= FOR_CARDS


@pytest.mark.parametrize(
    "path", [path for path in modules("vreader") if room_of(path) in BELOW_HOST], ids=str
)
def test_nothing_below_the_host_blocks_or_asks_the_machine(path):
    assert not {name.split(".")[0] for name in imports(path)} & FORBIDDEN_BELOW_HOST


@pytest.mark.parametrize("name", ["errors", "events"])
def test_the_lowest_stones_stand_alone(name):
    assert not rooms_imported(Path("vreader", f"{name}.py"))
