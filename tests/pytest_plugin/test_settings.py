# SPDX-License-Identifier: Apache-2.0
"""Settings of a run: the file, the environment, flags; and those that make no sense."""

import pytest

from vreader.testing.settings import OPTIONS

TEST = """
def test_it(vreader, vreader_factory):
    for world in (vreader, vreader_factory()):
        print("\\ntold:", *[f"{p.name}={p.spec.text}" for p in world.places], sep="|")
"""


@pytest.fixture
def told(pytester, monkeypatch):
    """Run a test with settings and return the readers of its world."""
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    pytester.makepyfile(TEST)

    def told(*flags):
        result = pytester.runpytest("-s", *flags)
        result.assert_outcomes(passed=1)
        first, second = (
            line.split("|")[1:] for line in result.outlines if line.startswith("told:")
        )
        assert first == second
        return first

    return told


def test_the_strongest_place_wins(told, pytester, monkeypatch):
    assert told() == ["Virtual Reader 00 00=piv"]
    pytester.makeini("""
        [pytest]
        vreader_card =
            none
            atr:3B80800101
        vreader_reader = File
    """)
    assert told() == ["File 00 00=none", "Virtual Reader 00 00=atr:3B80800101"]
    monkeypatch.setenv("VREADER_CARD", "piv,serial=7\nnone")
    monkeypatch.setenv("VREADER_PROFILE", "windows")
    assert told() == ["File 0=piv,serial=7", "Virtual Reader 0=none"]
    two = ("--vreader-reader=A", "--vreader-reader=B")
    assert told("--vreader-card", "none", *two) == ["A 0=none"]
    assert told("--vreader-profile=pcsclite", "--vreader-card=piv") == ["File 00 00=piv"]


def test_captures_are_where_the_file_says_from_anywhere(pytester, monkeypatch):
    """A flag says it from where pytest is started."""
    monkeypatch.delenv("VREADER_TRACE", raising=False)
    pytester.makeini("[pytest]\nvreader_trace = captures\n")
    sub = pytester.mkdir("sub")
    sub.joinpath("test_it.py").write_text("def test_it(vreader): assert False")
    monkeypatch.chdir(sub)
    pytester.runpytest().assert_outcomes(failed=1)
    pytester.runpytest("--vreader-trace=other").assert_outcomes(failed=1)
    found = [path.parent for path in pytester.path.rglob("*.pcapng")]
    assert sorted(found) == [pytester.path / "captures", sub / "other"]


@pytest.mark.parametrize(
    ("flag", "message", "hint"),
    [
        ("--vreader-card=pvi", "unknown card kind 'pvi'", "did you mean piv?*"),
        ("--vreader-profile=x", "unknown profile 'x'", "profiles: *"),
        ("--vreader-events=many", "vreader_events is 'many', not a number", "*"),
    ],
)
def test_settings_that_make_no_sense_end_the_run(pytester, flag, message, hint):
    pytester.makepyfile(TEST)
    result = pytester.runpytest(flag)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: vreader: {message}", f"hint: {hint}"])


def test_a_switch_that_is_neither_on_nor_off(pytester, monkeypatch):
    monkeypatch.setenv("VREADER_REQUIRE", "perhaps")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: vreader: vreader_require is 'perhaps'", "hint: *"])


@pytest.mark.parametrize(
    ("how", "outcome"),
    [("", {"skipped": 1}), ("--vreader-require", {"errors": 1}), ("ini", {"errors": 1})],
)
def test_a_stack_that_is_not_there(pytester, monkeypatch, how, outcome):
    """Without pcscd on the PATH; the fixture does not come to run it."""
    pytester.makepyfile("def test_it(vreader_pcscd): pass")
    pytester.makeconftest("""
        import vreader.bridge.vpcd.installation as installation
        installation._SBIN = ""
    """)
    monkeypatch.setenv("PATH", str(pytester.path))
    if how == "ini":
        pytester.makeini("[pytest]\nvreader_require = true\n")
    flags = [how] if how.startswith("-") else []
    result = pytester.runpytest_subprocess("-rs", "-p", "no:cacheprovider", *flags)
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines(["*pcscd is not installed*apt install pcscd vsmartcard-vpcd*"])


def test_every_setting_is_described(pytester):
    text = pytester.runpytest("--help").stdout.str()
    for option in OPTIONS:
        assert f"--vreader-{option.name}" in text
        assert f"vreader_{option.name} (" in text
