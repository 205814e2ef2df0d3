# SPDX-License-Identifier: Apache-2.0
"""Workers of pytest-xdist: each has a helper, a link, and worlds of its own."""

import tempfile
from pathlib import Path

import pytest

TEST = """
import os
import subprocess
import pytest

def name():
    program = ["opensc-tool", "--list-readers"]
    return subprocess.run(program, capture_output=True, text=True, timeout=60).stdout

@pytest.mark.parametrize("number", [
    pytest.param(n, marks=pytest.mark.vreader("piv", reader=f"Reader {n} x")) for n in range(8)
])
class TestEach:
    def test_in_process(self, vreader, number):
        assert vreader.places[0].name == f"Reader {number} x 00 00"
        vreader.remove()

    def test_embedded(self, vreader_pcsc, number):
        assert f"Reader {number} x 00 00" in name()
        assert name().count("00 00") == 1
        vreader_pcsc.remove()
        assert " Yes " not in name()

    def test_more(self, vreader_factory, number):
        worlds = [vreader_factory("none", stack=stack) for stack in ("in-process", "embedded")]
        assert len(worlds) == 2

def test_where(request, vreader_pcsc):
    from vreader.testing.session import session_of
    assert session_of(request.config).helper.pid not in (None, os.getpid())

@pytest.mark.vreader("none")
def test_pcscd(vreader_pcscd):
    assert name().count("00 00") == 1

def test_bad(vreader):
    assert False
"""


@pytest.fixture
def parent(monkeypatch):
    """Where worlds of this test have their directories, and no others."""
    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        monkeypatch.setenv("TMPDIR", directory)
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        yield Path(directory)


def test_eight_workers_do_not_disturb_each_other(pytester, need, parent):
    need("opensc-tool", "opensc")
    need("pcscd", "pcscd vsmartcard-vpcd")
    pytester.makepyfile(TEST)
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "-n", "8", "--vreader-require", "-Werror", timeout=110
    )
    result.assert_outcomes(passed=26, failed=1)
    result.stdout.fnmatch_lines(["*[[]gw*[]]*", "* vreader *", "Virtual Reader 00 00 (reader0)*"])
    assert list(parent.glob("vreader-*")) == []


def test_a_wrong_marker_is_told_by_its_test(pytester):
    """An error at collection would end the worker."""
    pytester.makepyfile("""
        import pytest
        @pytest.mark.vreader(crad="piv")
        def test_it(vreader): pass
        def test_other(): pass
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "1")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["vreader: unknown keyword 'crad'", "hint: did you mean card?*"])
