# SPDX-License-Identifier: Apache-2.0
"""``--debug``: the trace shows what belongs to the bits, and nothing else."""

import json
from pathlib import Path

import pytest


def traced(cli, level):
    words = ["run", "--card", "atr:3B80800101", "--trace", "t.jsonl", "--debug", level, "true"]
    assert cli(*words).code == 0
    return {json.loads(line)["event"] for line in Path("t.jsonl").read_text().splitlines()}


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("atr", {"CardEvent"}),
        ("ioctl", {"IrpEvent"}),
        ("0x8", {"CardEvent", "StateEvent", "DeviceEvent"}),
        ("perf", set()),
    ],
)
def test_a_level_filters_the_trace(cli, here, level, events):
    assert traced(cli, level) == {"TraceOpened", *events}


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        (["--debug", "atr"], "--debug goes with --trace", "for example --trace - --debug ioctl"),
        (["--trace", "t", "--debug", "art"], "'art' is no debug level", "names with commas: ioctl"),
    ],
)
def test_what_may_go_wrong(cli, here, words, problem, hint):
    said = cli("run", *words, "true")
    assert said.code == 125
    assert said.err.startswith(f"vreader: {problem}\nhint: {hint}")
