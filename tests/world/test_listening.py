# SPDX-License-Identifier: Apache-2.0
"""Worlds whose card is a program: it comes, leaves and comes again; ours and other people's."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import card_program
import pytest
from card_program import ATR, CardProgram

from vreader.bridge.control.client import ask
from vreader.bridge.pcsclite.client import PcscClient
from vreader.errors import UsageError, VreaderError
from vreader.winscard.codes import ReaderFlag, ScardError
from vreader.winscard.status_change import ReaderState
from vreader.world import World

PATIENCE_S = 20.0
PROGRAM = f"{sys.executable} {card_program.__file__}"
LISTEN = "vpcd-listen:0"
STARTED = f"{LISTEN},wait=30,command={PROGRAM} {{port}}"
VICC_PATH = "/usr/lib/python3/site-packages/virtualsmartcard"
ECHO_CARD = Path(__file__).parents[1] / "bench" / "echo_card.c"
APDU = bytes.fromhex("00CA0000")


def port(world: World, number: int = 0) -> int:
    return world.places[number].listening.port


def atrs_seen(world: World) -> list[bytes]:
    with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
        return [state.atr for state in client.readers()]


class Connected:
    """A connection to the card in a world's first reader."""

    def __init__(self, world: World) -> None:
        api = world.scard
        self.context = api.SCardEstablishContext(0)
        self.card, self.protocol = api.SCardConnect(self.context, world.places[0].name, 2, 3)
        self.api = api

    def transmit(self, c_apdu: bytes) -> bytes:
        return self.api.SCardTransmit(self.card, self.protocol, c_apdu)


def left(world: World) -> None:
    """Wait until the first reader is empty."""
    reader = world.places[0].name
    context = world.scard.SCardEstablishContext(0)
    state = ReaderState(reader)
    (state,) = world.scard.SCardGetStatusChange(context, 0, [state])
    while state.event_state & ReaderFlag.PRESENT:
        asked = [ReaderState(reader, state.event_state)]
        (state,) = world.scard.SCardGetStatusChange(context, int(PATIENCE_S * 1000), asked)


def test_it_comes_leaves_and_comes_again():
    with World([LISTEN, "atr:3B00"]) as world:
        place = world.places[0]
        assert world.environment["VREADER_VPCD_PORT"] == str(port(world))
        for atr in (ATR, b"\x3b\x01\x55"):
            assert atrs_seen(world) == [b"", b"\x3b\0"]
            assert place.label is None
            with CardProgram(port(world), atr=atr):
                assert place.listening.expect(PATIENCE_S)
                assert atrs_seen(world)[0] == atr
                assert place.label == f"vpcd-listen:127.0.0.1:{port(world)}"
            left(world)
    assert world.warnings == []


def test_a_command_in_the_middle_of_which_it_leaves():
    with World([LISTEN], stack="in-process") as world:
        holder: list[CardProgram] = []

        def leave(_: bytes) -> bytes:
            holder[0].sock.shutdown(socket.SHUT_RDWR)
            return b"\x90\0"

        holder.append(CardProgram(port(world), answer=leave))
        with holder[0]:
            assert world.place().listening.expect(PATIENCE_S)
            connected = Connected(world)
            with pytest.raises(ScardError):
                connected.transmit(APDU)
            left(world)


def test_a_program_that_hangs():
    asked, go_on = threading.Event(), threading.Event()

    def hang(c_apdu: bytes) -> bytes:
        asked.set()
        go_on.wait(PATIENCE_S)
        return c_apdu[:4] + b"\x90\0"

    with (
        World([f"{LISTEN},patience=0.05"], stack="in-process") as world,
        CardProgram(port(world), answer=hang),
    ):
        assert world.place().listening.expect(PATIENCE_S)
        connected = Connected(world)
        with pytest.raises(ScardError):
            connected.transmit(APDU)
        asked.clear()
        thread = threading.Thread(target=lambda: (asked.wait(PATIENCE_S), world.remove()))
        thread.start()
        go_on.set()
        # The late answer is nobody's.
        connected.protocol = connected.api.SCardReconnect(connected.card, 2, 3, 1)
        go_on.clear()
        with pytest.raises(ScardError):
            connected.transmit(APDU)  # it is taken out meanwhile
        thread.join(PATIENCE_S)
        go_on.set()
        world.insert()
        assert Connected(world).transmit(APDU) == APDU + b"\x90\0"


