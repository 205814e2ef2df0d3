# SPDX-License-Identifier: Apache-2.0
"""The installed libpcsclite, and none."""

from vreader.bridge.pcsclite import probe


def test_this_one(look, need):
    need("opensc-tool", "opensc")
    assert look("libpcsclite").level("speaks protocol 4.") == "OK"


def test_none(look, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(probe, "_find_library", lambda: str(tmp_path / "libpcsclite.so.1"))
    assert look("libpcsclite").level("no libpcsclite") == "NOTE"


def test_a_number_that_is_none(look, monkeypatch):
    monkeypatch.setenv("VREADER_READER_SLOTS", "many")
    assert look("libpcsclite").level("VREADER_READER_SLOTS") == "WARN"
    monkeypatch.setenv("VREADER_READER_SLOTS", "48")
    assert look("libpcsclite").level("48 readers") == "NOTE"
