# SPDX-License-Identifier: Apache-2.0
"""The directory worlds are made in."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from vreader.privatedir import PrivateDirectory


@pytest.fixture
def directory(monkeypatch):
    path = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    monkeypatch.setenv("TMPDIR", str(path))
    yield path
    shutil.rmtree(path)


def test_this_one(look, directory):
    assert look("directory").level(f"made in {directory}") == "OK"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("/tmp/" + "x" * 80, "longer than 60 bytes"),
        ("relative", "not an absolute path"),
        ("/nowhere", "not a directory"),
    ],
)
def test_one_that_cannot_be_used(look, monkeypatch, given, why):
    monkeypatch.setenv("TMPDIR", given)
    found = look("directory")
    assert found.level(why) == "WARN"
    assert "/tmp is" in next(each.text for each in found.findings if why in each.text)
    assert found.level("made in /tmp") == "OK"


def test_one_that_cannot_be_written(look, monkeypatch):
    monkeypatch.setattr("vreader.doctor.directory.parent_directory", lambda: "/proc")
    assert look("directory").worst == "FAIL"


def test_one_that_is_full(look, monkeypatch):
    monkeypatch.setattr("vreader.doctor.directory._LEAST_BYTES", 1 << 70)
    assert look("directory").level("is full") == "FAIL"


def test_what_the_living_and_the_dead_have_there(look, directory):
    living = PrivateDirectory()
    script = "from vreader.privatedir import PrivateDirectory as P; p = P(); print(1, flush=1); "
    with subprocess.Popen(
        [sys.executable, "-c", script + "input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        other.stdout.readline()
        assert "2 running" in look("directory").findings[-1].text
        other.send_signal(signal.SIGKILL)
    found = look("directory")
    assert found.level("1 running") == "OK"
    assert found.level("1 left by killed processes") == "OK"
    living.close()


def test_a_directory_of_a_pcscd(look, directory):
    place = directory / "vreader-0123456789ab"
    place.mkdir()
    assert look("directory").worst == "OK"  # it is just being made
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "pcscd.comm"))
        listener.listen()
        assert look("directory").worst == "OK"  # it lives
    found = look("directory")
    assert found.level(str(place)) == "WARN"
    assert found.advice(str(place)) == f"rm -r {place}"
    assert place.is_dir()