def test_what_a_person_does_at_the_desk():
    with World([LISTEN]) as world:
        control = world.environment["VREADER_CONTROL"]
        with pytest.raises(VreaderError, match="somebody else has started"):
            world.reset()
        assert "no card program has connected" in world.insert().unseen
        with CardProgram(port(world)) as program:
            assert world.place().listening.expect(PATIENCE_S)
            (told,) = ask(control, {"op": "list"})["readers"]
            assert told["listens"] == f"127.0.0.1:{port(world)}"
            assert told["card"] == f"vpcd-listen:127.0.0.1:{port(world)}"
            world.remove()
            assert atrs_seen(world) == [b""]
            world.insert()  # the same program
            assert atrs_seen(world) == [ATR]
            assert program._thread.is_alive()
            world.remove()
            world.insert(card="atr:3B00")
            program._thread.join(PATIENCE_S)  # hung up on: the reader has another card
            assert atrs_seen(world) == [b"\x3b\0"]
            assert "listens" not in ask(control, {"op": "list"})["readers"][0]
        world.remove()
        world.insert(card=LISTEN)
        with CardProgram(port(world)):
            assert world.place().listening.expect(PATIENCE_S)


def test_a_program_that_the_world_starts():
    with World([STARTED, "atr:3B00"]) as world:
        listening = world.places[0].listening
        program = listening._program
        assert atrs_seen(world)[0] == ATR
        world.reset(0)
        assert program.returncode is not None
        assert listening._program.pid != program.pid
        assert atrs_seen(world)[0] == ATR
        listening._program.kill()
        left(world)
        world.insert(0)
        assert atrs_seen(world)[0] == ATR
        program = listening._program
    assert program.returncode is not None


def test_what_a_program_leaves_behind_ends_too(tmp_path):
    mine = tmp_path / "pid"
    command = f"sh -c 'sleep 60 & echo $! > {mine}; {PROGRAM} {{port}} & exit 0'"
    with World([f"{LISTEN},wait=30,command={command}"], stack="in-process") as world:
        assert Connected(world).transmit(APDU)
        sleeping = int(mine.read_text())
        os.kill(sleeping, 0)
    deadline = time.monotonic() + PATIENCE_S
    while running(sleeping) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not running(sleeping)


