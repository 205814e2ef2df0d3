# SPDX-License-Identifier: Apache-2.0
"""What faults do to a card in a reader: in process, APDUs whole and over links of T=1 and T=0."""

import threading

import pytest

import vreader
from vreader.clock import ManualClock
from vreader.errors import UsageError
from vreader.reader.events import ApduEvent, FaultEvent
from vreader.reader.faults import Fault, FaultPlan
from vreader.reader.faulty import garbled, truncated
from vreader.smclib.states import CardState
from vreader.winscard.codes import SCARD, Disposition, ScardError

SELECT = bytes.fromhex("00A4040005A000000308")
VERIFY = bytes.fromhex("0020008008313233343536FFFF")
WRONG_PIN = bytes.fromhex("0020008008393939393939FFFF")
TRIES = VERIFY[:4]
LINKS = pytest.mark.parametrize("link", [None, "t1", "t0"])
TEMPLATE = "61114F0600001000010079074F05A000000308"


class Program:
    """A program connected to the first reader of a world."""

    def __init__(self, world):
        self.scard = world.scard
        context = self.scard.SCardEstablishContext()
        self.card, self.protocol = self.scard.SCardConnect(context, world.places[0].name)

    def send(self, command):
        """Return the answer in hex, or the name of the error."""
        try:
            return self.scard.SCardTransmit(self.card, self.protocol, command).hex().upper()
        except ScardError as error:
            return error.code.name

    def reconnect(self, how=Disposition.RESET):
        try:
            self.protocol = self.scard.SCardReconnect(self.card, dwInitialization=how)
        except ScardError as error:
            return error.code.name
        return ""


@pytest.fixture
def world(link):
    with vreader.world("piv", stack="in-process", link=link) as world:
        yield world


@pytest.fixture
def selected(link):
    """What the card answers a SELECT: with T=0, where the rest is fetched, its length."""
    return "6113" if link == "t0" else TEMPLATE + "9000"


@LINKS
@pytest.mark.parametrize("plan", ["mute", "mute,executed=yes"])
def test_mute(world, selected, plan):
    program = Program(world)
    armed = world.fault(plan + ",on=VERIFY")
    program.send(SELECT)
    assert program.send(WRONG_PIN) == "E_NOT_TRANSACTED"
    assert armed.struck == 1
    assert program.reconnect() == ""
    assert program.send(SELECT) == selected
    assert program.send(TRIES) == ("63C2" if "executed" in plan else "63C3")


@LINKS
def test_remove_mid_apdu(world, selected):
    program = Program(world)
    world.fault("remove-mid-apdu,on=VERIFY")
    program.send(SELECT)
    assert program.send(VERIFY) == "E_NO_SMARTCARD"
    assert program.send(VERIFY) == "W_REMOVED_CARD"
    assert world.places[0].reader.state is CardState.ABSENT
    world.insert()
    assert Program(world).send(SELECT) == selected


@LINKS
def test_wrong_sw(world):
    program = Program(world)
    world.fault("wrong-sw,sw=6983,on=VERIFY")
    world.fault("wrong-sw,executed=yes,on=VERIFY")
    program.send(SELECT)
    assert program.send(WRONG_PIN) == "6983"
    assert program.send(TRIES) == "6F00"
    assert program.send(TRIES) == "63C3"


@LINKS
def test_truncate(world):
    program = Program(world)
    world.fault("truncate,bytes=1,on=VERIFY")
    world.fault("truncate,bytes=2,on=SELECT")
    assert program.send(SELECT) in ("6111", "6113")
    assert program.send(VERIFY) == "E_NOT_TRANSACTED"
    assert program.send(TRIES) == "9000"


@LINKS
def test_reset_by_other(world, selected):
    program = Program(world)
    world.fault("reset-by-other,on=SELECT")
    assert program.send(SELECT) == selected
    assert program.send(VERIFY) == "W_RESET_CARD"
    assert program.reconnect(Disposition.LEAVE) == ""
    assert program.send(SELECT) == selected


@LINKS
def test_another_application_waits_for_a_transaction(world):
    program = Program(world)
    program.scard.SCardBeginTransaction(program.card)
    world.fault("reset-by-other")
    program.send(SELECT)
    assert program.send(VERIFY) == "9000"
    program.scard.SCardEndTransaction(program.card)
    assert program.send(TRIES) == "W_RESET_CARD"


@LINKS
@pytest.mark.parametrize(("when", "tries"), [("before", "63C3"), ("after", "63C2")])
def test_power_loss(world, selected, when, tries):
    """A PIN's counter goes down, and that lasts, before the PIN is compared."""
    program = Program(world)
    world.fault(f"power-loss,on=VERIFY,when={when}")
    program.send(SELECT)
    assert program.send(VERIFY) == "E_NOT_TRANSACTED"
    assert program.send(SELECT) == "E_NOT_TRANSACTED"  # it has no power
    assert program.reconnect() == ""
    assert program.send(SELECT) == selected
    assert program.send(TRIES) == tries


@pytest.mark.parametrize(("when", "tries"), [("before", "63C3"), ("after", "63C2")])
def test_what_lasts_is_in_the_card_file(tmp_path, when, tries):
    card = f"piv,state={tmp_path / 'card'}"
    plan = f"power-loss,on=VERIFY,when={when}"
    with vreader.world(card, stack="in-process", faults=[plan]) as world:
        program = Program(world)
        program.send(SELECT)
        assert program.send(VERIFY) == "E_NOT_TRANSACTED"
    with vreader.world(card, stack="in-process") as world:
        program = Program(world)
        program.send(SELECT)
        assert program.send(TRIES) == tries


