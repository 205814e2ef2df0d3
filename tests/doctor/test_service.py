# SPDX-License-Identifier: Apache-2.0
"""pcscd running, gone, silent, refusing; and none."""

import socket
import threading
from pathlib import Path

import pytest
from foreign_pcscd import foreign_pcscd

from vreader.doctor import service
from vreader.doctor.machine import Machine
from vreader.world import World


@pytest.mark.pcscd
def test_a_pcscd_that_runs(look, need, monkeypatch):
    need("/usr/sbin/pcscd", "pcscd")
    with foreign_pcscd("Mine") as pcscd:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", pcscd.socket)
        found = look("pcscd")
    assert found.level("readers: Mine 00 00, Mine 00 01") == "OK"
    assert found.level("/usr/sbin/pcscd, version ") == "OK"


def test_a_world_with_a_card(look, monkeypatch):
    with World(["piv"]) as world:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", world.environment["PCSCLITE_CSOCK_NAME"])
        found = look("pcscd")
    assert found.level("answers in protocol 4.6; readers: Virtual Reader 00 00 with a card") == "OK"
    assert any("(pid " in each.text for each in found.findings)


def test_none(look, monkeypatch, machine, tmp_path):
    monkeypatch.setattr(service, "service_socket", lambda: str(tmp_path / "pcscd.comm"))
    (machine.root / "proc").unlink()
    assert look("pcscd", machine).level("no PC/SC service runs here") == "NOTE"


def test_one_whose_socket_is_gone(look, monkeypatch, machine, tmp_path):
    monkeypatch.setattr(service, "service_socket", lambda: str(tmp_path / "pcscd.comm"))
    (machine.root / "proc").unlink()
    process = machine.root / "proc" / "77"
    process.mkdir(parents=True)
    (process / "comm").write_text("pcscd\n")
    assert look("pcscd", machine).level("pcscd (pid 77) runs, but there is no") == "WARN"


def test_one_that_has_ended(look, monkeypatch, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", path)
    assert look("pcscd").level("nobody listens there any more") == "WARN"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A socket whose server does as it is told with each connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "s"))
        kept = []

        def serve(then) -> None:
            def accept() -> None:
                while True:
                    try:
                        kept.append(listener.accept()[0])
                    except OSError:
                        return
                    then(kept[-1])

            threading.Thread(target=accept, daemon=True).start()

        yield serve
        listener.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


def test_one_that_refuses_at_once_as_with_polkit(look, server):
    server(lambda connection: connection.close())
    found = look("pcscd")
    assert found.level("does not serve you") == "WARN"
    assert "polkit" in found.advice("does not serve you")


def test_one_that_never_answers(look, server, monkeypatch):
    monkeypatch.setattr(service, "ANSWER_S", 0.1)
    server(lambda connection: None)
    assert look("pcscd").level("did not answer within 0.1 s") == "WARN"


@pytest.mark.parametrize(
    ("script", "text", "level"),
    [
        ("echo pcsc-lite version 9.", "version 9, lacks libsystemd", "WARN"),
        ("echo pcsc-lite version 9. libsystemd", "version 9", "OK"),
        ("exec sleep 60", "does not end", "WARN"),
        ("exit 1", "lacks libsystemd", "WARN"),
    ],
)
def test_what_is_installed(look, program, script, text, level, monkeypatch):
    path = program("pcscd", script)
    if "sleep" in script:
        monkeypatch.setattr(Machine.run, "__kwdefaults__", {"limit_s": 0.1})
    assert look("pcscd").level(f"{path}") == level
    assert any(text in each.text for each in look("pcscd").findings)


def test_nothing_is_installed(look, monkeypatch, machine):
    monkeypatch.setattr("vreader.doctor.machine._SBIN", "")
    monkeypatch.setenv("PATH", str(Path("/nowhere")))
    assert look("pcscd", machine).level("pcscd is not installed") == "NOTE"
