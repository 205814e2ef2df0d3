# SPDX-License-Identifier: Apache-2.0
"""Running one check, and machines that are not this one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vreader.doctor import CHECKS, Finding, Level
from vreader.doctor.check import run_all
from vreader.doctor.machine import Machine


class Found:
    """What a check found, to be searched."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def level(self, part: str) -> str:
        """Return the level of the one finding whose text holds ``part``."""
        (found,) = [each for each in self.findings if part in each.text] or [self.findings]
        assert isinstance(found, Finding), (part, found)
        assert found.advice or found.level in (Level.OK, Level.NOTE), found
        return found.level.value

    def advice(self, part: str) -> str:
        (found,) = [each for each in self.findings if part in each.text]
        return found.advice

    @property
    def worst(self) -> str:
        order = list(Level)
        return max(self.findings, key=lambda each: order.index(each.level)).level.value


@pytest.fixture
def look() -> Callable[..., Found]:
    """Run a check by name, on this machine or on a made-up one."""

    def run(name: str, machine: Machine | None = None) -> Found:
        return Found(run_all([CHECKS[name]], machine or Machine()))

    return run


@pytest.fixture(autouse=True)
def plain(monkeypatch) -> None:
    """No world around, no directory of the user's."""
    for name in ("PCSCLITE_CSOCK_NAME", "VREADER_CONTROL", "XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with nothing on it but its processes; its files are below ``machine.root``."""
    (tmp_path / "proc").symlink_to("/proc")
    return Machine(tmp_path)


@pytest.fixture
def program(tmp_path: Path, monkeypatch) -> Callable[[str, str], Path]:
    """Put a shell script where programs are found first."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")

    def make(name: str, script: str) -> Path:
        path = directory / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make
