# SPDX-License-Identifier: Apache-2.0
"""Optional parts, there and not."""

from importlib.metadata import EntryPoint, PackageNotFoundError

import pytest

from vreader.doctor import optional


def test_this_machine(look):
    assert look("optional").level("pytest ") in ("OK", "WARN")
    assert look("optional").worst in ("OK", "NOTE", "WARN")


def test_nothing_is_there(look, monkeypatch, machine):
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(optional, "version", version)
    monkeypatch.setattr("vreader.doctor.machine._SBIN", "")
    monkeypatch.setenv("PATH", "/nowhere")
    found = look("optional", machine)
    assert {each.level.value for each in found.findings} == {"NOTE"}
    assert "pip install 'vreader[lab]'" in found.advice("jinja2, joblib, regipy, rich")
    assert "apt install tshark" in found.advice("tshark")


@pytest.mark.parametrize(
    ("value", "level", "text"),
    [
        ("vreader.errors:near", "OK", "with our plug-in"),
        ("vreader.nothing", "WARN", "cannot load our plug-in: No module named"),
        ("other.plugin", "WARN", "does not find our plug-in"),
    ],
)
def test_the_pytest_plugin(look, monkeypatch, value, level, text):
    point = EntryPoint("vreader", value, "pytest11")
    monkeypatch.setattr(optional, "entry_points", lambda group: [point])
    assert look("optional").level(text) == level
