# SPDX-License-Identifier: Apache-2.0
"""What a page shows of a terminal, run as one would type it.

A fenced block of ``console`` is a session of one shell: ``$`` begins a command, the lines below it
are its output, ``...`` stands for anything (alone: for any lines), ``# exit code N`` for its exit
code if that is not 0. All blocks of a page are one session. Of ``yaml`` blocks, the steps of a job
that run vreader are commands; jobs with the action of this project are run by tests/test_action.py.
Blocks of other languages are not run.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML_STEP = re.compile(r"- (?:run: )?(?:\S*/)?(vreader .*)")
EXIT_CODE = re.compile(r"# exit code (\d+)")
ACTION = "uses: ./third_party/vreader"
TIME_LIMIT_S = 60


class Command(NamedTuple):
    text: str
    expected: list[str] | None
    code: int


def commands(page: Path) -> list[Command]:
    found = []
    for language, body in FENCE.findall(page.read_text()):
        if language == "console":
            found += session(body)
        elif language == "yaml" and ACTION not in body:
            found += [Command(text, None, 0) for text in YAML_STEP.findall(body)]
    return found


def session(body: str) -> list[Command]:
    found = []
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        text, *output = part.rstrip("\n").split("\n")
        while text.endswith("\\"):
            text += "\n" + output.pop(0)
        code = 0
        if output and (match := EXIT_CODE.fullmatch(output[-1])):
            code = int(match[1])
            output.pop()
        found.append(Command(text, output, code))
    return found


def matches(expected: list[str], actual: list[str]) -> bool:
    """Compare line by line; runs of blanks are equal."""
    if not expected:
        return not actual
    if expected[0].strip() == "...":
        rest = expected[1:]
        return any(matches(rest, actual[skip:]) for skip in range(len(actual) + 1))
    return (
        bool(actual) and line_matches(expected[0], actual[0]) and matches(expected[1:], actual[1:])
    )


def line_matches(expected: str, actual: str) -> bool:
    pieces = [re.escape(piece) for piece in " ".join(expected.split()).split("...")]
    return re.fullmatch(".*".join(pieces), " ".join(actual.split())) is not None


def user_environment(**more: str) -> dict[str, str]:
    """A user's environment, our programs first in PATH."""
    kept = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "TMPDIR", "TERM")}
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    return kept | {"PATH": path, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"} | more


def play(shown: list[Command], directory: Path, environment: Mapping[str, str]) -> None:
    """Run a session in one shell; fail with the first command that did not do what is shown."""
    outputs = _run(shown, directory, environment)
    for command, output in zip(shown, outputs, strict=False):
        said, _, code = output.rpartition("\n")
        said = said.strip("\n")
        assert int(code) == command.code, f"$ {command.text}\n{said}"
        expected = command.expected
        assert expected is None or matches(expected, said.split("\n") if said else []), (
            f"$ {command.text}\n{said}"
        )
    assert len(outputs) == len(shown)


def _run(shown: list[Command], directory: Path, environment: Mapping[str, str]) -> list[str]:
    """Return what each command wrote, its exit code at the end."""
    script = "exec 2>&1\n" + "".join(
        f"{command.text}\nprintf '\\n%s\\036' \"$?\"\n" for command in shown
    )
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = shell.communicate(timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)  # a group of our own making
        output, _ = shell.communicate()
        pytest.fail(f"the session did not end; so far:\n{output}")
    return output.split("\036")[:-1]
