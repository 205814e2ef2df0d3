# SPDX-License-Identifier: Apache-2.0
"""Every scenario of annex_a.txt, with both ends, and with each end against the table alone."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from vreader.iso7816.t1 import (
    ABORT,
    EDC_ERROR,
    IFS,
    OTHER_ERROR,
    RESPONSE,
    RESYNCH,
    WTX,
    Block,
    T1AbortedError,
    T1LostError,
    T1UncertainError,
)
from vreader.iso7816.t1card import T1Card
from vreader.iso7816.t1reader import T1Reader

_PCB = {"RESYNCH": RESYNCH, "IFS": IFS, "ABORT": ABORT, "WTX": WTX}
_ERRORS = {"": 0, " EDC error": EDC_ERROR, " other error": OTHER_ERROR}
_TITLE = re.compile(r"(-|\d+)  ([^\[]+?)(?: \[(.+)\])?")
_LINE = re.compile(r"   ([<>])([x!]?) (.+)")


class Line(NamedTuple):
    """One block on the wire; ``harm`` is "", "x" (spoilt) or "!" (lost)."""

    to_card: bool
    harm: str
    block: Block


class Scenario(NamedTuple):
    """An exchange; ``options`` are those in brackets."""

    title: str
    lines: tuple[Line, ...]
    options: dict[str, str]

    def size(self, name: str, default: int) -> int:
        return int(self.options.get(name, default))

    def messages(self, to_card: bool) -> list[bytes]:
        """The APDUs of one direction, repeated pieces left out."""
        if to_card and "command" in self.options:
            return [bytes.fromhex(self.options["command"])]
        found, apdu, last = [], b"", None
        for line in self.lines:
            if line.block.pcb == RESYNCH:
                apdu, last = b"", None
            if line.to_card is not to_card or not line.block.is_i or line.block.number == last:
                continue
            apdu, last = apdu + line.block.inf, line.block.number
            if not line.block.more:
                found.append(apdu)
                apdu = b""
        if apdu:
            found.append(apdu)
        return found


def parse_block(text: str) -> Block:
    """Read a block in the notation of ``str(Block)``, the I-block's content behind it."""
    if found := re.fullmatch(r"I\((\d),(\d)\) ([0-9A-F]*)", text):
        return Block.i(int(found[1]), found[2] == "1", bytes.fromhex(found[3]))
    if found := re.fullmatch(r"R\((\d)\)( .+)?", text):
        return Block.r(int(found[1]), _ERRORS[found[2] or ""])
    found = re.fullmatch(r"S\((\w+) (request|response)(?: (\d+))?\)", text)
    inf = bytes((int(found[3]),)) if found[3] else b""
    return Block(_PCB[found[1]] | (RESPONSE if found[2] == "response" else 0), inf)


def _read() -> list[Scenario]:
    scenarios = []
    for part in Path(__file__).with_name("annex_a.txt").read_text().split("\n\n"):
        lines = [line for line in part.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        number, title, options = _TITLE.fullmatch(lines[0]).groups()
        given = dict(word.split("=") for word in (options or "").split())
        steps = [_LINE.fullmatch(line).groups() for line in lines[1:]]
        blocks = tuple(Line(way == ">", harm, parse_block(text)) for way, harm, text in steps)
        scenarios.append(Scenario(f"{number} {title}", blocks, given))
    return scenarios


SCENARIOS = _read()


ENDS = {"aborted": T1AbortedError, "lost": T1LostError, "uncertain": T1UncertainError}
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.title)
every_edc = pytest.mark.parametrize("crc", [False, True], ids=["lrc", "crc"])


