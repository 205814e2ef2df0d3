# SPDX-License-Identifier: Apache-2.0
"""Each example project does, away from home, what its README shows, and leaves nothing running."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from shell_session import commands, play, user_environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PROJECTS = sorted(page.parent for page in EXAMPLES.glob("*/README.md"))
INSTALL = re.compile(r"apt-get install ((?:.*\\\n)*.*)")
MAKEFILE = (ROOT / "Makefile").read_text()
# In every Debian, or asked for by the environment the tests themselves are run in.
EVERYWHERE = {"make"}
PATIENCE_S = 10.0


def packages(project: Path) -> set[str]:
    """Debian's packages that a README asks for."""
    found = INSTALL.findall((project / "README.md").read_text())
    return {
        word for words in found for word in words.replace("\\\n", " ").split() if word[0] != "-"
    }


def missing(wanted: set[str]) -> list[str]:
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted]
    said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    there = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    return sorted(wanted - there)


@pytest.fixture
def needed(project, need):
    need("dpkg-query", "dpkg")
    if absent := missing(packages(project)):
        reason = f"apt install {' '.join(absent)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def left_running(mark: str) -> list[str]:
    """Command lines of living processes that have inherited a mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


@pytest.mark.clients
@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_project(project, needed, tmp_path):
    copy = shutil.copytree(
        project,
        tmp_path / project.name,
        ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"),
    )
    mark = f"VREADER_EXAMPLE={tmp_path}"
    with tempfile.TemporaryDirectory() as short:  # sockets are in it, whose paths must be short
        environment = user_environment(VREADER_EXAMPLE=str(tmp_path), TMPDIR=short)
        play(commands(copy / "README.md"), copy, environment)
        # gpg-agent ends soon after it has been told.
        deadline = time.monotonic() + PATIENCE_S
        while (left := left_running(mark)) and time.monotonic() < deadline:
            os.sched_yield()
        assert not left
        assert not list(Path(short).iterdir())


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_what_it_needs_the_tests_install(project):
    listed = re.search(r"^TEST_PACKAGES := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)
    assert packages(project) <= {*listed[1].replace("\\\n", " ").split(), *EVERYWHERE}


def test_projects_are_of_every_kind():
    assert {project.name for project in PROJECTS} >= {
        "gnupg",
        "minidriver-pairing",
        "openssh-login",
        "pkcs11-c",
        "pkcs11-python",
        "pyscard-app",
        "tls-client-certificate",
    }


def test_each_is_listed():
    page = (ROOT / "docs" / "howto" / "examples.md").read_text()
    assert [
        project.name for project in PROJECTS if f"examples/{project.name}/README" not in page
    ] == []
