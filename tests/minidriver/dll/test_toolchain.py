# SPDX-License-Identifier: Apache-2.0
"""What is missing is said with a hint, what is compiled is kept, the cache is private."""

import stat

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
