# SPDX-License-Identifier: Apache-2.0
"""What is told of worlds when a test fails, and of tests that keep what is not theirs any more."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

FAILING = """
import pytest

def use(world):
    scard = world.scard
    context = scard.SCardEstablishContext()
    card, protocol = scard.SCardConnect(context, world.places[0].name)
    scard.SCardTransmit(card, protocol, bytes.fromhex("00A4040005A000000308"))
    scard.SCardTransmit(card, protocol, bytes.fromhex("0020008008313131313131FFFF"))

def test_good(vreader):
    use(vreader)

def test_bad(vreader):
    use(vreader)
    assert False

@pytest.fixture
def failing(vreader):
    yield
    assert False

@pytest.mark.vreader("none")
def test_bad_at_the_end(failing):
    pass
"""


def section(result, test):
    """The lines of the section about the world in the report of a test."""
    lines = result.outlines
    start = next(
        n for n, line in enumerate(lines) if f"_ {test} _" in line or f"of {test} _" in line
    )
    start = next(n for n in range(start, len(lines)) if lines[n].strip("-") == " vreader ")
    end = next(n for n in range(start + 1, len(lines)) if lines[n][:3] in ("===", "___", "---"))
    return lines[start + 1 : end]


def test_readers_cards_and_events(pytester):
    pytester.makepyfile(FAILING)
    result = pytester.runpytest("--vreader-events=3")
    result.assert_outcomes(passed=2, failed=1, errors=1)
    told = section(result, "test_bad")
    assert told[0] == "Virtual Reader 00 00 (reader0): piv, inserted, SPECIFIC"
    assert "    PIN             2 of 3 tries left" in told
    events = told[told.index("last events:") + 1 :]
    assert [line[22:26] for line in events] == ["Virt", "> 00", "< 61", "> 00", "< 63"]
    assert "VERIFY PIV PIN" in events[3]
    assert "31 31" not in result.stdout.str()
    assert section(result, "test_bad_at_the_end")[0].endswith("no card, out, ABSENT")
    assert "test_good" not in result.stdout.str()


def test_no_events(pytester):
    """Golden files do not need those of the report."""
    pytester.makepyfile(FAILING + "\ndef test_said(vreader):\n    assert vreader.said()")
    result = pytester.runpytest("--vreader-events=0")
    result.assert_outcomes(passed=3, failed=1, errors=1)
    assert "last events" not in result.stdout.str()


def test_captures_of_what_failed_are_kept(pytester):
    pytester.makepyfile(FAILING)
    result = pytester.runpytest("--vreader-trace=captures")
    told = section(result, "test_bad")
    kept = sorted((pytester.path / "captures").iterdir())
    names = ["test_bad.pcapng", "test_bad_at_the_end.pcapng"]
    assert [path.name.partition("py-")[2] for path in kept] == names
    assert f"capture: {kept[0]}" in told
    assert kept[0].read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


def test_captures_of_tests_whose_names_are_alike(pytester):
    """The one that passes takes nothing from the others."""
    pytester.makepyfile("""
        import pytest
        @pytest.mark.parametrize("text", ["a/b", "a-b", "a-b-", "a:b", "1", "x" * 200])
        def test_it(vreader, text):
            assert text == "a:b"
    """)
    result = pytester.runpytest("--vreader-trace=captures")
    told = [line for line in result.outlines if line.startswith("capture: ")]
    kept = [f"capture: {path}" for path in (pytester.path / "captures").iterdir()]
    assert sorted(told) == sorted(kept)
    assert len(set(told)) == 5
    assert sum(name.endswith("py-test_it-1.pcapng") for name in told) == 1


def test_a_directory_for_captures_that_cannot_be(pytester):
    pytester.makepyfile("def test_it(vreader): pass")
    pytester.path.joinpath("file").write_text("")
    result = pytester.runpytest("--vreader-trace=file/x")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["vreader: cannot make the directory file/x: *", "hint: *"])


def test_worlds_in_the_helper(pytester):
    """One that is used, one whose process dies: that is told, and harms no other test."""
    pytester.makepyfile("""
        import os, signal
        import pytest

        def test_bad(vreader_factory):
            vreader_factory("none", stack="embedded").insert(card="piv")
            assert False

        def test_that_loses_its_helper(vreader_pcsc, request):
            from vreader.testing.session import session_of
            os.kill(session_of(request.config).helper.pid, signal.SIGKILL)
            vreader_pcsc.remove()

        def test_that_does_not_notice(vreader_pcsc, request):
            from vreader.testing.session import session_of
            os.kill(session_of(request.config).helper.pid, signal.SIGKILL)

        def test_good(vreader_pcsc):
            assert vreader_pcsc.place().inserted
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=2, errors=1)
    told = section(result, "test_bad")
    assert told[0] == "Virtual Reader 00 00 (reader0): piv, inserted, NEGOTIABLE"
    assert any("card inserted" in line for line in told)
    ended = "vreader: the helper process that held this world has ended (killed by SIGKILL)"
    (first, second) = (n for n, line in enumerate(result.outlines) if line == ended)
    assert "of test_that_does_not_notice" in result.outlines[first - 1]
    assert result.outlines[second - 1].strip("-") == " vreader "
    assert result.outlines[second + 1].startswith("hint: ")


