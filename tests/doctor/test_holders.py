# SPDX-License-Identifier: Apache-2.0
"""Who holds a reader."""

import pytest

from vreader.bridge.pcsclite.client import PcscClient
from vreader.world import World

EXCLUSIVE, SHARED, ANY = 1, 2, 3


@pytest.fixture
def client(monkeypatch):
    with World(["piv"]) as world:
        path = world.environment["PCSCLITE_CSOCK_NAME"]
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", path)
        with PcscClient(path) as client:
            client.establish()
            yield client


@pytest.fixture
def process(machine):
    """Add a process to a machine that has none."""
    (machine.root / "proc").unlink()

    def add(pid: int, name: str, maps: str) -> None:
        directory = machine.root / "proc" / str(pid)
        directory.mkdir(parents=True)
        (directory / "comm").write_text(f"{name}\n")
        (directory / "maps").write_text(maps)

    return add


def test_nobody(look, client, process, machine):
    assert look("holders", machine).level("nobody holds a reader") == "OK"


def test_exclusive_and_shared(look, client, process, machine):
    process(4711, "login", "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libpcsclite.so.1.0.0\n")
    process(4712, "other", "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libc.so.6\n")
    process(4713, "pcscd", "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libpcsclite.so.1.0.0\n")
    hcard, _ = client.connect("Virtual Reader 00 00", EXCLUSIVE, ANY)
    found = look("holders", machine)
    assert found.level("Virtual Reader 00 00 is held exclusively by a program") == "WARN"
    assert found.findings[0].text.endswith("; programs that use PC/SC: login (pid 4711)")
    client.disconnect(hcard)
    client.connect("Virtual Reader 00 00", SHARED, ANY)
    assert look("holders", machine).level("is shared by a program") == "OK"


def test_scdaemon(look, process, machine, monkeypatch, tmp_path):
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    process(4711, "scdaemon", "")
    found = look("holders", machine)
    assert found.level("scdaemon (pid 4711) runs") == "WARN"
    assert "gpgconf --kill scdaemon" in found.findings[0].advice
    (tmp_path / "scdaemon.conf").write_text("disable-ccid\npcsc-shared\n")
    assert look("holders", machine).worst == "OK"
