# SPDX-License-Identifier: Apache-2.0
import importlib
import json
import pkgutil
from enum import Enum

import vreader
from vreader.events import Event
from vreader.reader.events import ApduEvent
from vreader.trace import jsonl
from vreader.trace.jsonl import json_line
from vreader.wdm.events import IrpEvent


def read(event):
    line = json_line(1.23456789, event)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.isascii()
    return json.loads(line)


def test_an_apdu_with_masks():
    event = ApduEvent(
        "reader0", b"\x00\x20\0\x80\x02\0\0", b"\0\xab\x90\0", ((5, 7),), ((0, 1),), "VERIFY", 5e-4
    )
    assert read(event) == {
        "t": 1.234568,
        "event": "ApduEvent",
        "reader": "reader0",
        "command": "0020008002****",
        "response": "**AB9000",
        "masked": [[5, 7]],
        "masked_response": [[0, 1]],
        "text": "VERIFY",
        "seconds": 0.0005,
        "problem": "",
        "sw": "9000",
    }


def test_an_apdu_without_answer_has_no_status_word():
    assert read(ApduEvent("r", b"\0\0\0\0", b"", (), (), "", 0.0, "gone"))["sw"] is None


def test_an_irp_has_the_name_of_its_code():
    assert read(IrpEvent("r", "DEVICE_CONTROL", 0x310014, "S", 2))["ioctl"] == "SMARTCARD_TRANSMIT"
    assert read(IrpEvent("r", "DEVICE_CONTROL", 0x42000001, "S", 2))["ioctl"] is None
    assert read(IrpEvent("r", "CREATE", 0, "S", 2))["ioctl"] is None


class Colour(Enum):
    RED = 1


class OddEvent(Event):
    data: bytes
    numbers: tuple[tuple[int, int], ...]
    nothing: None
    text: str
    colour: Colour


def test_any_event_is_one_line_of_plain_values():
    told = read(OddEvent(b"\x0a", ((1, 2),), None, "a\nb\udc80→", Colour.RED))
    assert told == {
        "t": 1.234568,
        "event": "OddEvent",
        "data": "0A",
        "numbers": [[1, 2]],
        "nothing": None,
        "text": "a\nb\udc80→",
        "colour": "Colour.RED",
    }


def documented():
    """The table of the module's docstring: event → names of its fields."""
    rows = jsonl.__doc__.splitlines()
    edges = [number for number, row in enumerate(rows) if row.startswith("====")]
    cells = [row.split(None, 1) for row in rows[edges[1] + 1 : edges[2]]]
    return dict(cells)


def defined():
    """Every event class of the package that is emitted itself, by name."""
    for module in pkgutil.walk_packages(vreader.__path__, "vreader."):
        if module.name.endswith(".events") and module.name != "vreader.events":
            importlib.import_module(module.name)
    found, todo = {}, list(Event.__subclasses__())
    while todo:
        event = todo.pop()
        todo += event.__subclasses__()
        if event.__module__.startswith("vreader.") and not event.__subclasses__():
            found[event.__name__] = event
    return found


def test_the_documented_field_names_are_those_of_the_events():
    names = {name: list(event.fields) for name, event in sorted(defined().items())}
    assert {name: told.split(";")[0].split(", ") for name, told in documented().items()} == names
