# SPDX-License-Identifier: Apache-2.0
"""Variables of worlds, living and dead."""

import socket

import pytest

from vreader.world import World


def test_nothing_is_set(look):
    assert look("environment").level("no variable") == "OK"


def test_a_world_around_and_after_its_end(look, monkeypatch):
    with World(["none"]) as world:
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        found = look("environment")
        assert [each.level.value for each in found.findings] == ["OK", "OK"]
    found = look("environment")
    assert found.level("PCSCLITE_CSOCK_NAME") == "WARN"
    assert found.level("VREADER_CONTROL") == "WARN"
    assert "unset VREADER_CONTROL" in found.advice("VREADER_CONTROL")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "it is empty"),
        ("/x" * 60, "longer than 107 bytes"),
        ("/dev/null", "it is no socket"),
        ("/nowhere/at/all", "No such file"),
    ],
)
def test_paths_that_lead_nowhere(look, monkeypatch, value, why):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", value)
    assert look("environment").level(why) == "WARN"


def test_a_socket_nobody_serves(look, monkeypatch, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", path)
    assert look("environment").level("nobody listens") == "WARN"


def test_debugging_is_on(look, monkeypatch):
    monkeypatch.setenv("PCSCLITE_NO_BLOCKING", "1")
    assert look("environment").level("PCSCLITE_NO_BLOCKING") == "NOTE"
