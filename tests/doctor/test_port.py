# SPDX-License-Identifier: Apache-2.0
"""Who listens on vpcd's port."""

import socket
from pathlib import Path

import pytest
from foreign_pcscd import foreign_pcscd


@pytest.fixture
def configured(machine):
    """Say which port vpcd has."""

    def configure(port: int) -> None:
        directory = machine.path("/etc/reader.conf.d")
        directory.mkdir(parents=True)
        (directory / "vpcd").write_text(
            f"DEVICENAME /dev/null:{port}\nLIBPATH /lib/libifdvpcd.so\nCHANNELID {port:#x}\n"
        )

    return configure


def test_another_program(look, machine, configured):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        configured(port)
        found = look("port", machine)
        name = Path("/proc/self/comm").read_text().strip()
        assert found.level(f"{name} (pid ") == "WARN"
        assert f"listens on vpcd's port {port}: pcscd's driver cannot" in found.findings[0].text


def test_the_second_slots_port(look, machine, configured):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        configured(port - 1)
        found = look("port", machine)
        assert found.level(f"listens on vpcd's port {port}: pcscd's driver cannot") == "WARN"
        assert found.level(f"nobody listens on vpcd's port {port - 1}") == "NOTE"


def test_nobody(look, machine, configured):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    configured(port)
    assert look("port", machine).level(f"nobody listens on vpcd's port {port}") == "NOTE"


@pytest.mark.pcscd
def test_a_pcscd(look, machine, configured, need):
    need("/usr/sbin/pcscd", "pcscd")
    with foreign_pcscd() as pcscd:
        configured(pcscd.port)
        assert look("port", machine).level("pcscd (pid ") == "OK"


def test_another_users(look, machine, configured):
    (machine.root / "proc").unlink()
    table = machine.root / "proc" / "net" / "tcp"
    table.parent.mkdir(parents=True)
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: 00000000:8C7B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001"
        "        0 4242 1\n"
    )
    assert look("port", machine).level("port 35963 is listened on by a process of user 1001") == (
        "NOTE"
    )
