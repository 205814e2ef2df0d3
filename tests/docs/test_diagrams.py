# SPDX-License-Identifier: Apache-2.0
"""The drawn states say what the table says, all of it."""

import ast
import runpy
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from vreader.smclib.states import TRANSITIONS, CardState, Option, ReaderEvent
from vreader.wdm import NTSTATUS

SCRIPT = Path(__file__).parents[2] / "docs" / "diagrams.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def diagrams():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def picture(diagrams):
    return ET.fromstring(diagrams["reader_states"]())


def test_the_script_needs_nothing_but_vreader():
    tree = ast.parse(SCRIPT.read_bytes())
    rooms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    rooms |= {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    assert {room.split(".")[0] for room in rooms} - {"vreader"} <= sys.stdlib_module_names


def test_running_it_writes_the_picture(diagrams, tmp_path, monkeypatch):
    main = diagrams["main"]
    target = tmp_path / "_generated" / "reader-states.svg"
    monkeypatch.setitem(main.__globals__, "OUTPUT", target)
    main()
    assert target.read_text(encoding="utf-8") == diagrams["reader_states"]()


def test_every_cell_of_the_table_is_there_once_with_its_outcome(picture):
    cells = [rect.attrib for rect in picture.iter(f"{SVG}rect") if "data-outcome" in rect.attrib]
    drawn = {(c["data-state"], c["data-event"]): c["data-outcome"] for c in cells}
    assert len(cells) == len(drawn)
    assert drawn == {
        (state.name, event.name): outcome.name
        for state, row in TRANSITIONS.items()
        for event, outcome in row.items()
    }


def test_every_state_and_option_is_a_box(picture):
    boxes = {rect.get("data-node") for rect in picture.iter(f"{SVG}rect")} - {None}
    assert boxes == {node.name for node in (*CardState, *Option)}


def test_every_transition_is_an_arrow_or_stays_in_its_box(diagrams, picture):
    shared, arrows = diagrams["shared"](TRANSITIONS), diagrams["arrows"](TRANSITIONS)
    drawn = {path.get("data-arrow") for path in picture.iter(f"{SVG}path")} - {None}
    for state, row in TRANSITIONS.items():
        for event, outcome in row.items():
            if isinstance(outcome, NTSTATUS):
                assert not any(
                    event in arrows.get((state, node), ()) for node in (*CardState, *Option)
                )
            elif event in shared and state > CardState.ABSENT:
                assert f"*>{outcome.name}" in drawn
            elif outcome is state:
                assert event in diagrams["staying"](TRANSITIONS, state) or event in shared
            else:
                assert event in arrows[state, outcome]
                assert f"{state.name}>{outcome.name}" in drawn


def test_every_event_is_named(picture):
    text = " ".join(element.text for element in picture.iter(f"{SVG}text"))
    for event in ReaderEvent:
        assert all(word in text for word in event.value.split())


def test_a_change_of_the_table_changes_the_picture(diagrams):
    changed = {state: dict(row) for state, row in TRANSITIONS.items()}
    changed[CardState.POWERED][ReaderEvent.TRANSMIT] = CardState.SPECIFIC
    assert 'data-arrow="POWERED&gt;SPECIFIC"' in diagrams["reader_states"](changed)
    assert 'data-arrow="POWERED&gt;SPECIFIC"' not in diagrams["reader_states"]()
