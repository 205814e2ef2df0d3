# SPDX-License-Identifier: Apache-2.0
"""The prefix is made once, whoever asks at the same time; the last one ends the wineserver."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from vreader.errors import VreaderError
from vreader.minidriver.dll.wine import Prefix

WINE = """#!/bin/sh
mkdir -p "$WINEPREFIX/drive_c/windows/system32"
: > "$WINEPREFIX/drive_c/windows/system32/kernel32.dll"
"""
SERVER = """#!/bin/sh
echo "$WINEPREFIX $1" >> "{log}"
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of our own, and programs that do what Wine does as far as it is seen here."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("wine", WINE), ("wineserver", SERVER.format(log=tmp_path / "log"))):
        (programs / name).write_text(text)
        (programs / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr("vreader.minidriver.dll.wine.WINES", ("wine",))
    monkeypatch.setenv("VREADER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    return tmp_path / "cache"


def ended(cache):
    """Return the prefixes whose wineserver was ended, in order."""
    log = cache.parent / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [Path(line.split()[0]).name for line in lines if line.endswith("-k")]


def test_the_last_one_ends_the_wineserver(cache):
    first, second = Prefix(), Prefix()
    assert first.path == cache / "wine-prefix"
    made = ended(cache)
    assert len(made) == 1  # that of the making
    first.close()
    assert ended(cache) == made
    second.close()
    second.close()
    assert ended(cache) == [*made, "wine-prefix"]


def test_nobody_waits_for_the_one_who_made_it(cache):
    maker = os.open(cache / "wine-prefix.lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(maker, fcntl.LOCK_EX)
    made = []
    other = threading.Thread(target=lambda: made.append(Prefix()), daemon=True)
    other.start()
    system = cache / "wine-prefix" / "drive_c" / "windows" / "system32"
    system.mkdir(parents=True)
    (system / "kernel32.dll").touch()
    fcntl.flock(maker, fcntl.LOCK_SH)  # it is made, and the maker works with it
    other.join(20)
    assert made, "the other one waits until the maker has gone"
    made[0].close()
    assert ended(cache) == []
    os.close(maker)


def test_what_one_that_was_killed_left_goes(cache):
    (cache / "making-prefix-old" / "drive_c").mkdir(parents=True)
    Prefix().close()
    assert sorted(path.name for path in cache.iterdir()) == ["wine-prefix", "wine-prefix.lock"]


def test_a_cache_that_cannot_be_written_is_an_error_with_a_hint(cache, monkeypatch):
    monkeypatch.setenv("VREADER_CACHE", "/proc/self")  # ours, and yet nobody makes a file there
    with pytest.raises(VreaderError, match="cannot write into the cache /proc/self") as raised:
        Prefix()
    assert "VREADER_CACHE" in raised.value.hint
