# SPDX-License-Identifier: Apache-2.0
"""A full run fails for a row that no test has proven; a part of the suite is not judged."""

import subprocess
import sys
from pathlib import Path

import pytest

INI = """
[pytest]
testpaths = here
markers = wdk(*ids)
"""
CONFTEST = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from wdk_rows import WdkRows

def pytest_configure(config):
    config.pluginmanager.register(WdkRows(config))
"""
SUITE = """
import pytest

@pytest.mark.wdk("passes")
def test_good(): pass

@pytest.mark.wdk("skipped-once", "skipped")
def test_skipped(): pytest.skip("no reader")

@pytest.mark.wdk("skipped-once")
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.wdk("one-case"))])
def test_cases(x): pass
"""
BROKEN = """
@pytest.mark.wdk("passes")
def test_bad(): assert False
"""


def run(folder: Path, suite: str, *arguments: str) -> tuple[int, str]:
    (folder / "here").mkdir()
    (folder / "pytest.ini").write_text(INI)
    (folder / "here" / "conftest.py").write_text(CONFTEST)
    (folder / "here" / "test_suite.py").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def named(output: str) -> set[str]:
    lines = output.splitlines()
    return {line for line in lines if line in ("passes", "skipped", "skipped-once", "one-case")}


def test_a_row_whose_only_test_is_skipped_fails_a_full_run(tmp_path):
    code, output = run(tmp_path, SUITE)
    assert code == 1
    assert named(output) == {"skipped"}


def test_a_row_with_a_failed_test_is_not_proven_by_another(tmp_path):
    code, output = run(tmp_path, SUITE + BROKEN)
    assert code == 1
    assert named(output) == {"skipped", "passes"}


@pytest.mark.parametrize("part", [("-k", "skipped"), ("here",), ("--collect-only",)])
def test_a_part_is_not_judged(tmp_path, part):
    code, output = run(tmp_path, SUITE, *part)
    assert code == 0
    assert not named(output)