class ScriptedApdus:
    """The APDU-level card of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.commands = []
        self.responses = scenario.messages(to_card=False)

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        answer = self.responses[len(self.commands) - 1]
        return answer + b"more"[: 4 * self.more] if self.more else answer

    more = False  # an aborted response has a rest that nobody sees


def make_card(scenario: Scenario, crc: bool) -> tuple[T1Card, ScriptedApdus]:
    apdus = ScriptedApdus(scenario)
    apdus.more = "abort" in scenario.options
    wtx = [int(scenario.options["wtx"])] if "wtx" in scenario.options else ()
    ifsc, ifsd = scenario.size("ifsc", 32), scenario.size("ifsd", 32)
    card = T1Card(apdus.transmit, ifsc=ifsc, ifsd=ifsd, crc=crc, wtx=wtx)
    if "ask" in scenario.options:
        card.ask(IFS, bytes((int(scenario.options["ask"].split(":")[1]),)))
    return card, apdus


def make_reader(scenario: Scenario, crc: bool) -> T1Reader:
    told = scenario.size("told", 0)
    ifsc = scenario.size("ifsc", 32)
    return T1Reader(ifsc=ifsc, ifsd=told or 254, crc=crc, ifs_request=bool(told))


def spoil(raw: bytes) -> bytes:
    return raw[:-1] + bytes((raw[-1] ^ 1,))


def harmed(raw: bytes, harm: str) -> bytes | None:
    return {"": raw, "x": spoil(raw), "!": None}[harm]


def ends(scenario: Scenario):
    """How it ends: a context that expects the error, or none."""
    return ENDS.get(scenario.options.get("ends"))


@pytest.mark.wdk("t1.annex-a")
@every_scenario
@every_edc
def test_both_ends(scenario, crc):
    card, apdus = make_card(scenario, crc)
    reader = make_reader(scenario, crc)
    lines = iter(scenario.lines)
    commands = scenario.messages(to_card=True)
    expected = apdus.responses
    answers, error = [], None
    for number, command in enumerate(commands, 1):
        block = reader.begin(command)
        while block is not None:
            line = next(lines)
            assert (line.to_card, Block.parse(block, crc=crc)) == (True, line.block)
            raw = harmed(block, line.harm)
            if "abort" in scenario.options and number == len(commands):
                abort_in_time(card, scenario)
            answer = None if raw is None else card.receive(raw)
            if answer is not None:
                line = next(lines)
                assert (line.to_card, Block.parse(answer, crc=crc)) == (False, line.block)
                answer = harmed(answer, line.harm)
            try:
                block = reader.receive(answer)
            except (T1AbortedError, T1LostError, T1UncertainError) as failure:
                error, block = type(failure), None
                break
        else:
            answers.append(reader.response)
    assert next(lines, None) is None
    assert error is ends(scenario)
    if error is None:
        assert answers == expected
        assert apdus.commands == commands


def abort_in_time(card: T1Card, scenario: Scenario) -> None:
    """Have the card abort instead of its second answer."""
    card.turns = getattr(card, "turns", 0) + 1
    if card.turns == int(scenario.options["abort"]) + 1:
        card.ask(ABORT)


@every_scenario
@every_edc
def test_the_reader_alone(scenario, crc):
    reader = make_reader(scenario, crc)
    commands = iter(scenario.messages(to_card=True))
    error, block, last = None, None, len(scenario.lines) - 1
    for number, line in enumerate(scenario.lines):
        raw = line.block.encode(crc=crc)
        if line.to_card:
            if block is None:
                block = reader.begin(next(commands))
            assert block == raw
            if line.harm != "!":
                continue
            raw = None
        else:
            raw = harmed(raw, line.harm)
        try:
            block = reader.receive(raw)
        except (T1AbortedError, T1LostError, T1UncertainError) as failure:
            assert number == last
            error = type(failure)
    assert error is ends(scenario)


@every_scenario
@every_edc
def test_the_card_alone(scenario, crc):
    card, _ = make_card(scenario, crc)
    answer = None
    for line in scenario.lines:
        raw = line.block.encode(crc=crc)
        if line.to_card:
            assert answer is None
            raw = harmed(raw, line.harm)
            if "abort" in scenario.options:
                abort_in_time(card, scenario)
            answer = None if raw is None else card.receive(raw)
        else:
            assert answer == raw
            answer = None
    assert answer is None
