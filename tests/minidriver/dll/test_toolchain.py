# SPDX-License-Identifier: Apache-2.0
"""What is missing is said with a hint, what is compiled is kept, the cache is private."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vreader.errors import UsageError, VreaderError
from vreader.minidriver.dll.toolchain import Program, build, cache_directory, made_headers
from vreader.minidriver.dll.wine import find_wine


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VREADER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_mingw_and_wine_a_hint_says_what_to_install(own_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError) as raised:
        build()
    assert raised.value.hint == "apt install gcc-mingw-w64-x86-64"
    with pytest.raises(UsageError) as raised:
        find_wine()
    assert raised.value.hint == "apt install wine64 wine"


def test_the_cache_is_private(own_cache):
    assert cache_directory() == own_cache
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700


def test_a_cache_that_cannot_be_made_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VREADER_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(VreaderError, match="cannot make the cache") as raised:
        cache_directory()
    assert "VREADER_CACHE" in raised.value.hint


def test_a_cache_that_cannot_be_written_is_an_error(monkeypatch, need):
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    monkeypatch.setenv("VREADER_CACHE", "/proc/self")  # ours, and yet nobody makes a file there
    with pytest.raises(VreaderError, match="cannot write into the cache /proc/self") as raised:
        build(Program("x.dll", "x.c", ("-shared",)), extra={"x.c": b"int x;\n"})
    assert "VREADER_CACHE" in raised.value.hint


def test_what_is_missing_in_the_cache_is_compiled_again(own_cache, need):
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    source = {"x.c": b"int x;\n"}
    program = Program("x.dll", "x.c", ("-shared",))
    made = build(program, extra=source) / "x.dll"
    made.unlink()
    assert build(program, extra=source) == made.parent
    assert made.exists()


def test_two_at_once_compile_the_same(own_cache, need):
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    code = (
        "from vreader.minidriver.dll.toolchain import *\n"
        "program = Program('x.dll', 'x.c', ('-shared',))\n"
        "print(build(program, extra={'x.c': b'int x;\\n'}))\n"
    )
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [one.communicate(timeout=60)[0].strip() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert told[0] == told[1]
    assert [path.name for path in own_cache.iterdir()] == [Path(told[0]).name]


def test_compiled_once_for_each_source(own_cache, need):
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    program = Program("x.dll", "x.c", ("-shared",))
    made = build(program, extra={"x.c": b"int x(void) { return 1; }\n"})
    first = (made / "x.dll").stat()
    assert build(program, extra={"x.c": b"int x(void) { return 1; }\n"}) == made
    assert (made / "x.dll").stat() == first
    assert build(program, extra={"x.c": b"int x(void) { return 2; }\n"}) != made
    with pytest.raises(VreaderError, match=r"cannot compile x\.c: x\.c:1:"):
        build(program, extra={"x.c": b"nonsense\n"})
    assert [path.name for path in own_cache.iterdir() if not path.name.startswith("mingw-")] == []


def test_headers_are_made_of_our_tables():
    made = made_headers()
    assert '{"hScard", ' in made["members.h"]
    assert "F_SCardTransmit," in made["functions.h"]
    assert "pfnCardSignData;" in made["minidriver.h"]
