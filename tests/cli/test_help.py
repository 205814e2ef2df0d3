# SPDX-License-Identifier: Apache-2.0
"""What ``--help`` says of every command: it fits a screen, and shows how it is used."""

import re

import pytest

from vreader.cli import COMMANDS, load, overview

LINES, COLUMNS = 50, 80


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name):
    parser, _ = load(name)
    lines = parser.format_help().splitlines()
    assert len(lines) <= LINES
    assert [line for line in lines if len(line) > COLUMNS] == []
    # Of other commands too: a card kind is shown by using it.
    assert any(re.match(rf"  vreader {name}\b", line) for line in lines)


@pytest.mark.parametrize(
    "words",
    [
        *(("card", action) for action in ("new", "info", "export", "import", "reset")),
        *(("inf", action) for action in ("show", "lint", "new", "stage", "install")),
        *(("minidriver", action) for action in ("list", "call", "certify", "register")),
        *(("registry", action) for action in ("show", "import", "export")),
    ],
    ids=" ".join,
)
def test_help_of_an_action(cli, words):
    lines = cli(*words, "--help").out.splitlines()
    # A card's options are as many as it has; whoever makes one wants to see them all.
    assert len(lines) <= LINES or words == ("card", "new")
    assert any(line.startswith(f"  vreader {' '.join(words)} ") for line in lines)


def test_help_of_all():
    lines = overview().splitlines()
    assert [line for line in lines if len(line) > COLUMNS] == []
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != "-"]
    assert listed == sorted(COMMANDS) == list(COMMANDS)
