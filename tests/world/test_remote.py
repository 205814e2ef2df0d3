# SPDX-License-Identifier: Apache-2.0
"""Worlds in a helper process: as those in this one, and gone with it, with us, and with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vreader.bridge.pcsclite.client import PcscClient
from vreader.clock import ManualClock
from vreader.errors import UsageError, VreaderError
from vreader.reader.faults import Fault, FaultPlan
from vreader.world.remote import Helper

ATR = "atr:3B80800101"
PATIENCE_S = 30


@pytest.fixture(scope="module")
def helper():
    with Helper() as helper:
        yield helper


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_world_as_any_other(helper):
    with helper.world("piv,pin=654321", "none", readers=["Desk"]) as world:
        with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
            names = [state.name for state in client.readers()]
        assert names == [place.name for place in world.places]
        assert names == ["Desk 00 00", "Virtual Reader 00 00"]
        assert world.place(0) == world.place("0") == world.place("Desk 00 00")
        assert world.place(0).label == "piv"
        assert not world.remove(0).inserted
        assert not world.place(0).inserted
        assert world.insert(0).inserted
        assert world.insert(1, ATR).label == ATR
        assert world.reset(1).inserted
        assert "card inserted" in "".join(world.last_events(6))
        assert "654321" not in world.report()
        assert world.report().startswith("Desk 00 00 (reader0): piv, inserted")
        assert "last events:" not in world.report(0)
        numbers = [entry["number"] for entry in world.log()]
        assert [entry["number"] for entry in world.log(after=1)] == numbers[1:]
    assert not Path(world.directory).exists()
    world.close()
    with pytest.raises(UsageError, match="closed"):
        _ = world.places


def test_faults(helper):
    with helper.world(ATR, ATR) as world:
        first, second = (place.name for place in world.places)
        assert world.fault(1, "mute,times=3") == (second, FaultPlan(Fault.MUTE, times=3), 0, 0, 3)
        assert world.fault(FaultPlan(Fault.SLOW, reader=first)).reader == first
        assert world.fault("wrong-sw,sw=6983,reader=1").plan.sw == 0x6983
        assert [fault.reader for fault in world.faults()] == [first, second, second]
        assert len(world.faults(0)) == 1
        world.clear_faults(1)
        assert len(world.faults()) == 1
        world.clear_faults()
        assert world.faults() == []
        for wrong in ((0, "explode"), (7, "mute"), (None, "mute"), (0, None), (None, None)):
            with pytest.raises(UsageError) as caught:
                world.fault(*wrong)
            assert caught.value.hint


def test_many_worlds_one_process(helper):
    worlds = [helper.world(ATR) for _ in range(12)]
    assert len({world.directory for world in worlds}) == 12
    worlds[3].remove()
    assert [world.place().inserted for world in worlds].count(False) == 1
    for world in worlds:
        world.close()


@pytest.mark.parametrize(
    ("cards", "options", "message"),
    [
        (["pvi"], {}, "unknown card kind"),
        ([], {"reader": "A"}, "a world has no option 'reader'"),
        ([], {"stack": "in-process"}, "cannot be in another process"),
        ([], {"stack": "nonsense"}, "unknown stack"),
        ([], {"clock": ManualClock()}, "clock of its own"),
        ([], {"pinpad": print}, "texts and numbers"),
        ([], {"trace": "/nowhere/x.jsonl"}, "cannot write the trace"),
    ],
)
def test_worlds_that_cannot_be(helper, cards, options, message):
    with pytest.raises(VreaderError, match=message) as caught:
        helper.world(*cards, **options)
    assert caught.value.hint
    assert isinstance(caught.value, UsageError) is (caught.value.exit_code == 2)


def test_a_bug_is_told_and_ends_no_other_world(helper, tmp_path, monkeypatch):
    (tmp_path / "card.py").write_text(
        "class Card:\n"
        "    def power_on(self): return bytes.fromhex('3B80800101')\n"
        "    reset = power_on\n"
        "    def power_off(self): pass\n"
        "    def transmit(self, c_apdu): return bytes((0x90, 0))\n"
        "    def close(self): raise RuntimeError('cannot close')\n"
    )
    monkeypatch.chdir(tmp_path)
    with helper.world(ATR) as other:
        world = helper.world("card.py:Card")
        with pytest.raises(VreaderError, match="RuntimeError: cannot close") as caught:
            world.close()
        assert caught.value.hint
        assert other.place().inserted
    assert not Path(world.directory).exists()


@pytest.mark.parametrize("reader", [None, 2, "x"])
def test_which_reader(helper, reader):
    with helper.world(ATR, ATR) as world:
        for act in (world.place, world.remove):
            with pytest.raises(UsageError) as caught:
                act(reader)
            assert "Virtual Reader 2 00 00" in caught.value.hint


def test_names_of_files_and_modules_mean_what_they_mean_here(helper, tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "vt_answers.py").write_text("ATR = bytes.fromhex('3B80800101')\n")
    (tmp_path / "mine.py").write_text(
        "from vt_answers import ATR\n"
        "class Card:\n"
        "    def power_on(self): return ATR\n"
        "    reset = power_on\n"
        "    def power_off(self): pass\n"
        "    def transmit(self, c_apdu): return bytes((0x90, 0))\n"
    )
    # A directory called cards must not hide ours.
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "own")
    with Helper() as own, own.world("mine.py:Card", "piv") as world:
        assert [place.inserted for place in world.places] == [True, True]


def test_a_directory_that_has_gone_harms_nobody(helper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    with helper.world(ATR) as world:
        assert world.place().inserted


def test_a_helper_that_dies_is_told_and_replaced():
    with Helper() as helper:
        assert helper.pid is None
        world = helper.world(ATR)
        first = helper.pid
        os.kill(first, signal.SIGKILL)
        for act in (world.remove, world.close):
            with pytest.raises(VreaderError, match="killed by SIGKILL") as caught:
                act()
            assert caught.value.hint
        world.close()
        with helper.world(ATR) as other:
            assert other.place().inserted
            assert helper.pid not in (None, first)
        assert not Path(world.directory).exists()  # swept up by the next start
    assert helper.pid is None
    helper.close()


def test_a_helper_that_is_ended_leaves_nothing():
    with Helper() as helper:
        world = helper.world(ATR)
        os.kill(helper.pid, signal.SIGTERM)
        with pytest.raises(VreaderError, match="exit code 0"):
            world.remove()
        assert not Path(world.directory).exists()


def test_a_closed_helper_has_closed_its_worlds():
    helper = Helper()
    world = helper.world(ATR)
    helper.close()
    assert not Path(world.directory).exists()
    world.close()


def test_a_forked_child_is_refused_and_harms_nobody(helper):
    with helper.world(ATR) as world:
        child = os.fork()
        if not child:
            try:
                world.remove()
            except VreaderError:
                helper.close()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert world.place().inserted


HOLD = """
import os, sys, time
from vreader.world.remote import Helper
helper = Helper()
world = helper.world()
if {fork} and not os.fork():
    time.sleep(60)
    os._exit(0)
print(helper.pid, world.directory, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("fork", [False, True])
def test_it_dies_with_its_parent(fork):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.format(fork=fork)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        pid, directory = parent.stdout.readline().split()
        assert Path(directory, "pcscd.comm").is_socket()
        parent.kill()
        parent.wait()
        wait_until(lambda: not runs(pid))
        assert not Path(directory).exists()
        if fork:
            os.killpg(parent.pid, signal.SIGKILL)
