# SPDX-License-Identifier: Apache-2.0
"""Faults as programs on libpcsclite see them: our own socket, a real pcscd with vpcd, libccid."""

import subprocess
import time
from contextlib import contextmanager

import pytest

import vreader
from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.vpcd.installation import TWIN, VPCD, find_installation
from vreader.errors import UsageError, VreaderError
from vreader.reader.faults import Fault, FaultPlan
from vreader.winscard.codes import SCARD
from vreader.world.control import answer

SELECT = bytes.fromhex("00A4040005A000000308")
VERIFY = bytes.fromhex("0020008008393939393939FFFF")
TRIES = VERIFY[:4]
FOUND = "61114F0600001000010079074F05A0000003089000"
ATR = "atr:3B80800101"
DRIVERS = {"pcscd": VPCD, "twin": TWIN}
SHARED, T0_T1, LEAVE, RESET = 2, 3, 0, 1
PATIENCE_S = 20
STACKS = [
    "embedded",
    pytest.param("pcscd", marks=[pytest.mark.clients, pytest.mark.pcscd]),
    pytest.param("twin", marks=[pytest.mark.clients, pytest.mark.pcscd]),
]


class Program:
    """A program connected to the first reader of a world."""

    def __init__(self, world, client):
        self.client = client
        client.establish()
        self.card, self.protocol = client.connect(world.places[0].name, SHARED, T0_T1)

    def send(self, command):
        """Return the answer in hex, or the name of the error."""
        try:
            return self.client.transmit(self.card, self.protocol, command).hex().upper()
        except PcscError as error:
            return SCARD(error.code).name

    def reconnect(self, how=RESET):
        try:
            self.protocol = self.client.reconnect(self.card, SHARED, T0_T1, how)
        except PcscError as error:
            return SCARD(error.code).name
        return ""


@pytest.fixture(params=STACKS, scope="module")
def world(request):
    if request.param in DRIVERS:
        try:
            find_installation(wanted=DRIVERS[request.param])
        except VreaderError as error:
            pytest.skip(str(error))
    with vreader.world("piv", stack=request.param) as world:
        world.stack = request.param
        yield world


@pytest.fixture
def connect(world):
    """Return a function that connects a program; afterwards the card is new, and in."""

    @contextmanager
    def connect():
        with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
            yield Program(world, client)

    yield connect
    world.clear_faults()
    if not world.places[0].inserted:
        world.insert()
    world.reset()


def test_mute(world, connect):
    with connect() as program:
        armed = world.fault("mute,on=VERIFY")
        assert program.send(SELECT) == FOUND
        if world.stack == "pcscd":  # vpcd knows no time-out: to it the card has gone
            assert program.send(VERIFY) == ""
            assert program.send(VERIFY) == "E_NOT_TRANSACTED"
        else:
            assert program.send(VERIFY) == "E_NOT_TRANSACTED"
            assert program.reconnect() == ""
            assert program.send(SELECT) == FOUND
            assert program.send(TRIES) == "63C3"
        assert armed.struck == 1


def test_remove_mid_apdu(world, connect):
    with connect() as program:
        world.fault("remove-mid-apdu,on=VERIFY")
        assert program.send(SELECT) == FOUND
        gone = {"embedded": "E_NO_SMARTCARD", "pcscd": "", "twin": "E_NOT_TRANSACTED"}
        assert program.send(VERIFY) == gone[world.stack]
    assert not world.places[0].inserted
    world.insert()
    with connect() as program:
        assert program.send(SELECT) == FOUND


def test_a_card_comes_at_once_after_a_reset_of_none(world, connect):
    """pcscd then says that there is none before it has looked, and would miss the next one."""
    for _ in range(2):
        with connect() as program:
            world.fault("remove-mid-apdu")
            assert program.send(SELECT) != FOUND
            assert program.reconnect() == "E_NO_SMARTCARD"
            world.insert()
            assert program.reconnect() == ""
            assert program.send(SELECT) == FOUND


def test_wrong_sw(world, connect):
    with connect() as program:
        world.fault("wrong-sw,sw=6983,on=VERIFY,times=2")
        assert program.send(SELECT) == FOUND
        assert [program.send(VERIFY) for _ in range(3)] == ["6983", "6983", "63C2"]


def test_truncate(world, connect):
    with connect() as program:
        world.fault("truncate,bytes=5,on=SELECT")
        world.fault("truncate,on=VERIFY")
        assert program.send(SELECT) == FOUND[:10]
        assert program.send(VERIFY) == ("" if world.stack == "pcscd" else "E_NOT_TRANSACTED")


