# SPDX-License-Identifier: Apache-2.0
"""The default stack, tried."""


def test_it_works(look):
    assert look("embedded").level("a world works") == "OK"


def test_it_does_not(look, monkeypatch):
    monkeypatch.setattr("vreader.privatedir.parent_directory", lambda: "/proc")
    found = look("embedded")
    assert found.level("no world can be made: cannot make a directory in /proc") == "FAIL"
    assert "TMPDIR" in found.findings[0].advice
