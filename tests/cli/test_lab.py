# SPDX-License-Identifier: Apache-2.0
"""``vreader lab``: the chain as a command."""

import json
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "mine.py"
PIN = "739204"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from vreader.cardfile import write
    from vreader.recipe import Recipe

    path = tmp_path_factory.mktemp("card") / "my.card"
    recipe = Recipe.parse("piv").with_options({"pin": PIN}, {"slot": ["9a:rsa2048"]}, b"\1")
    write(recipe, str(path))
    return path


@pytest.fixture
def lab(cli, made, here):
    shutil.copy(made, "my.card")
    shutil.copy(EXAMPLE, "mine.py")
    cli("inf", "new", "--card", "piv", "--name", "Mine", "--vendor", "Me", "--module", "mine.dll",
        "-o", "mine.inf")  # fmt: skip

    def run(*words, dll="mine.py:Mine"):
        return cli("lab", "piv,state=my.card", "mine.inf", dll, *words)

    return run


def test_the_whole_chain(lab):
    said = lab("--pin", PIN, "--trace", "trace.jsonl")
    assert (said.code, said.err) == (0, "")
    stages = [line for line in said.out.split("\n") if line and not line.startswith(" ")]
    assert [*stages[:3], *stages[-3:-1]] == [
        "insertion", "plug and play", "driver search", "minidriver", "signature",
    ]  # fmt: skip
    assert stages[-1].startswith("verdict   a signature by AT_KEYEXCHANGE in container 0")
    events = [json.loads(line)["event"] for line in Path("trace.jsonl").read_text().splitlines()]
    assert {"PairingStep", "CardCallStarted", "CardCallEvent", "ApduEvent"} <= set(events)
    assert PIN.encode().hex() not in Path("trace.jsonl").read_text().lower()


def test_json(lab):
    said = lab("--pin", PIN, "--json")
    found = json.loads(said.out)
    assert (said.code, found["ok"], found["pairing"]["card_name"]) == (0, True, "Mine")


def test_it_ends_early_with_exit_code_1(lab):
    said = lab("--short", "--pin", PIN, dll="other.dll")
    assert said.code == 1
    assert said.out.startswith(
        r"verdict   it ends early: Windows would load C:\Windows\System32\mine.dll"
    )


def test_nonsense_is_told(lab, cli):
    said = lab("--pin", PIN, dll="mine.py:Yours")
    assert (said.code, said.out) == (2, "")
    assert "mine.py has no class Yours" in said.err
    assert "cannot read no.inf" in cli("lab", "piv", "no.inf", "mine.py:Mine").err
