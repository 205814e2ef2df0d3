# SPDX-License-Identifier: Apache-2.0
"""``vreader serve``: how it says that it is ready, where programs reach it, and how it ends."""

import json
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.errors import VreaderError


def connect(path: str) -> bytes:
    """Talk to the first card at ``path``; return the answer to a command no card knows."""
    with PcscClient(path) as client:
        client.establish()
        hcard, protocol = client.connect(client.readers()[0].name, 2, 3)
        return client.transmit(hcard, protocol, bytes.fromhex("00FE0000"))


def test_ready_line_and_ready_file(serve):
    served = serve("--card", "atr:3B80800101", "--card", "none")
    assert served.ready == "vreader: ready: 'Virtual Reader 00 00', 'Virtual Reader 2 00 00'\n"
    assert set(served.environment) == {"PCSCLITE_CSOCK_NAME", "VREADER_CONTROL"}
    assert connect(served.environment["PCSCLITE_CSOCK_NAME"]) == b"\x6d\x00"


def test_a_ready_file_of_before_is_replaced(vreader, here: Path):
    (here / "env").write_text("export VREADER_CONTROL=/gone\n")
    words = [*vreader, "serve", "--card", "none", "--ready-file", "env"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as run:
        run.stdout.readline()
        assert "/gone" not in (here / "env").read_text()
        run.terminate()
    assert not (here / "env").exists()


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_a_signal_ends_it(vreader, short_tmp: Path, name):
    ready_file = short_tmp / "env"
    words = [*vreader, "serve", "--card", "none", "--ready-file", str(ready_file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline().startswith("vreader: ready: ")
        run.send_signal(getattr(signal, f"SIG{name}"))
        assert run.communicate(timeout=60) == ("", "")
        assert run.returncode == 0
    assert list(short_tmp.iterdir()) == []


def test_print_env_is_for_eval(vreader, here: Path):
    (here / "it's here").mkdir()
    script = f"""
        : >env  # the shell may be slow to make it for a command in the background
        {" ".join(vreader)} serve --card atr:3B80800101 --socket "it's here/s" --print-env >env &
        until grep -q VREADER_CONTROL env; do :; done
        eval "$(cat env)"
        {" ".join(vreader)} apdu 00A40400=6D00
        {" ".join(vreader)} ctl quit
        wait $!
    """
    done = subprocess.run(
        ["sh", "-ec", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done
    assert "< 6D00" in done.stdout
    # Nothing but assignments may reach the shell.
    assert done.stderr == "vreader: ready: 'Virtual Reader 00 00'\n"
    assert not (here / "it's here" / "s").exists()


def test_socket_of_ones_own(serve, here: Path):
    served = serve("--card", "atr:3B80800101", "--socket", "mine.comm")
    path = here / "mine.comm"
    assert served.environment["PCSCLITE_CSOCK_NAME"] == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    connect(str(path))
    assert served.stop()[0] == 0
    assert not path.exists()


def test_a_stale_socket_is_replaced(serve, here: Path):
    path = here / "mine.comm"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    serve("--card", "atr:3B80800101", "--socket", path)
    connect(str(path))


def test_a_live_socket_is_refused_and_left_alone(serve, cli, here: Path):
    path = here / "mine.comm"
    serve("--card", "atr:3B80800101", "--socket", path)
    said = cli("serve", "--socket", str(path))
    assert said == (
        3,
        "",
        f"vreader: {path} is in use by another server\n"
        "hint: stop that one or choose another path\n",
    )
    connect(str(path))


def test_killed_it_leaves_nothing_in_the_way(vreader, serve, short_tmp: Path, here: Path):
    options = ("--card", "piv,state=my.card", "--socket", "mine.comm", "--ready-file", "env")
    for _ in range(2):
        with subprocess.Popen(
            [*vreader, "serve", *options], stdout=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout.readline() == "vreader: ready: 'Virtual Reader 00 00'\n"
            assert connect(str(here / "mine.comm")) == b"\x6d\x00"
            run.kill()
        assert len(list(short_tmp.iterdir())) == 1
    serve("--card", "none")
    assert len(list(short_tmp.iterdir())) == 1


def test_a_state_file_in_use_is_refused(serve, cli, here: Path):
    served = serve("--state", here / "my.card")
    said = cli("run", "--card", "piv,state=my.card", "--", "true")
    assert said == (
        125,
        "",
        f"vreader: the state file my.card is in use by process {served.process.pid}\n"
        "hint: one process at a time may hold a card: end that one, or use another state file\n",
    )


# A driver that somebody else runs ---------------------------------------------------------------


class SilentDriver:
    """Listens as the vpcd driver does."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"

    def speak(self) -> None:
        """Take one connection and ask it for its ATR."""
        self.server.settimeout(60)
        connection, _ = self.server.accept()
        with connection:
            connection.settimeout(60)
            connection.sendall(b"\x00\x01\x04")
            length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
            assert connection.recv(length, socket.MSG_WAITALL) == bytes.fromhex("3B80800101")


@pytest.fixture
def driver():
    driver = SilentDriver()
    with driver.server:
        yield driver


def read_lines(process, count: int) -> list[str]:
    return [process.stderr.readline() for _ in range(count)]


def test_vpcd_with_nobody_listening(serve, driver):
    driver.server.close()
    served = serve("--vpcd", driver.address, "--card", "atr:3B80800101")
    assert set(served.environment) == {"VREADER_CONTROL"}
    assert read_lines(served.process, 2) == [
        f"vreader: nobody listens at {driver.address}\n",
        "hint: start pcscd with the vpcd driver (apt install pcscd vsmartcard-vpcd); "
        "dialing goes on\n",
    ]


def test_vpcd_with_the_slot_taken(serve, driver):
    served = serve("--vpcd", driver.address, "--card", "atr:3B80800101")
    problem, hint = read_lines(served.process, 2)
    assert problem == (
        f"vreader: {driver.address} takes the connection but does not speak: "
        "its slot seems to be taken\n"
    )
    assert hint.startswith("hint: ")
    # Once the driver speaks, a person hears that, too.
    driver.speak()
    assert read_lines(served.process, 1) == ["vreader: vpcd is served\n"]


@pytest.mark.pcscd
def test_vpcd_into_a_pcscd_of_somebody_else(serve, need, vreader):
    """The daemon is private here, but all that ``serve`` knows of it is a port."""
    need("pcscd", "pcscd")
    try:
        pcscd = PrivatePcscd(["Theirs 00 00"], isolate=False)
        pcscd.start()
    except VreaderError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{error} ({error.hint})")
    with pcscd:
        config = (pcscd.socket_path.parent / "conf.d" / "vpcd").read_text()
        port = int(next(word for word in config.split() if word.startswith("0x")), 16)
        served = serve("--vpcd", f"localhost:{port}", "--card", "atr:3B80800101")
        pcscd.wait_until_seen(["Theirs 00 00"])
        assert connect(str(pcscd.socket_path)) == b"\x6d\x00"
        listed = json.loads(served.run(*vreader, "ctl", "list", "--json").stdout)
        assert listed[0]["state"] == "SPECIFIC"
        served.run(*vreader, "ctl", "remove")
        with PcscClient(str(pcscd.socket_path)) as client:
            states = client.readers()
            while any(state.atr for state in states):
                states = client.get_status_change(states, 60)