def test_slow(world, connect):
    with connect() as program:
        world.fault("slow,seconds=0.05,on=SELECT")
        assert program.send(SELECT) == FOUND
    assert world.places[0].faults[0].struck == 1


def test_reset_by_other(world, connect):
    with connect() as program:
        world.fault("reset-by-other,on=SELECT")
        assert program.send(SELECT) == FOUND
        assert program.send(VERIFY) == "W_RESET_CARD"
        # pcscd tells of a reset before it is done: who is fast meets it in the middle.
        end = time.monotonic() + PATIENCE_S
        while program.reconnect(LEAVE) or program.send(SELECT) != FOUND:
            assert world.stack != "embedded"
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.mark.parametrize(("when", "tries"), [("before", "63C3"), ("after", "63C2")])
def test_power_loss(world, connect, when, tries):
    with connect() as program:
        world.fault(f"power-loss,on=VERIFY,when={when}")
        assert program.send(SELECT) == FOUND
        assert program.send(VERIFY) in ("", "E_NOT_TRANSACTED")
        assert program.send(TRIES) == "E_NOT_TRANSACTED"
        if world.stack == "pcscd":
            return  # the card comes back by itself, as another one
        assert program.reconnect() == ""
        assert program.send(SELECT) == FOUND
        assert program.send(TRIES) == tries


def test_garble_atr(world, connect):
    with connect() as program:
        armed = world.fault("garble-atr")
        # libccid resets once more when it does not understand an ATR.
        answer = "" if world.stack == "twin" else "W_UNRESPONSIVE_CARD"
        assert program.reconnect() == answer
        assert armed.struck == 1


@pytest.mark.clients
def test_a_real_program(world, need):
    tool = need("opensc-tool", "opensc")
    world.fault("wrong-sw,sw=6A82,on=00A40400 05A000000308".replace(" ", ""))
    words = [tool, "--reader", "0", "--send-apdu", SELECT.hex()]
    said = [
        subprocess.run(
            words, env=world.environment | {"PATH": "/usr/bin"}, capture_output=True, timeout=60
        ).stdout.decode()
        for _ in range(2)
    ]
    assert "SW1=0x6A, SW2=0x82" in said[0]
    assert "SW1=0x90, SW2=0x00" in said[1]
    world.clear_faults()


# ---------------------------------------------------------------------- which reader, which fault


@pytest.fixture
def two():
    with vreader.world(ATR, ATR, stack="in-process", faults=["mute,reader=1"]) as world:
        yield world


def test_readers(two):
    first, second = two.places
    assert [str(armed.plan) for armed in second.faults] == ["mute,reader=1"]
    assert first.faults == ()
    two.fault(0, FaultPlan(Fault.SLOW))
    two.fault("truncate,reader=Virtual Reader 00 00")
    assert len(first.faults) == 2
    assert two.faults() == [*first.faults, *second.faults]
    assert two.faults(1) == list(second.faults)
    assert "\n    fault slow, struck 0\n" in two.report(0)
    secret = two.fault(0, "mute,on=0020008008313233343536FFFF")
    assert "31323334" not in two.report(0) + repr(secret)
    two.clear_faults(0)
    assert (len(first.faults), len(second.faults)) == (0, 1)
    two.clear_faults()
    assert second.faults == ()


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ((), "which fault?", "mute"),
        (("mute",), "which reader?", "Virtual Reader"),
        ((7, "mute"), "there is no reader 7", "Virtual Reader"),
        ((0, "explode"), "unknown fault", "reset-by-other"),
    ],
)
def test_what_cannot_be_set(two, given, message, hint):
    with pytest.raises(UsageError) as caught:
        two.fault(*given)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_wrong_fault_makes_no_world():
    with pytest.raises(UsageError, match="unknown fault"):
        vreader.world(ATR, stack="in-process", faults=["mut"])


def test_the_control_socket(two):
    told = answer(two, {"op": "fault", "reader": 0, "fault": "mute,times=always"})
    slow = {"reader": "Virtual Reader 00 00", "fault": "mute,times=always", "seen": 0, "struck": 0}
    assert told == {"faults": [slow | {"left": None}]}
    assert len(answer(two, {"op": "faults"})["faults"]) == 2
    assert answer(two, {"op": "fault", "clear": True}) == {"faults": []}
    for wrong in ({}, {"fault": 7}, {"fault": "mute", "clear": "yes"}, {"clear": 1}):
        with pytest.raises(UsageError) as caught:
            answer(two, {"op": "fault", **wrong})
        assert caught.value.hint
