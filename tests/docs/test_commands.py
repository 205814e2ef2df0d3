# SPDX-License-Identifier: Apache-2.0
"""Every command the documentation shows works and says what the page says it does.

The directory has the examples in it. Projects with a README of their own: tests/examples.
"""

import os
import shutil
from pathlib import Path

import pytest
from shell_session import commands, matches, play, user_environment

from vreader.bridge.vpcd.installation import TWIN, VPCD, SlotDriver, find_installation
from vreader.errors import VreaderError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROGRAMS = {
    "opensc-tool": "opensc",
    "pkcs11-tool": "opensc",
    "pkcs15-tool": "opensc",
    "yubico-piv-tool": "yubico-piv-tool",
    "openssl": "openssl",
    "ssh-keygen": "openssh-client",
    "vicc": "vsmartcard-vpicc",
    "tshark": "tshark",
}
DLL_PROGRAMS = {"wine": "wine wine64", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64"}


def with_commands() -> list[Path]:
    pages = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    other = {"_build", "examples"}
    return [p for p in pages if not other.intersection(p.parts) and commands(p)]


@pytest.fixture
def directory(tmp_path):
    """A directory with the examples, the purse installed as pip would do it."""
    shutil.copytree(DOCS / "examples", tmp_path, dirs_exist_ok=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "examples").symlink_to(tmp_path)  # as README sees them, in a checkout
    metadata = tmp_path / "vreader_purse-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: vreader-purse\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[vreader.cards]\npurse = purse:KIND\n")
    return tmp_path


@pytest.fixture
def environment(directory):
    return user_environment(PYTHONPATH=os.pathsep.join([str(directory), str(directory / "purse")]))


@pytest.mark.clients
@pytest.mark.parametrize("page", with_commands(), ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_page_shows(page, directory, environment, need):
    shown = commands(page)
    for program, package in PROGRAMS.items():
        if any(program in command.text for command in shown):
            need(program, package)
    if any("sample_dll" in command.text for command in shown):
        for program, package in DLL_PROGRAMS.items():
            need(program, package)
    for stack, driver in (("pcscd", VPCD), ("twin", TWIN)):
        if any(f"--stack {stack}" in command.text for command in shown):
            need_pcscd(driver)
    play(shown, directory, environment)


def need_pcscd(driver: SlotDriver) -> None:
    try:
        find_installation(wanted=driver)
    except VreaderError as error:
        reason = f"{error}: {error.hint}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def test_tutorial_and_how_tos_have_commands():
    pages = {path.name for path in with_commands()}
    assert {"README.md", "tutorial.md", "ci.md", "write-a-card.md"} <= pages


def test_steps_of_both_kinds_of_jobs_are_commands():
    shown = [one.text for one in commands(DOCS / "howto" / "test-your-minidriver.md")]
    certified = [text for text in shown if text.startswith("vreader minidriver certify --card")]
    assert {"mine.py:Mine", "build/mine.dll"} == {
        text.split("--dll ")[1].split()[0] for text in certified
    }
    assert sum("lab piv" in text and "build/mine.dll" in text for text in shown) == 2


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ([], [], True),
        (["a"], [], False),
        (["a  b"], ["a\tb"], True),
        (["..."], [], True),
        (["...", "z"], ["x", "y", "z"], True),
        (["...", "z"], ["x", "z", "y"], False),
        (["a ... c"], ["a b c"], True),
        (["a ... c"], ["a b d"], False),
    ],
)
def test_the_comparison_itself(expected, actual, same):
    assert matches(expected, actual) is same
