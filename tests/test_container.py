# SPDX-License-Identifier: Apache-2.0
"""Containerfile: every instruction is understood, and what it promises holds.

It is built for real, which takes root and a minute, by ``make image``.
"""

import json
import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
KNOWN = {
    "ARG", "FROM", "COPY", "RUN", "ENV", "USER", "WORKDIR", "VOLUME", "HEALTHCHECK", "ENTRYPOINT",
    "CMD",
}  # fmt: skip


class Instruction(NamedTuple):
    name: str
    words: str


def instructions(text: str) -> list[Instruction]:
    """Parse a Containerfile: comments away, lines that end in a backslash joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    assert all(len(each) == 2 for each in found)
    return [Instruction(*each) for each in found]


@pytest.fixture(scope="module")
def file() -> list[Instruction]:
    return instructions((ROOT / "Containerfile").read_text())


def only(file: list[Instruction], name: str) -> str:
    """The words of an instruction that is there once."""
    (words,) = (each.words for each in file if each.name == name)
    return words


def test_every_instruction_is_known(file):
    assert {each.name for each in file} <= KNOWN
    assert [each.name for each in file][:2] == ["ARG", "FROM"]


def test_the_base_has_a_version(file):
    bases = dict(each.words.split("=") for each in file if each.name == "ARG")
    for each in file:
        if each.name == "FROM":
            image = re.sub(r"\$\{(\w+)\}", lambda found: bases[found[1]], each.words.split()[0])
            name, _, tag = image.partition(":")
            assert name == "python"
            assert re.fullmatch(r"3\.\d+-slim-\w+", tag)


def test_nobody_is_root(file):
    user = only(file, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    uid = user.split(":")[0]
    assert any(f"useradd --uid {uid} " in each.words for each in file if each.name == "RUN")
    after = file[[each.name for each in file].index("USER") :]
    assert "RUN" not in {each.name for each in after}


def test_lists_are_not_left_in_the_image(file):
    for each in file:
        if "apt-get install" in each.words:
            assert "--no-install-recommends" in each.words
            assert each.words.endswith("rm -rf /var/lib/apt/lists/*")
        if "pip install" in each.words:
            assert "--no-cache-dir" in each.words


def test_run_lines_are_shell(file):
    for each in file:
        if each.name == "RUN":
            subprocess.run(["sh", "-n", "-c", each.words], check=True)


def test_what_is_copied_is_not_ignored(file):
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    taken = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        word
        for each in file
        if each.name == "COPY" and not each.words.startswith("--from")
        for word in each.words.split()[:-1]
    }
    assert copied == taken
    assert all((ROOT / name).exists() for name in taken)
    # The wheel is made of them alone.
    project = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r"^(?:packages|readme|license-files) = (.*)$", project, re.MULTILINE):
        for part in re.findall(r'"([^"]+)"', name):
            assert any(fnmatch(one, part) for one in copied), part


def test_the_world_is_healthy_when_it_is_ready(file, vreader, tmp_path):
    """Entry point, command and health check with the volume elsewhere."""
    (volume,) = shlex.split(only(file, "VOLUME"))
    started = json.loads(only(file, "ENTRYPOINT")) + json.loads(only(file, "CMD"))
    assert started[0] == "vreader"
    environment = dict(word.split("=", 1) for word in shlex.split(only(file, "ENV")))
    assert environment["TMPDIR"] == environment["HOME"] == volume
    timing, _, check = only(file, "HEALTHCHECK").partition("CMD ")
    assert re.fullmatch(r"(--(interval|timeout|start-period)=\d+s +){3}", timing)

    here = str(tmp_path)
    program = " ".join(map(shlex.quote, vreader))
    function = f'vreader() {{ {program} "$@"; }}; '
    healthy = ["sh", "-c", function + check.replace(volume, here)]
    assert subprocess.run(healthy, capture_output=True, timeout=60).returncode != 0
    server = subprocess.Popen(
        [*vreader, *(word.replace(volume, here) for word in started[1:])],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout.readline().startswith("vreader: ready")
        said = subprocess.run(healthy, capture_output=True, text=True, timeout=60)
        assert (said.returncode, said.stdout.split("\t")[2]) == (0, "inserted")
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert subprocess.run(healthy, capture_output=True, timeout=60).returncode != 0
