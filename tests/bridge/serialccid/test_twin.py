# SPDX-License-Identifier: Apache-2.0
"""Debian's libccidtwin.so under a real pcscd: the reader's end of T=1 and T=0 that is not ours.

What this driver cannot do itself, docs/doors/serialccid.md says.
"""

import os
import subprocess
import sys
import threading

import pytest

from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.serialccid.events import SerialCcidWaiting
from vreader.bridge.vpcd.installation import TWIN, find_installation
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.cardspec import CardSpec
from vreader.errors import VreaderError
from vreader.iso7816.apdu import CommandApdu
from vreader.reader.events import TpduEvent
from vreader.reader.linkspec import LOSE, SPOIL, LinkSettings
from vreader.world import World

pytestmark = pytest.mark.pcscd

PATIENCE_S = 60
READER = "Virtual Reader 00 00"
NOT_TRANSACTED = 0x80100016
RESET_CARD, UNPOWER_CARD = 1, 2
SELECT = bytes.fromhex("00A4040002A000")
LENGTHS = [0, 1, 31, 32, 249, 250, 255, 256, 1000, 4000]
LONGEST = 65000


def command(length: int) -> bytes:
    """A command of ``length`` data bytes, no two pieces of it alike."""
    data = b"".join(number.to_bytes(2) for number in range(length // 2 + 1))[:length]
    return bytes(CommandApdu(0, 1, 2, 3, data, 256 if length < 256 else 65536))


def crossings(twin, since: int = 0) -> list[str]:
    """What crossed the line, in the standard's notation, ``>`` to the card."""
    return [f"{'>' if e.to_card else '<'} {e.text}" for e in twin.told(TpduEvent)[since:]]


def run(twin, *words) -> str:
    """Run a program in the world of ``twin`` and return what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        env={**os.environ, **twin.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done
    return done.stdout + done.stderr


@pytest.mark.clients
def test_programs_see_the_card(make_twin, echo, need):
    card = echo()
    twin = make_twin(card)
    tool = need("opensc-tool", "opensc")
    assert run(twin, tool, "-a").split("\n")[0].replace(":", "") == card.atr.hex()
    assert "Virtual Reader 00 00" in run(twin, tool, "-l")


@pytest.mark.parametrize("atr", ["t1", "crc", "short blocks", "fast", "specific", "both"])
@pytest.mark.wdk("t1.chaining")
def test_apdus_of_all_lengths_by_t1(make_twin, echo, atr):
    program = make_twin(echo(atr)).program()
    assert program.protocol == 2
    for length in [*LENGTHS, LONGEST] if atr == "t1" else LENGTHS:
        assert program.transmit(command(length)) == command(length) + b"\x90\0"


@pytest.mark.wdk("t1.i-block", "t1.r-block", "t1.s-ifs", "t1.lrc")
def test_the_blocks_of_a_conversation(make_twin, echo):
    twin = make_twin(echo("fast"))
    program = twin.program()
    program.transmit(SELECT)
    program.transmit(command(300))
    assert crossings(twin) == [
        "> request",
        "< response",
        "> S(IFS request 254)",
        "< S(IFS response 254)",
        "> I(0,0)",
        "< I(0,0)",
        "> I(1,1)",
        "< R(0)",
        "> I(0,0)",
        "< I(1,1)",
        "> R(0)",
        "< I(0,0)",
    ]


@pytest.mark.wdk("t1.crc")
def test_blocks_with_a_crc(make_twin, echo):
    twin = make_twin(echo("crc"))
    program = twin.program()
    assert program.transmit(SELECT) == SELECT + b"\x90\0"
    assert [event.length for event in twin.told(TpduEvent)][-2:] == [3 + 7 + 2, 3 + 9 + 2]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("atr", ["t1", "short blocks"])
@pytest.mark.wdk("t1.retransmission", "t1.disturbed")
def test_one_block_in_ten_is_spoilt(make_twin, echo, one_in, atr, seed):
    card = echo(atr)
    twin = make_twin(card, link=LinkSettings("t1", one_in(10, seed)))
    program = twin.program()
    sent = [command(length) for length in (*LENGTHS, *LENGTHS)]
    for apdu in sent:
        assert program.transmit(apdu) == apdu + b"\x90\0"
    assert card.commands == sent  # each of them once
    harmed = [event for event in twin.told(TpduEvent) if event.harm]
    assert {event.to_card for event in harmed} == {True, False}


@pytest.mark.clients
def test_a_certificate_over_a_noisy_line(make_twin, one_in, need, certificate, tmp_path):
    tool = [need("yubico-piv-tool", "yubico-piv-tool"), "-r", "Virtual", "-s", "9c"]
    twin = make_twin(CardSpec.parse("piv").make(), link=LinkSettings("t1", one_in(10, 7)))
    written, back, public = certificate, tmp_path / "back.pem", tmp_path / "key.pem"
    run(twin, *tool, "-a", "import-certificate", "-i", written)
    run(twin, *tool, "-a", "read-certificate", "-o", back)
    assert back.read_text() == written.read_text()
    run(twin, *tool, "-a", "generate", "-A", "RSA2048", "-o", public)
    said = run(twin, *tool, "-a", "verify-pin", "-P", "123456", "-a", "status")
    assert "Successfully verified PIN" in said
    assert sum(bool(event.harm) for event in twin.told(TpduEvent)) > 3


@pytest.mark.wdk("t1.resynchronisation", "t1.s-resynch")
def test_resynchronization(make_twin, echo):
    left = 0

    def disturb(to_card, block):
        nonlocal left
        if to_card or not left:
            return ""
        left -= 1
        return SPOIL

    card = echo()
    twin = make_twin(card, link=LinkSettings("t1", disturb))
    program = twin.program()
    since, left = len(crossings(twin)), 3
    assert program.transmit(SELECT) == SELECT + b"\x90\0"
    assert [text for text in crossings(twin, since) if "RESYNCH" in text] == [
        "> S(RESYNCH request)",
        "< S(RESYNCH response)",
    ]
    assert program.transmit(command(1000)) == command(1000) + b"\x90\0"


@pytest.mark.parametrize(
    ("manner", "crossed"),
    [("echo", "> request < response"), ("slow", "> request < response"), ("mute", "> request")],
)
@pytest.mark.wdk("pps.exchanged", "pps.refused")
def test_pps(make_twin, echo, manner, crossed):
    twin = make_twin(echo("fast"), link=LinkSettings("t1", pps=manner))
    if manner == "mute":
        with pytest.raises(PcscError):
            twin.program()
    else:
        assert twin.program().transmit(SELECT) == SELECT + b"\x90\0"
    assert " ".join(crossings(twin)).startswith(crossed)


@pytest.mark.parametrize("at", [0, 1])
def test_a_lost_block_ends_in_an_error_and_a_reset_helps(make_twin, echo, at):
    harms = iter([""] * at + [LOSE])
    armed = threading.Event()
    link = LinkSettings("t1", lambda *_: next(harms, "") if armed.is_set() else "")
    twin = make_twin(echo(), link=link)
    program = twin.program()
    armed.set()
    with pytest.raises(PcscError) as error:
        program.transmit(SELECT)
    assert error.value.code == NOT_TRANSACTED
    program.reconnect()
    assert program.transmit(SELECT) == SELECT + b"\x90\0"


@pytest.mark.wdk("t1.s-wtx")
def test_a_card_that_asks_for_time(make_twin, echo):
    twin = make_twin(echo(), link=LinkSettings("t1", wtx=(1, 2, 255)))
    program = twin.program()
    since = len(crossings(twin))
    assert program.transmit(SELECT) == SELECT + b"\x90\0"
    assert crossings(twin, since)[1:-1:2] == [f"< S(WTX request {n})" for n in (1, 2, 255)]
    assert crossings(twin, since)[2::2] == [f"> S(WTX response {n})" for n in (1, 2, 255)]


def test_a_card_that_works_long_without_asking(make_twin, echo):
    card = echo("hasty")
    twin = make_twin(card)
    program = twin.program()
    card.hold = threading.Event()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(program.transmit(SELECT)))
    thread.start()
    # This driver waits 1.1 s for a "hasty" card; asked every 0.4 s it goes on waiting.
    twin.wait_for(SerialCcidWaiting, 3)
    card.hold.set()
    thread.join()
    assert answers == [SELECT + b"\x90\0"]


@pytest.mark.wdk("t0.case4", "t0.wrong-le")
def test_a_t0_card(make_twin, echo):
    card = echo("t0")
    twin = make_twin(card)
    program = twin.program()
    assert program.protocol == 1
    ask = lambda text: program.transmit(bytes.fromhex(text)).hex()  # noqa: E731
    assert ask("0001020305") == "00010203059000"  # case 2
    assert ask("00B0000000") == "6c05"  # it has five bytes, not 256
    assert ask("00B0000005") == "00b00000009000"
    assert ask("00A4040002A000") == "6108"  # case 3, and 4 without its Le
    assert ask("00C0000004") == "00a404006104"
    assert ask("00C0000004") == "02a000009000"
    assert ask("00A4040002A00000") == "6108"  # case 4
    assert card.commands[-1].hex() == "00a4040002a00000"
    assert len(card.commands) == 4


@pytest.mark.clients
def test_a_piv_card_by_t0(make_twin, need, certificate, tmp_path):
    piv = CardSpec.parse("piv").make()
    tool = [need("yubico-piv-tool", "yubico-piv-tool"), "-r", "Virtual", "-s", "9a"]
    twin = make_twin(piv)
    run(twin, *tool, "-a", "import-certificate", "-i", certificate)
    twin.close()
    # The card is not asked: its ATR is exchanged for one that offers T=0 alone.
    twin = make_twin(piv, link=LinkSettings("t0"))
    read = [need("pkcs15-tool", "opensc"), "--read-certificate", "01", "-o", tmp_path / "back.pem"]
    run(twin, *read)
    # The last lines of this program are the certificate.
    assert (tmp_path / "back.pem").read_text().strip() == certificate.read_text().strip()
    said = run(twin, need("pkcs15-tool", "opensc"), "--verify-pin", "--pin", "123456")
    assert "Failed" not in said
    assert {event.protocol for event in twin.told(TpduEvent)} == {"PPS", "T=0"}


@pytest.mark.parametrize(
    ("initialization", "log"), [(1, ["warm"]), (UNPOWER_CARD, ["off", "cold"])]
)
def test_reset(make_twin, echo, initialization, log):
    card = echo()
    program = make_twin(card).program()
    program.transmit(command(1000))
    del card.log[:]
    program.reconnect(initialization)
    assert card.log == log
    assert program.transmit(SELECT) == SELECT + b"\x90\0"


def test_a_card_leaves_in_the_middle_and_comes_back(make_twin, echo):
    card = echo()
    twin = make_twin(card)
    program = twin.program()
    card.hold = threading.Event()
    thread = threading.Thread(target=lambda: (twin.slot.remove(), card.hold.set()))
    errors = []

    def transmit():
        try:
            program.transmit(SELECT)
        except PcscError as error:
            errors.append(error.code)

    asking = threading.Thread(target=transmit)
    asking.start()
    twin.wait_for(SerialCcidWaiting)
    thread.start()
    asking.join()
    thread.join()
    assert errors == [NOT_TRANSACTED]
    twin.wait_until_empty()
    card.hold = None
    twin.insert(card)
    again = twin.program()
    assert again.transmit(SELECT) == SELECT + b"\x90\0"


def test_a_card_swapped_between_two_looks_is_another_one(make_twin, echo):
    twin = make_twin(echo())
    program = twin.program()
    twin.slot.remove()
    twin.slot.insert(echo("t0"))
    with pytest.raises(PcscError):
        program.transmit(SELECT)


def test_pcscd_may_restart(make_twin, echo):
    twin = make_twin(echo())
    twin.pcscd.restart()
    twin.pcscd.wait_until_seen()
    program = twin.program()
    assert program.transmit(command(1000)) == command(1000) + b"\x90\0"


def test_a_reader_that_could_not_be_opened_is_tried_again(make_line, twin_installed, tmp_path):
    """pcscd tries once and never again: whatever stood in the way, it is started anew."""
    line, device, begun = make_line(), tmp_path / "line", tmp_path / "begun"
    pcscd = tmp_path / "pcscd"
    pcscd.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --foreground ] && {{ [ -e {begun} ] && ln -s {line.door.path} {device}\n'
        f'touch {begun}; }}\nexec {find_installation(wanted=TWIN).command[0]} "$@"\n'
    )
    pcscd.chmod(0o755)
    with (
        PrivatePcscd([READER], lines=[str(device)], pcscd=str(pcscd)) as started,
        PcscClient(str(started.socket_path)) as client,
    ):
        assert [state.name for state in client.readers()] == [READER]
    device.unlink()
    begun.unlink()
    pcscd.write_text(pcscd.read_text().replace("ln -s", "true"))
    with pytest.raises(VreaderError, match="does not come up with its readers"):
        PrivatePcscd([READER], lines=[str(device)], pcscd=str(pcscd)).start()


@pytest.mark.clients
def test_a_pause_of_this_process_is_survived(twin_installed, need):
    """The driver gives up after two seconds; an answer out of turn would confuse it for ever."""
    look = f"until {need('opensc-tool', 'opensc')} -r0 -a; do sleep 0.1; done"
    script = f"kill -STOP $PPID; sleep 2.2; kill -CONT $PPID; {look}"
    done = subprocess.run(
        [sys.executable, "-m", "vreader", "run", "--stack", "twin", "--", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done
    assert done.stdout.startswith("3b:fd")


@pytest.mark.parametrize("stack", ["twin", "pcscd"])
def test_a_world_does_not_wait_for_a_card_that_cannot_be_powered_up(
    twin_installed, tmp_path, stack
):
    (tmp_path / "mute.py").write_text(
        "from vreader.card import CardMute\n"
        "class Mute:\n"
        "    def power_on(self): raise CardMute\n"
        "    reset = power_off = transmit = power_on\n"
    )
    with World([f"{tmp_path}/mute.py:Mute"], stack=stack) as world:
        why = "the card cannot be powered up: POWER (COLD_RESET): STATUS_IO_TIMEOUT"
        assert world.warnings[-1] == f"{READER}: {why}"
