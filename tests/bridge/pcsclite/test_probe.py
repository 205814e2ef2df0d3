# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from missing import missing

from vreader.bridge.pcsclite import probe
from vreader.bridge.pcsclite.probe import SlotProbe, probe_reader_slots
from vreader.errors import UsageError

# What a libpcsclite does that was built for SLOTS readers and speaks 4.MINOR.
FAKE = r"""
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd;

static void get(void *to, size_t size) {
    for (size_t have = 0; have < size;) {
        ssize_t n = read(fd, (char *)to + have, size - have);
        if (n <= 0) _exit(3);
        have += n;
    }
}

static void put(const void *from, size_t size) {
    if (write(fd, from, size) != (ssize_t)size) _exit(4);
}

long SCardEstablishContext(unsigned long scope, const void *a, const void *b, long *context) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, getenv("PCSCLITE_CSOCK_NAME"), sizeof address.sun_path - 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) _exit(5);
    uint32_t version[] = {12, 0x11, 4, MINOR, 0}, reply[3];
    for (;;) {
        put(version, 8);
        put(version + 2, 12);
        get(reply, 12);
        if (!reply[2] || version[3] == reply[1]) break;
        version[3] = reply[1];
    }
    uint32_t establish[] = {12, 1, (uint32_t)scope, 0, 0};
    put(establish, 8);
    put(establish + 2, 12);
    get(reply, 12);
    *context = reply[1];
    return 0;
}

long SCardListReaders(long context, const char *groups, char *readers, unsigned long *length) {
    static char states[SLOTS * 184 + ODD];
    uint32_t request[] = {0, 0x12};
    put(request, 8);
    get(states, sizeof states);
#ifdef HANG
    pause();
#endif
    return 0x8010002E;
}
"""


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        missing("needs a C compiler: apt-get install gcc")

    def build(slots=16, minor=4, *flags, odd=0):
        directory = tmp_path_factory.mktemp("library")
        source, library = directory / "fake.c", directory / "libpcsclite.so.1"
        source.write_text(FAKE)
        subprocess.run(
            [compiler, "-shared", "-fPIC", f"-DSLOTS={slots}", f"-DMINOR={minor}", f"-DODD={odd}",
             *flags, "-o", library, source],
            check=True,
        )  # fmt: skip
        return str(library)

    return build


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(probe.OVERRIDE, raising=False)
    monkeypatch.setattr(probe, "TIME_LIMIT_S", 30.0)  # a busy machine is no failure
    return tmp_path / "cache" / "vreader" / "reader-slots.json"


def never_asked(path):
    raise AssertionError(f"{path} was asked again")


@pytest.mark.parametrize("slots", [1, 16, 48, 511, 512])
def test_the_number_compiled_in_is_found(build, slots):
    library = build(slots)
    assert probe_reader_slots(library) == SlotProbe(slots, 4, library)


def test_the_version_is_told(build):
    assert probe_reader_slots(build(48, 5))[:2] == (48, 5)


@pytest.mark.parametrize("minor", [6, 7])
def test_a_library_that_asks_for_the_number_needs_none(build, minor):
    assert probe_reader_slots(build(48, minor))[:2] == (16, minor)


def test_the_installed_library():
    if probe._find_library() is None:
        missing("needs libpcsclite1")
    found = probe_reader_slots()
    assert found.slots >= 16
    assert found.minor >= 4
    assert Path(found.library).name.startswith("libpcsclite.so.1")


def test_an_answer_is_remembered_until_the_library_changes(build, cache, monkeypatch):
    library = build(48)
    found = probe_reader_slots(library)
    assert cache.parent.stat().st_mode & 0o777 == 0o700
    with monkeypatch.context() as patch:
        patch.setattr(probe, "_ask_library", never_asked)
        assert probe_reader_slots(library) == found
        os.utime(library, ns=(1, 1))
        with pytest.raises(AssertionError, match="asked again"):
            probe_reader_slots(library)


def test_a_link_to_the_library_is_the_library(build, tmp_path, monkeypatch):
    library = build(48)
    found = probe_reader_slots(library)
    link = tmp_path / "link"
    link.symlink_to(library)
    monkeypatch.setattr(probe, "_ask_library", never_asked)
    assert probe_reader_slots(str(link)) == found


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"null", b"{}", b'{"library": 1}',
     b'{"library": ["%s", %d, %d], "slots": 0, "minor": 4}',
     b'{"library": ["%s", %d, %d], "slots": "48", "minor": 4}'],
)  # fmt: skip
def test_a_spoilt_memory_is_replaced(build, cache, content):
    library = build(48)
    if b"%s" in content:
        path, mtime, size = probe._key(library)
        content %= (path.encode(), mtime, size)
    cache.parent.mkdir(parents=True)
    cache.write_bytes(content)
    assert probe_reader_slots(library).slots == 48
    assert b"48" in cache.read_bytes()


def test_a_home_that_cannot_be_written_is_no_obstacle(build, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert probe_reader_slots(build(48)).slots == 48


def test_a_relative_cache_directory_is_ignored(build, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    probe_reader_slots(build(48))
    assert (tmp_path / ".cache/vreader/reader-slots.json").exists()


def test_without_a_library_it_is_sixteen(tmp_path):
    assert probe_reader_slots(str(tmp_path / "libpcsclite.so.1")) == SlotProbe(16)


def test_what_is_no_library(tmp_path, cache):
    (tmp_path / "libpcsclite.so.1").write_bytes(b"not a library")
    assert probe_reader_slots(str(tmp_path / "libpcsclite.so.1")) == SlotProbe(16)
    assert not cache.exists(), "a failure may be gone next time"


def test_a_library_that_reads_a_broken_record(build):
    assert probe_reader_slots(build(16, odd=1)) == SlotProbe(16)


def test_a_library_that_hangs(build, monkeypatch):
    monkeypatch.setattr(probe, "TIME_LIMIT_S", 0.3)
    assert probe_reader_slots(build(48, 4, "-DHANG")) == SlotProbe(16)


def test_without_an_interpreter(build, monkeypatch):
    library = build(48)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert probe_reader_slots(library) == SlotProbe(16)


def test_the_environment_decides(monkeypatch):
    monkeypatch.setattr(probe, "_ask_library", never_asked)
    monkeypatch.setenv(probe.OVERRIDE, "48")
    assert probe_reader_slots() == SlotProbe(48)


@pytest.mark.parametrize("text", ["0", "513", "-1", "x", "1.5", "²", "9" * 5000])
def test_an_environment_that_makes_no_sense(monkeypatch, text):
    monkeypatch.setenv(probe.OVERRIDE, text)
    with pytest.raises(UsageError, match="from 1 to 512") as caught:
        probe_reader_slots()
    assert caught.value.hint


def test_nothing_is_left_behind(build, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        assert probe._ask_library(build(48)).slots == 48
        assert list(Path(place).iterdir()) == []


def test_a_long_temporary_directory_is_no_obstacle(build, tmp_path, monkeypatch):
    place = tmp_path / ("x" * 100)
    place.mkdir()
    library = build(48)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert probe_reader_slots(library).slots == 48
