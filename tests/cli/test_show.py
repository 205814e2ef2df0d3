# SPDX-License-Identifier: Apache-2.0
"""Showing traces, recordings and texts."""

import json
from importlib import import_module
from pathlib import Path

import pytest

import vreader as package
from vreader.cli.show import _HOMES, find_event
from vreader.events import Event
from vreader.host.scard import ScardApi
from vreader.trace.level import parse_level

TALK = """# a talk
RESET 3B 00
> 00 A4 04 00 05 A0 00 00 03 08
< 9000
> 00 20 00 80 06 31 32 33 34 35 36
< 63C2
"""
OBJECT = " " * 26
SHOWN = """\
            card      cold reset  ATR 3B 00
            card      > 00 A4 04 00 05 A0 00 00 03 08   SELECT PIV
                      < 90 00   OK
            card      > 00 20 00 80 06 ** ** ** ** ** **   VERIFY PIV PIN
                      < 63 C2   2 tries left
"""


@pytest.fixture
def talk(here):
    (here / "talk.txt").write_text(TALK)
    return here / "talk.txt"


def without_objects(text: str) -> str:
    """Leave out what is shown behind answers, and is not in a trace."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(OBJECT))


def exchange(api: ScardApi, *commands: str) -> None:
    context = api.SCardEstablishContext()
    card, protocol = api.SCardConnect(context, "Virtual Reader 00 00")
    for text in commands:
        api.SCardTransmit(card, protocol, bytes.fromhex(text))


def test_a_text(cli, talk):
    assert cli("show", "talk.txt") == (0, SHOWN, "")
    assert "31 32 33 34 35 36" in cli("show", "--unmask", "talk.txt").out


def test_standard_input(command):
    said = command("show", "-", stdin=None, input=TALK)
    assert (said.code, said.out) == (0, SHOWN)


def test_a_text_becomes_a_recording(cli, talk):
    lines = cli("show", "--json", "talk.txt").out
    talk.with_suffix(".jsonl").write_text(lines)
    verify = json.loads(lines.splitlines()[2])
    assert (verify["command"], verify["text"]) == ("0020008006" + "**" * 6, "VERIFY PIV PIN")
    again = cli("show", "talk.jsonl").out
    assert [line[22:] for line in again.splitlines()] == [line[22:] for line in SHOWN.splitlines()]


@pytest.mark.parametrize("options", [(), ("link",)])
def test_a_trace_is_shown_as_it_would_have_been_written(cli, here, options, monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 7.0)
    for name in ("a.jsonl", "a.txt"):
        with package.world(
            "piv,seed=01", stack="in-process", trace=name, link="t1" if options else None
        ) as world:
            exchange(world.scard, "00A4040005A000000308", "0020008006313233343536")
    written, shown = (
        [line for line in text.splitlines() if "trace of vreader" not in line]
        for text in ((here / "a.txt").read_text(), without_objects(cli("show", "a.jsonl").out))
    )
    times = str.maketrans("", "", "0123456789.")
    assert [line.translate(times) for line in shown] == [line.translate(times) for line in written]
    assert len(shown) > 20


def test_a_part_of_it(cli, here):
    with package.world("piv", "gids", stack="in-process", record="a") as world:
        exchange(world.scard, "00A4040005A000000308", "00CB3FFF055C035FC10700")
    assert "reader1" in cli("show", "a").out
    assert f"{OBJECT}61  application template  17 B\n" in cli("show", "a").out
    assert "reader1" not in cli("show", "a", "--only", "reader0").out
    assert "… (" in cli("show", "a").out
    assert "… (" not in cli("show", "a", "--full").out
    assert "cold reset" not in cli("show", "a", "--debug", "protocol").out
    said = cli("show", "a", "--only", "reader7")
    assert (said.code, "no reader 'reader7'" in said.err, "reader0" in said.err) == (2, True, True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "bad has nothing in it"),
        (b"\n# nothing\n", "bad has nothing in it"),
        (b'{"event": "ApduEvent"}\n{"event', "bad, line 1: not an event"),
        (b'{"event": "X"}\n{"event', "bad, line 2: not JSON"),
        (b'{"event": "TraceOpened", "version": "9", "format": 2}', "bad, line 1: a recording of "
         "format 2"),
        (b"\x0a\x0d\x0d\x0a\x9c\0\0\0\x4d\x3c\x2b\x1a", "bad is not text: byte 4, in line 3"),
        (b"\x7fELF\2\1\1\0", "bad, line 1: what is it"),
        (b"> 00A4\n", "bad, line 2: the command in line 1 has no answer"),
    ],
)  # fmt: skip
def test_bad_files(cli, here, content, problem):
    (here / "bad").write_bytes(content)
    said = cli("show", "bad")
    assert (said.code, problem in said.err, "hint: " in said.err) == (2, True, True), said.err
    assert "Traceback" not in said.err


def test_a_file_that_is_not_there(cli, here):
    said = cli("show", "nobody")
    assert (said.code, "cannot read the recording nobody" in said.err) == (2, True)
    assert cli("show", "--debug", "colour", "nobody").code == 2
    assert parse_level("all")


def test_every_event_has_its_class():
    assert all(find_event(name).__name__ == name for name in _HOMES)
    assert find_event("NewEvent") is None
    for path in Path(package.__file__).parent.rglob("events.py"):
        words = path.relative_to(Path(package.__file__).parents[1]).with_suffix("").parts
        module = import_module(".".join(words))
        for name, found in vars(module).items():
            if not isinstance(found, type) or found.__module__ != module.__name__:
                continue
            if issubclass(found, Event) and found.__str__ is not object.__str__:
                assert name in _HOMES, f"{name} has words of its own"
