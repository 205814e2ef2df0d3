# SPDX-License-Identifier: Apache-2.0
"""Worlds in this process: readers, cards, doors, and what a person does to them."""

import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

import vreader
from vreader.bridge.control.client import ask
from vreader.bridge.pcsclite.client import PcscClient
from vreader.clock import ManualClock
from vreader.errors import UsageError, VreaderError
from vreader.host.scard import ScardApi
from vreader.reader.faults import Fault
from vreader.winscard.codes import ScardError, ShareMode
from vreader.world import World

ATR = "atr:3B80800101"


def names_seen(world: World) -> list[str]:
    with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
        return [state.name for state in client.readers()]


def test_one_card_by_default():
    with World() as world:
        (place,) = world.places
        assert place.spec.text == "piv"
        assert names_seen(world) == [place.name] == ["Virtual Reader 00 00"]
        assert world.warnings == []
    world.close()  # once more does no harm


def test_one_may_stand_alone_and_options_are_known():
    with vreader.world(
        "none", stack="in-process", readers="Desk", faults="mute", pinpad="1"
    ) as made:
        assert made.place().name == "Desk 00 00"
        assert [armed.plan.fault for armed in made.faults()] == [Fault.MUTE]
    for wrong, meant in ({"reader": "Desk"}, "readers"), ({"cards": ["piv"]}, "cards come first"):
        with pytest.raises(UsageError, match="no option") as caught:
            vreader.world("none", **wrong)
        assert meant in caught.value.hint


def test_a_forked_child_that_leaves_the_block_harms_nobody():
    with World(["none"]) as made:
        child = os.fork()
        if not child:
            made.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert names_seen(made) == [made.place().name]


def test_programs_see_the_names_that_the_world_says():
    cards = ["none"] * 5
    readers = ["Virtual Reader", "Two Words 00 00", "Yubico YubiKey OTP+FIDO+CCID"]
    with World(cards, readers=readers) as world:
        assert (
            names_seen(world)
            == [place.name for place in world.places]
            == [
                "Virtual Reader 00 00",
                "Two Words 00 00",
                "Yubico YubiKey OTP+FIDO+CCID 00 00",
                "Virtual Reader 2 00 00",
                "Virtual Reader 3 00 00",
            ]
        )


def test_a_world_with_the_ways_of_windows():
    with World([ATR, "none", ATR], readers=["ACR 39"], profile="windows") as world:
        names = ["ACR 39 0", "Virtual Reader 0", "Virtual Reader 1"]
        assert names_seen(world) == [place.name for place in world.places] == names
        api = ScardApi(world.host)
        context = api.SCardEstablishContext()
        hcard, _ = api.SCardConnect(context, "acr 39 0", ShareMode.DIRECT, 0)
        with pytest.raises(ScardError):
            api.SCardConnect(context, "ACR 39 0", ShareMode.DIRECT, 0)
        api.SCardDisconnect(hcard)


@pytest.mark.parametrize(
    "options",
    [
        {"readers": ["A", "B"]},
        {"readers": [""]},
        {"readers": ["A 00 01"]},
        {"readers": ["A 01 00"]},
        {"readers": ["x" * 70]},
        {"stack": "nonsense"},
        {"profile": "nonsense"},
        {"profile": "windows", "stack": "pcscd"},
        {"profile": "windows", "readers": [""]},
        {"stack": "pcscd", "vpcd": "a:1"},
        {"stack": "pcscd", "socket": "s"},
        {"stack": "twin", "vpcd": "a:1"},
        {"stack": "twin", "socket": "s"},
        {"stack": "twin", "link": "t1,crc"},
        {"vpcd": "a:1", "socket": "s"},
        {"vpcd": ":"},
        {"socket": ""},
        {"unmask": True},
        {"pinpad": ["1234"], "stack": "pcscd"},
        {"pinpad": ["1234"], "vpcd": "a:1"},
        {"pinpad": "12a4"},
        {"pinpad": ["1234", ""]},
    ],
    ids=repr,
)
def test_options_that_do_not_go(options):
    with pytest.raises(UsageError) as caught:
        World(["none"], **options)
    assert caught.value.hint


