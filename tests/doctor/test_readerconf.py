# SPDX-License-Identifier: Apache-2.0
"""Entries of reader.conf, good ones and bad ones."""

import pytest

OLD, NEW = "/lib/libifdvpcd.so.0.8", "/lib/libifdvpcd.so.0.10"
GOOD = f"""
# a comment
FRIENDLYNAME "Virtual PCD"
DEVICENAME   /dev/null:0x8C7B
LIBPATH      {OLD}
CHANNELID    0x8C7B
"""


@pytest.fixture
def written(machine, look):
    """Write files of the configuration and look at them."""
    (machine.root / "lib").mkdir()
    for library in (OLD, NEW, "/lib/libccidtwin.so"):
        machine.path(library).write_text("")
    directory = machine.path("/etc/reader.conf.d")
    directory.mkdir(parents=True)

    def write(*texts: str):
        for number, text in enumerate(texts):
            (directory / f"file{number}").write_text(text)
        return look("reader.conf", machine)

    return write


def test_a_good_one(written):
    assert written(GOOD).level("'Virtual PCD' is libifdvpcd.so.0.8, port 35963") == "OK"


def test_another_driver(written):
    twin = GOOD.replace(OLD, "/lib/libccidtwin.so").replace("/dev/null:0x8C7B", "/dev/ttyS0")
    found = written(twin)
    assert found.level("libccidtwin.so") == "OK"
    assert "port" not in found.findings[0].text


def test_two_with_one_library(written):
    found = written(GOOD, GOOD.replace("8C7B", "8C7D"))
    assert [each.level.value for each in found.findings] == ["WARN", "WARN"]
    assert "share" in found.findings[0].text
    assert "copy" in found.findings[0].advice


@pytest.mark.parametrize(("library", "level"), [(OLD, "WARN"), (NEW, "OK")])
def test_one_that_dials(written, library, level):
    text = GOOD.replace("/dev/null:0x8C7B", "localhost:35963").replace(OLD, library)
    assert written(text).level("dial") == level


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("LIBPATH", "LIBPAHT", "line 5: 'LIBPAHT      /lib/libifdvpcd.so.0.8' is no entry"),
        (f"LIBPATH      {OLD}\n", "", "line 3: LIBPATH missing"),
        (OLD, "/lib/gone.so", "there is no /lib/gone.so"),
        ('"Virtual PCD"', '"Virtual PCD', "line 3: 'FRIENDLYNAME \"Virtual PCD' is no entry"),
    ],
)
def test_what_is_wrong(written, old, new, problem):
    assert written(GOOD.replace(old, new)).level(problem) == "WARN"


def test_none(look, machine, program):
    program("pcscd", "")
    assert look("reader.conf", machine).level("no entries in /etc/reader.conf.d") == "NOTE"