def running(pid: int) -> bool:
    """Tell whether a process that is not ours runs: nobody may wait for it once it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_commas_and_quotes_in_a_command():
    command = f"""sh -c 'echo "a,b=c" >&2; exec {PROGRAM} $VREADER_VPCD_PORT'"""
    with World([f"{LISTEN},command={command}"], stack="in-process") as world:
        assert Connected(world).transmit(APDU) == APDU + b"\x90\0"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (f"{sys.executable} -c 'raise SystemExit(3)'", "ended with code 3 before"),
        ("sh -c 'kill -9 $$'", "was ended by signal 9 before"),
        ("no-such-program-anywhere", "no-such-program-anywhere cannot be started: No such file"),
        ("sh -c 'unfinished", "cannot be read: No closing quotation"),
    ],
)
def test_programs_that_cannot_be_started(command, problem):
    with pytest.raises(VreaderError, match=problem) as raised:
        World([f"{LISTEN},command={command}"], stack="in-process")
    assert raised.value.hint


def test_waiting_in_vain():
    with socket.create_server(("127.0.0.1", 0)) as found:
        free = found.getsockname()[1]
    with pytest.raises(VreaderError, match=r"connected to \S+ within 0\.01 s"):
        World([f"vpcd-listen:{free},wait=0.01"], stack="in-process")
    with pytest.raises(VreaderError, match="no card program connected"):
        World([f"{LISTEN},wait=0.01,command=sleep 60"], stack="in-process")
    with pytest.raises(UsageError, match="free port"):
        World([f"{LISTEN},wait=5"])


def test_several_and_open_ones():
    with World([LISTEN, LISTEN.replace(":", ":0.0.0.0:")], stack="in-process") as world:
        assert world.environment == {
            "VREADER_VPCD_PORT": str(port(world)),
            "VREADER_VPCD_PORT_2": str(port(world, 1)),
        }
        (warning,) = world.warnings
        assert f"0.0.0.0:{port(world, 1)} can insert a card" in warning
        with pytest.raises(VreaderError, match="cannot listen"):
            World([f"vpcd-listen:{port(world)}"], stack="in-process")


class Echo:
    """Answers as many bytes as it was sent, less the room for 9000."""

    def __init__(self, atr: bytes) -> None:
        self.atr = atr

    def power_on(self) -> bytes:
        return self.atr

    reset = power_on

    def power_off(self) -> None:
        pass

    def transmit(self, c_apdu: bytes) -> bytes:
        return c_apdu[: max(0, len(c_apdu) - 2)] + b"\x90\0"


@pytest.mark.parametrize(("atr", "protocol"), [("3B00", 1), ("3B80800101", 2)])
def test_both_ends_of_ours(atr, protocol):
    """The card end of a second world, whose card it is, dials the reader end of the first."""
    with (
        World([LISTEN], stack="in-process") as outer,
        World(["none"], vpcd=f"127.0.0.1:{port(outer)}") as inner,
    ):
        inner.places[0].card = Echo(bytes.fromhex(atr))
        inner.insert()
        assert outer.place().listening.expect(PATIENCE_S)
        connected = Connected(outer)
        assert connected.protocol == protocol
        for size in (5, 261) if protocol == 1 else (5, 261, 4000, 65535):
            c_apdu = bytes([0, 0xD6, 0, 0]) + bytes(i % 251 for i in range(size - 4))
            assert connected.transmit(c_apdu) == c_apdu[: size - 2] + b"\x90\0"
        outer.scard.SCardReconnect(connected.card, 2, 3, 1)
        outer.scard.SCardDisconnect(connected.card, 2)
        inner.remove()
        left(outer)


@pytest.mark.parametrize("mode", ["plain", "quick", "halves"])
def test_a_card_in_c(mode, need, tmp_path):
    """With delayed acknowledgements these APDUs would take more than a test may."""
    program = tmp_path / "echo_card"
    subprocess.run([need("gcc", "gcc"), "-o", program, ECHO_CARD], check=True)
    with World([LISTEN], stack="in-process") as world:
        with socket.create_connection(("127.0.0.1", port(world))) as sock:
            card = subprocess.Popen([program, str(sock.fileno()), mode], pass_fds=[sock.fileno()])
        with card:
            assert world.place().listening.expect(PATIENCE_S)
            connected = Connected(world)
            for _ in range(3000 if mode == "halves" else 300):
                assert connected.transmit(APDU) == b"\x90\0"
            card.kill()
        left(world)


@pytest.mark.clients
def test_debians_vicc(need, vreader, serving):
    vicc = need("vicc", "vsmartcard-vpicc")
    assert Path(VICC_PATH).is_dir()
    command = f"{sys.executable} {vicc} --type iso7816 --port {{port}}"
    spec = f"{LISTEN},command=sh -c 'exec {command} 2>/dev/null'"
    with serving("--card", spec, env={"PYTHONPATH": VICC_PATH}) as served:
        done = served.run(*vreader, "apdu", "00A4000C:3F00=9000", "0084/08=9000")
        assert done.stdout.count("9000 OK") == 2
        served.run(*vreader, "apdu", "00A40000:3F00", code=3)  # vicc ends: it cannot pack the FCI
        assert "no card: listens at" in served.run(*vreader, "ctl", "list").stdout
        served.run(*vreader, "ctl", "reset")
        served.run(*vreader, "apdu", "00A4000C:3F00=9000")
        assert "vpcd-listen:127.0.0.1:" in served.run(*vreader, "ctl", "list").stdout


@pytest.mark.clients
def test_behind_a_private_pcscd(need):
    opensc_tool = need("opensc-tool", "opensc")
    if shutil.which("pcscd") is None:
        need("pcscd", "pcscd vsmartcard-vpcd")
    with World([STARTED], stack="pcscd") as world:
        done = subprocess.run(
            [opensc_tool, "--reader", "0", "--atr"],
            env={**world.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert "3b:80:80:01:01" in done.stdout, done
