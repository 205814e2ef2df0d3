# SPDX-License-Identifier: Apache-2.0
"""Plays a job of GitHub Actions: its shell steps, and the files by which they pass things on.

What it knows of expressions is what our action uses: ``inputs.NAME``, ``steps.ID.outputs.NAME`` and
``!=`` with a string.
"""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
TIME_LIMIT_S = 110


class StepFailedError(Exception):
    """A step returned another exit code than 0; the text is what it said."""


class Job:
    """A runner of our own.

    Args:
        directory: where it has its workspace and its files.
        environment: what its machine has.
    """

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.workspace = directory / "workspace"
        self._temp = directory / "temp"
        self._environment = dict(environment)
        self._groups: list[int] = []
        for each in (self.workspace, self._temp):
            each.mkdir(exist_ok=True)

    def play(self, action: Path, inputs: dict[str, Any] | None = None) -> str:
        """Run a composite action; return what it said."""
        described = yaml.safe_load((action / "action.yml").read_text())
        given = {name: one.get("default", "") for name, one in described["inputs"].items()}
        unknown = (inputs or {}).keys() - given.keys()
        assert not unknown, f"unknown inputs: {unknown}"
        known = {f"inputs.{name}": str(value) for name, value in (given | (inputs or {})).items()}
        said = ""
        for step in described["runs"]["steps"]:
            if not self._wanted(step.get("if", "true"), known):
                continue
            more = {name: _filled(text, known) for name, text in step.get("env", {}).items()}
            more["GITHUB_ACTION_PATH"] = str(action)
            output, outputs = self._run(step["run"], step["shell"], more)
            said += output
            for name, value in outputs.items():
                known[f"steps.{step.get('id')}.outputs.{name}"] = value
        for one in described["outputs"].values():
            assert _filled(one["value"], known)
        return said

    def run(self, text: str) -> str:
        """Run one of the job's own steps."""
        return self._run(text, "bash", {})[0]

    def end(self) -> None:
        """End what the steps left running, as the runner does."""
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue  # nothing was left

    def _wanted(self, condition: str, known: dict[str, str]) -> bool:
        left, _, right = condition.partition(" != ")
        return not right or known[left] != right.strip("'")

    def _run(self, text: str, shell: str, more: dict[str, str]) -> tuple[str, dict[str, str]]:
        passed = {
            name: self._temp / name for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT")
        }
        for path in passed.values():
            path.write_text("")
        script, output = self._temp / "step.sh", self._temp / "said"
        script.write_text(text)
        environment = self._environment | more | {name: str(path) for name, path in passed.items()}
        # Into a file: whoever is left running in the background holds it open, and we do not wait.
        with output.open("w") as file:
            process = subprocess.Popen(
                [*SHELLS[shell], str(script)],
                cwd=self.workspace,
                env=environment | {"RUNNER_TEMP": str(self._temp)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._groups.append(process.pid)
        try:
            code = process.wait(TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"a step did not end:\n{text}\n{output.read_text()}")
        if code:
            raise StepFailedError(f"exit code {code}: {output.read_text()}")
        self._environment |= _assignments(passed["GITHUB_ENV"])
        for line in passed["GITHUB_PATH"].read_text().splitlines():
            self._environment["PATH"] = line + os.pathsep + self._environment["PATH"]
        return output.read_text(), _assignments(passed["GITHUB_OUTPUT"])


def _assignments(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _filled(text: str, known: dict[str, str]) -> str:
    return EXPRESSION.sub(lambda found: known[found[1]], text)
