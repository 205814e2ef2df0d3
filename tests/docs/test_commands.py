# SPDX-License-Identifier: Apache-2.0
"""Every command the documentation shows works and says what the page says it does.

A fenced block of ``console`` is a session of one shell: ``$`` begins a command, the lines below it
are its output, ``...`` stands for anything (alone: for any lines), ``# exit code N`` for its exit
code if that is not 0. All blocks of a page are one session, in a directory with the examples. Of
``yaml`` blocks, the steps of a job that run vreader are commands. Blocks of other languages are not
run.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

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
}
DLL_PROGRAMS = {"wine": "wine wine64", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64"}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML_STEP = re.compile(r"- (?:run: )?(?:\S*/)?(vreader .*)")
EXIT_CODE = re.compile(r"# exit code (\d+)")
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
        elif language == "yaml":
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


def with_commands() -> list[Path]:
    pages = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [p for p in pages if "_build" not in p.parts and commands(p)]


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
    """A user's environment, our programs first in PATH."""
    kept = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "TMPDIR", "TERM")}
    scripts = str(Path(sys.executable).parent)
    return kept | {
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(directory), str(directory / "purse")]),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def run(shown: list[Command], directory: Path, environment: dict[str, str]) -> list[str]:
    """Run a session in one shell; return what each command wrote, its exit code at the end."""
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
    outputs = run(shown, directory, environment)
    for command, output in zip(shown, outputs, strict=False):
        said, _, code = output.rpartition("\n")
        said = said.strip("\n")
        assert int(code) == command.code, f"$ {command.text}\n{said}"
        expected = command.expected
        assert expected is None or matches(expected, said.split("\n") if said else []), (
            f"$ {command.text}\n{said}"
        )
    assert len(outputs) == len(shown)


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