@pytest.mark.parametrize("plan", ["reset-by-other", "mute", "remove-mid-apdu", "garble-atr"])
def test_as_windows_has_it(plan):
    with vreader.world("piv", stack="in-process", profile="windows") as world:
        program = Program(world)
        armed = world.fault(plan)
        said = [program.send(SELECT), program.send(SELECT), program.reconnect()]
        assert armed.struck == 1
        assert (
            said
            == {
                "reset-by-other": [TEMPLATE + "9000", "W_RESET_CARD", ""],
                "mute": ["SEM_TIMEOUT", TEMPLATE + "9000", ""],
                "remove-mid-apdu": ["W_REMOVED_CARD", "W_REMOVED_CARD", "W_REMOVED_CARD"],
                "garble-atr": [TEMPLATE + "9000", TEMPLATE + "9000", "W_UNSUPPORTED_CARD"],
            }[plan]
        )


@LINKS
@pytest.mark.parametrize("plan", ["garble-atr", "garble-atr,bytes=1", "garble-atr,bytes=0"])
def test_garble_atr(world, selected, plan):
    program = Program(world)
    world.fault(plan)
    assert program.reconnect() == "W_UNRESPONSIVE_CARD"
    assert program.reconnect() == ""
    assert program.send(SELECT) == selected


def test_garble_atr_of_the_card_that_is_inserted():
    faults = ["garble-atr,times=always"]
    with vreader.world("piv", stack="in-process", faults=faults) as world:
        scard, name = world.scard, world.places[0].name
        context = scard.SCardEstablishContext()
        with pytest.raises(ScardError) as caught:
            scard.SCardConnect(context, name)
        assert caught.value.code in (SCARD.W_UNRESPONSIVE_CARD, SCARD.W_UNPOWERED_CARD)
        world.clear_faults()
        world.remove()
        world.insert()
        scard.SCardConnect(context, name)


@pytest.mark.parametrize("link", ["t1", "t0"])
@pytest.mark.parametrize("harm", ["lose", "cut"])
def test_bad_blocks(world, selected, link, harm):
    program = Program(world)
    armed = world.fault(f"bad-block,harm={harm},blocks=20")
    assert program.send(SELECT) == "E_NOT_TRANSACTED"
    assert program.reconnect() == ""
    assert program.send(SELECT) == selected
    assert armed.struck == 1


@pytest.mark.parametrize("link", ["t1"])
def test_one_bad_block_is_repaired(world, selected):
    program = Program(world)
    heard = []
    world.events.subscribe(heard.append)
    world.fault("bad-block")
    assert program.send(SELECT) == selected
    assert [event.harm for event in heard if getattr(event, "harm", "")] == ["spoil"]


@pytest.mark.parametrize(
    ("link", "plan", "hint"),
    [(None, "bad-block", "--link t1"), ("t0", "bad-block", "harm=lose")],
)
def test_no_bad_block_where_there_is_none(world, plan, hint):
    with pytest.raises(UsageError) as caught:
        world.fault(plan)
    assert hint in caught.value.hint


@LINKS
def test_slow(link, selected):
    """The card answers when the clock says so, and works meanwhile for whoever cancels."""
    clock = ManualClock()
    with vreader.world("piv", stack="in-process", link=link, clock=clock) as world:
        program = Program(world)
        heard = []
        struck = threading.Event()

        def hear(event):
            heard.append(event)
            if isinstance(event, FaultEvent):
                struck.set()

        world.events.subscribe(hear)
        world.fault("slow,seconds=2.5")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(program.send(SELECT)))
        thread.start()
        assert struck.wait(30)
        world.host.run(clock.advance, 2.4)
        assert not answers
        world.host.run(clock.advance, 0.2)
        thread.join(30)
        assert answers == [selected]
        assert next(e for e in heard if isinstance(e, ApduEvent)).seconds == pytest.approx(2.6, 0.1)


@LINKS
def test_a_slow_card_can_be_taken_out(link, selected):
    clock = ManualClock()
    with vreader.world("piv", stack="in-process", link=link, clock=clock) as world:
        program = Program(world)
        struck = threading.Event()
        world.events.subscribe(lambda e: struck.set() if isinstance(e, FaultEvent) else None)
        world.fault("slow,seconds=5")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(program.send(SELECT)))
        thread.start()
        assert struck.wait(30)
        world.remove()
        thread.join(30)
        assert answers == ["E_NO_SMARTCARD"]
        world.host.run(clock.advance, 10)
        world.insert()
        assert Program(world).send(SELECT) == selected


@LINKS
def test_a_fault_is_told_before_what_comes_of_it(world):
    program = Program(world)
    heard = []
    world.events.subscribe(heard.append)
    world.fault("wrong-sw,sw=6983,on=0020008008393939393939FFFF")
    program.send(SELECT)
    program.send(WRONG_PIN)
    told = [event for event in heard if isinstance(event, FaultEvent | ApduEvent)][-2:]
    assert told[0] == FaultEvent("reader0", "wrong-sw", "sw=6983,executed=no")
    assert told[1].response == b"\x69\x83"
    assert "393939" not in repr(told)


def test_what_arrives():
    plan = FaultPlan(Fault.GARBLE_ATR)
    assert garbled(plan, b"\x3b\x80\x01") == b"\xc4\x80\x01"
    assert garbled(FaultPlan(Fault.GARBLE_ATR, bytes=2), b"\x3b\x80\x01") == b"\x3b\x80"
    assert truncated(FaultPlan(Fault.TRUNCATE), b"\x61\x02\x90\x00") == b"\x61"
    assert truncated(FaultPlan(Fault.TRUNCATE, bytes=0), b"\x61\x02\x90\x00") == b""
