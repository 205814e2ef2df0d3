# SPDX-License-Identifier: Apache-2.0
"""Loading a minidriver by its name."""

import pytest

from vreader.errors import UsageError
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.load import load_module
from vreader.winscard.profile import WINDOWS

SOURCE = """
from vreader.minidriver.module import Module

class Mine(Module):
    def CardAcquireContext(self, data, flags): ...

class Abstract(Module): ...

class Failing(Module):
    def __init__(self, api):
        raise ValueError("no\\nluck")

    def CardAcquireContext(self, data, flags): ...

class Leaving(Failing):
    def __init__(self, api):
        raise SystemExit

class Other: ...

def function(api): ...
"""


@pytest.fixture
def api():
    with Host(WINDOWS) as host:
        yield ScardApi(host)


@pytest.mark.parametrize(
    "name", ["msclmd.dll", r"%SystemRoot%\System32\MSCLMD.DLL", "a/msclmd.dll"]
)
def test_the_class_minidriver(api, name):
    assert type(load_module(name, api)) is ClassMinidriver


def test_a_class_in_a_file(api, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    module = load_module(f"{path}:Mine", api)
    assert type(module).__name__ == "Mine"
    assert module.api is api
    for name, text in (
        ("Other", "not a minidriver"),
        ("function", "not a minidriver"),
        ("Abstract", "cannot be loaded"),
        ("Failing", "Failing in .* cannot be loaded: ValueError: no luck"),
        ("Leaving", "cannot be loaded"),
        ("Missing", "no class Missing"),
    ):
        with pytest.raises(UsageError, match=text):
            load_module(f"{path}:{name}", api)


def test_a_dll_that_is_not_there(api, tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load_module(str(tmp_path / "mine.dll"), api)


@pytest.mark.parametrize("name", ["", "card.txt", "file.py", "file.py:", "file.txt:Class"])
def test_other_names(api, name):
    with pytest.raises(UsageError) as caught:
        load_module(name, api)
    assert "msclmd.dll" in caught.value.hint
