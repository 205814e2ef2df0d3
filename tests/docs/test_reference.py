# SPDX-License-Identifier: Apache-2.0
"""What the reference lists is what the code has."""

import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from vreader.card import Card
from vreader.cardspec import CardSpec
from vreader.certify import select
from vreader.cli import COMMANDS
from vreader.events import Event
from vreader.smclib.states import CardState

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDED = {"IrpEvent": ("ioctl",), "ApduEvent": ("sw",)}  # by the JSON lines, not by the event


def page(name: str) -> str:
    return (DOCS / name).read_text()


def events() -> Iterator[type[Event]]:
    for path in (ROOT / "vreader").rglob("events.py"):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Event) and value is not Event:
                yield value


def test_trace_lists_every_event_with_its_fields():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", page("reference/trace.md"), re.MULTILINE)
    told = {name: tuple(re.findall(r"`(\w+)`", fields)) for name, fields in rows}
    bases = {base for event in events() for base in event.__bases__}
    leaves = {event for event in events() if event not in bases}
    assert told == {e.__name__: e.fields + ADDED.get(e.__name__, ()) for e in leaves}


def test_control_names_every_state():
    text = page("reference/control.md")
    assert all(f"`{state.name}`" in text for state in CardState)


@pytest.mark.parametrize("text", ["piv:neutral,pin=654321,state=x,seed=01", "none", "atr:3B00"])
def test_card_spec_examples_parse(text):
    assert CardSpec.parse(text).text == text


def test_the_card_page_has_the_contract():
    text = page("howto/write-a-card.md")
    methods = [name for name in vars(Card) if not name.startswith("_")]
    assert set(re.findall(r"^\| `(\w+)\(", text, re.MULTILINE)) == set(methods)


def test_generated_pages(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(DOCS))
    generate = import_module("generate")
    monkeypatch.setattr(generate, "OUTPUT", tmp_path / "out")
    generate.main()
    commands = (tmp_path / "out" / "command-line.md").read_text()
    assert all(f"## `vreader {name}`" in commands for name in COMMANDS)
    assert "  --card SPEC " in commands
    assert "  vreader run -- opensc-tool -a\n" in commands
    checks = (tmp_path / "out" / "reader-certification.md").read_text()
    assert all(f"| `{check.id}` |" in checks for check in select())
    coverage = (tmp_path / "out" / "piv-coverage.md").read_text()
    assert "| GENERAL AUTHENTICATE | partial |" in coverage
    assert "piv:neutral" in (tmp_path / "out" / "piv-profiles.md").read_text()


def test_every_page_is_reached():
    pages = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    pages = {
        p
        for p in pages
        if p.parts[0] not in ("_build", "_generated") and ".pytest_cache" not in p.parts
    }
    listed = {Path("index.md")}
    for path in pages:
        for tree in re.findall(
            r"^```\{toctree\}\n(.*?)^```", page(str(path)), re.MULTILINE | re.DOTALL
        ):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {Path(os.path.normpath(path.parent / f"{name}.md")) for name in names}
    assert listed == pages


def test_nothing_points_outside():
    for path in (ROOT / "README.md", *DOCS.rglob("*.md")):
        if "_build" not in path.parts:
            assert not re.search(r"\.\./shared|/work/|/root/|/tmp/", path.read_text()), path
