# SPDX-License-Identifier: Apache-2.0

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vreader.errors import UsageError
from vreader.testing import libpcsclite
from vreader.testing.libpcsclite import VARIABLE, LibraryLink


@pytest.fixture
def unused(monkeypatch):
    """A process that has not loaded the library."""
    monkeypatch.setattr(libpcsclite, "_is_mapped", lambda: False)
    monkeypatch.setenv(VARIABLE, "/before")


def test_one_path_for_one_world_after_the_other(unused):
    link = LibraryLink()
    assert os.environ[VARIABLE] == link.path
    assert not os.path.lexists(link.path)
    for target in ("/one", "/other"):
        link.turn_to(target)
        assert str(Path(link.path).readlink()) == target
        link.turn_away()
        assert not os.path.lexists(link.path)
    link.close()
    assert os.environ[VARIABLE] == "/before"
    assert not Path(link.path).parent.exists()


def test_two_worlds_at_a_time_are_refused(unused):
    link = LibraryLink()
    link.turn_to("/one")
    with pytest.raises(UsageError, match="one world at a time") as caught:
        link.turn_to("/other")
    assert "vreader_factory" in caught.value.hint
    assert str(Path(link.path).readlink()) == "/one"
    link.close()


def test_a_variable_that_was_not_set_is_not_set_again(unused, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    LibraryLink().close()
    assert VARIABLE not in os.environ


USED = """
import ctypes, os
from vreader.errors import VreaderError
from vreader.testing.libpcsclite import LibraryLink

def use():
    library = ctypes.CDLL("libpcsclite.so.1")
    library.SCardEstablishContext(2, None, None, ctypes.byref(ctypes.c_long()))

{before}
link = LibraryLink()
{after}
for _ in range(2):  # once more is asked again
    try:
        link.turn_to("/nowhere")
    except VreaderError as error:
        print(error, os.path.lexists(link.path))
link.close()
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [("use()", ""), ("", "os.environ['PCSCLITE_CSOCK_NAME'] = '/other'; use()")],
    ids=["before", "meanwhile"],
)
def test_a_library_that_is_there_is_asked_where_it_arrives(need, before, after):
    need("opensc-tool", "opensc")  # and with it libpcsclite
    code = USED.format(before=before, after=after)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = told.stdout.splitlines()
    assert first == second
    assert "used in this process before" in first
    assert first.endswith(" False")


def test_what_is_mapped():
    assert libpcsclite._is_mapped() == ("libpcsclite" in Path("/proc/self/maps").read_text())