@pytest.mark.parametrize("pinpad", ["123456,cancel", ["123456", "cancel"], "finger", ()])
def test_pinpads(pinpad):
    """One person types on all pinpads of a world."""
    entries = ["123456", "cancel"]
    finger = (lambda prompt: entries.pop(0)) if pinpad == "finger" else pinpad
    with World(["none", "none"], pinpad=finger) as world:
        api = ScardApi(world.host)
        context = api.SCardEstablishContext()
        for place in world.places:
            handle, _ = api.SCardConnect(context, place.name, ShareMode.DIRECT, 0)
            features = api.SCardControl(handle, 0x42000D48)
            assert features[::6] == (b"\6\7\x0a\x12" if pinpad else b"\x12")


class Recorder:
    """A card class file that counts what is made and closed."""

    TEXT = """
made, closed = [], []
class Card:
    def __init__(self, name="x", fail=""):
        if fail:
            raise RuntimeError(fail)
        self.name = name
        made.append(name)
    def power_on(self): return bytes.fromhex("3B80800101")
    def reset(self): return bytes.fromhex("3B80800101")
    def power_off(self): pass
    def transmit(self, c_apdu): return self.name.encode() + bytes((0x90, 0))
    def close(self):
        closed.append(self.name)
        if self.name == "bad":
            raise RuntimeError("cannot close")
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "recorder.py").write_text(Recorder.TEXT)
    return f"{tmp_path}/recorder.py:Card"


@pytest.fixture
def closed(spec):
    """Names of the cards closed so far; the module of the file is made anew for each card."""
    import sys

    return lambda: sys.modules["vreader_user_recorder"].closed


def test_every_card_is_closed_once(spec, closed):
    with World([f"{spec},name=a"]) as world:
        world.remove()
        world.insert()
        assert closed() == []
    assert closed() == ["a"]


def test_everything_else_is_closed_when_a_card_cannot_be(spec):
    world = World([f"{spec},name=bad", ATR])
    socket = Path(world.environment["PCSCLITE_CSOCK_NAME"])
    with pytest.raises(RuntimeError, match="cannot close"):
        world.close()
    assert not socket.parent.exists()


def test_a_world_that_cannot_be_made_leaves_nothing(spec, closed, monkeypatch):
    made = []

    class Spy(World):
        def _make(self, card):
            made.append(self.directory)
            return super()._make(card)

    with pytest.raises(UsageError, match="failed"):
        Spy([f"{spec},name=a", f"{spec},fail=failed"])
    assert not Path(made[0]).exists()
    assert not any("control" in thread.name for thread in threading.enumerate())


def test_another_card_replaces_the_first(spec):
    with World([f"{spec},name=a"]) as world:
        world.remove()
        place = world.insert(card=f"{spec},name=b")
        assert place.card.name == "b"
        assert place.reader.card is place.card
        world.reset()
        assert place.card.name == "b"


@pytest.mark.parametrize("wrong", ["nonsense", "none", ",", "fail"])
def test_a_card_that_cannot_be_made_changes_nothing(spec, wrong):
    with World([f"{spec},name=a"]) as world:
        (place,) = world.places
        card = place.card
        world.remove()
        with pytest.raises(UsageError):
            world.insert(card=f"{spec},fail=on purpose" if wrong == "fail" else wrong)
        assert place.card is card
        assert world.insert().reader.card is card


def test_a_reset_that_fails_puts_the_card_back(spec, tmp_path):
    with World([f"{spec},name=a"]) as world:
        (place,) = world.places
        card = place.card
        (tmp_path / "recorder.py").write_text("broken")
        with pytest.raises(UsageError, match="cannot be loaded"):
            world.reset()
        assert place.reader.card is card


def test_state_files_are_kept_by_their_card(tmp_path):
    first, second = (f"piv,state={tmp_path}/{name}" for name in "ab")
    with World([first, second]) as world:
        with pytest.raises(VreaderError, match="in use by this process"):
            World([first])
        world.remove(0)
        with pytest.raises(VreaderError, match="in use by this process"):
            world.insert(0, second)
        world.insert(0)
        world.reset(0)
        assert world.places[0].reader.card is not None


def test_which_reader():
    with World(["none", ATR]) as world:
        for reader in (1, "1", "Virtual Reader 2 00 00"):
            assert world.place(reader) is world.places[1]
        for reader in (None, 2, -1, "2", "", "Virtual"):
            with pytest.raises(UsageError):
                world.place(reader)


def test_hands_are_refused_what_they_cannot_do():
    with World([ATR, "none"]) as world:
        for act, reader in (
            (world.insert, 0),
            (world.remove, 1),
            (world.insert, 1),
            (world.reset, 1),
        ):
            with pytest.raises(VreaderError) as caught:
                act(reader)
            assert caught.value.hint


def test_control_door_of_a_world():
    quits = threading.Event()
    with World([ATR]) as world:
        world.quit = quits.set
        control = world.environment["VREADER_CONTROL"]
        (told,) = ask(control, {"op": "list"})["readers"]
        assert told == {
            "reader": "Virtual Reader 00 00",
            "card": ATR,
            "inserted": True,
            "state": told["state"],
        }
        assert ask(control, {"op": "remove", "reader": 0})["inserted"] is False
        assert ask(control, {"op": "insert", "card": "piv"})["card"] == "piv"
        assert ask(control, {"op": "quit"}) == {"ok": True}
        assert quits.is_set()


@pytest.mark.parametrize(
    "request_",
    [
        {"op": "nonsense"},
        {"op": "remove", "reader": True},
        {"op": "remove", "reader": 1.5},
        {"op": "remove", "reader": [[]]},
        {"op": "remove", "reader": 10**4000},
        {"op": "insert", "reader": 0, "card": 7},
        {"op": "insert", "reader": 1, "card": "piv,state=\0"},
        {"op": "insert", "reader": 1, "card": "piv,state=\ud800"},
    ],
    ids=lambda request: str(request)[:60],
)
def test_control_requests_that_make_no_sense(request_):
    with World([ATR, "none"]) as world:
        control = world.environment["VREADER_CONTROL"]
        with pytest.raises(VreaderError) as caught:
            ask(control, request_)
        assert caught.value.exit_code == 2
        assert caught.value.hint
        assert ask(control, {"op": "list"})["ok"] is True


def test_a_world_in_the_process_has_no_doors():
    before = set(threading.enumerate())
    with World(["piv", "none"], stack="in-process") as world:
        assert {thread.name for thread in set(threading.enumerate()) - before} <= {"timers"}
        assert (world.directory, world.environment) == ("", {})
        scard = world.scard
        assert scard is world.scard
        context = scard.SCardEstablishContext()
        assert scard.SCardListReaders(context) == [place.name for place in world.places]
        card, protocol = scard.SCardConnect(context, world.places[0].name)
        assert (
            scard.SCardTransmit(card, protocol, bytes.fromhex("00A4040005A000000308"))[-2:]
            == b"\x90\0"
        )
        world.remove(0)
        world.insert(0)


def test_two_hundred_worlds_in_one_process():
    with ExitStack() as worlds:
        made = [worlds.enter_context(World(stack="in-process")) for _ in range(200)]
        for world in made:
            context = world.scard.SCardEstablishContext()
            card, protocol = world.scard.SCardConnect(context, world.places[0].name)
            assert world.scard.SCardTransmit(card, protocol, b"\0\xa4\4\0")[-2:]
        made[7].remove()
        assert not made[7].places[0].inserted
        assert made[8].places[0].reader.card is not None


def test_a_clock_of_its_own():
    clock = ManualClock()
    with World(stack="in-process", clock=clock) as world:
        assert world.host.clock is clock
    with pytest.raises(UsageError, match="clock"):
        World(clock=clock)


def test_a_world_of_somebody_elses_manager_has_no_scard(spec):
    with World([spec], vpcd="127.0.0.1:1") as world, pytest.raises(UsageError, match="no resource"):
        _ = world.scard