HOLDING = """
import ctypes
import pytest

library = ctypes.CDLL("libpcsclite.so.1")
kept = []

def establish():
    context = ctypes.c_long()
    assert library.SCardEstablishContext(2, None, None, ctypes.byref(context)) == 0
    return context

def test_that_holds(vreader_pcsc):
    kept.append(establish())

def test_that_lets_go(vreader_pcsc):
    library.SCardReleaseContext(establish())

def test_that_fails(vreader_pcsc):
    establish()
    assert False
"""


@pytest.mark.parametrize("strict", [False, True], ids=["warned", "strict"])
def test_a_context_across_worlds_is_told(pytester, need, strict):
    need("opensc-tool", "opensc")  # and with it libpcsclite
    pytester.makepyfile(HOLDING)
    flags = ["-Werror"] if strict else []
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *flags)
    outcomes = {"errors": 1} if strict else {"warnings": 1}
    result.assert_outcomes(passed=2, failed=1, **outcomes)
    said = "*test_that_holds holds a PC/SC context across worlds: *SCardReleaseContext*"
    result.stdout.fnmatch_lines([said])


def test_the_context_that_old_versions_of_pyscard_keep(pytester, need):
    """It is let go, and nobody is told; a module of pyscard's shape stands for such a version."""
    need("opensc-tool", "opensc")
    package = pytester.mkpydir("smartcard")
    (package / "pcsc").mkdir()
    (package / "pcsc" / "__init__.py").write_text("")
    (package / "scard.py").write_text("raise ImportError")
    (package / "pcsc" / "PCSCContext.py").write_text("""
import ctypes

library = ctypes.CDLL("libpcsclite.so.1")

class Singleton:
    def __init__(self):
        self.hcontext = ctypes.c_long()
        assert not library.SCardEstablishContext(2, None, None, ctypes.byref(self.hcontext))
    def releaseContext(self):
        return library.SCardReleaseContext(self.hcontext)

class PCSCContext:
    instance = None
    def __init__(self):
        if not PCSCContext.instance:
            PCSCContext.instance = Singleton()
""")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("time", range(2))
        def test_it(vreader_pcsc, time):
            from smartcard.pcsc.PCSCContext import PCSCContext
            assert PCSCContext.instance is None
            PCSCContext()
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-Werror")
    result.assert_outcomes(passed=2)


def test_a_card_that_cannot_be_closed_fails_its_test_alone(pytester):
    pytester.makepyfile(card="""
        class Card:
            def power_on(self): return bytes.fromhex("3B80800101")
            reset = power_on
            def power_off(self): pass
            def transmit(self, c_apdu): return b"\\x90\\0"
            def close(self): raise RuntimeError("cannot close")
    """)  # fmt: skip
    pytester.makepyfile("""
        import pytest

        @pytest.mark.vreader("card.py:Card")
        def test_bad(vreader): pass

        def test_good(vreader): pass
    """)
    result = pytester.runpytest()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*RuntimeError: cannot close"])


def test_a_forked_child_that_ends_as_tests_do_harms_nobody(pytester, need):
    need("opensc-tool", "opensc")
    pytester.makepyfile("""
        import os, subprocess, sys

        def test_that_forks(vreader_pcsc, vreader):
            child = os.fork()
            if not child:
                sys.exit(1)
            os.waitpid(child, 0)
            assert vreader_pcsc.place().inserted

        def test_good(vreader_pcsc):
            subprocess.run(["opensc-tool", "--reader", "0", "--atr"], check=True)
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert " 2 passed in" in result.outlines[-1]


def test_a_test_that_is_run_again_has_worlds_of_its_own(pytester):
    """Plugins that do it go about it as this one."""
    pytester.makeconftest("""
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, log=False, nextitem=nextitem)
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            runtestprotocol(item, nextitem=nextitem)
            return True
    """)
    pytester.makepyfile("""
        seen = []

        def test_it(vreader, vreader_pcsc):
            seen.append(vreader)
            assert vreader_pcsc.place().inserted
            assert len(seen) == 2
            assert not seen[0].places[0].inserted
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)


def test_the_hint_of_an_error_within_a_test_is_told(pytester):
    pytester.makepyfile("def test_it(vreader_factory): vreader_factory('pvi')")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["E *unknown card kind 'pvi'", "E *hint: did you mean piv?*"])


def test_a_run_that_is_killed_leaves_no_world(pytester):
    pytester.makepyfile("""
        import time
        def test_it(vreader_pcsc, request):
            from vreader.testing.session import session_of
            helper = session_of(request.config).helper
            print("told:", helper.pid, vreader_pcsc.directory, flush=True)
            time.sleep(60)
    """)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider"]
    with pytester.popen(command, stdout=subprocess.PIPE) as run:
        told = next(line for line in run.stdout if b"told:" in line)
        pid, directory = told.decode().partition("told:")[2].split()
        assert Path(directory, "pcscd.comm").is_socket()
        run.kill()
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not Path(directory).exists()
