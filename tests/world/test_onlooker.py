# SPDX-License-Identifier: Apache-2.0
"""Who inserts or removes a card goes on when PC/SC programs see it: no test need ever sleep."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from foreign_pcscd import foreign_pcscd

from vreader.bridge.control.client import ask
from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.wire import ReaderBits
from vreader.errors import VreaderError
from vreader.winscard.codes import ReaderFlag
from vreader.winscard.status_change import ReaderState as ScardState
from vreader.world import World

ATRS = ("3B80800101", "3B8180018080")
CYCLES = 20
PATIENCE_S = 60


def opensc_tool(world: World) -> str:
    """Return what a real program says of the first reader's card, at this moment."""
    done = subprocess.run(
        ["opensc-tool", "--reader", "0", "--atr"],
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return (done.stdout + done.stderr).strip().replace(":", "")


def states(world: World) -> list[tuple[int, int]]:
    """Return (reader state bits, event counter) of each reader, as a new client sees them."""
    with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
        return [(state.state, state.event_counter) for state in client.readers()]


def cycle(stack: str) -> None:
    with World([f"atr:{ATRS[0]}"], stack=stack) as world:
        _, before = states(world)[0]
        for number in range(CYCLES):
            world.remove()
            assert "not present" in opensc_tool(world), (stack, number)
            world.insert(card=f"atr:{ATRS[number % 2]}")
            assert ATRS[number % 2].lower() in opensc_tool(world), (stack, number)
        state, counter = states(world)[0]
        assert state & ReaderBits.PRESENT
        assert counter - before == 2 * CYCLES  # no movement was lost


@pytest.mark.clients
@pytest.mark.pcscd
def test_a_program_right_after_sees_what_was_done(need):
    need("opensc-tool", "opensc")
    need("/usr/sbin/pcscd", "pcscd")
    with ThreadPoolExecutor() as threads:
        list(threads.map(cycle, ("embedded", "pcscd", "twin")))


@pytest.mark.parametrize("minor", [4, 5, 6])
def test_a_client_that_waits_sees_every_movement(minor):
    """Also where the state is at once what it was, and its event counter was still 0."""
    with (
        World(["none"]) as world,
        PcscClient(world.environment["PCSCLITE_CSOCK_NAME"], minor) as client,
        ThreadPoolExecutor() as hands,
    ):
        client.establish()
        for _ in range(20):
            assert client.wait()[0].state == ReaderBits.ABSENT
            moved = hands.submit(come_and_go, world)
            assert client.receive_signal(PATIENCE_S).rv == 0
            assert client.readers()[0].state & ReaderBits.PRESENT
            moved.result(PATIENCE_S)
        assert client.readers()[0].event_counter == 40


def come_and_go(world: World) -> None:
    world.insert(card=f"atr:{ATRS[0]}")
    world.remove()


def test_a_client_that_does_something_else_learns_of_it_later():
    """A card came and went meanwhile: the event counter tells."""
    with (
        World([f"atr:{ATRS[0]}"]) as world,
        PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client,
    ):
        known = client.readers()
        for _ in range(20):
            world.remove()
            world.insert()
            now = client.get_status_change(known, PATIENCE_S)
            assert now[0].state == known[0].state
            assert now[0].event_counter == known[0].event_counter + 2
            known = now


@pytest.mark.parametrize("stack", ["in-process", "embedded"])
def test_a_thread_that_waits_sees_every_movement(stack):
    """By the functions of the world in this process."""
    with World(["none"], stack=stack) as world, ThreadPoolExecutor() as hands:
        api, name = world.scard, world.places[0].name
        context = api.SCardEstablishContext()
        for _ in range(20):
            waiting = hands.submit(
                api.SCardGetStatusChange,
                context,
                PATIENCE_S * 1000,
                [ScardState(name, ReaderFlag.EMPTY)],
            )
            while not api._waits:
                pass
            come_and_go(world)
            (seen,) = waiting.result(PATIENCE_S)
            assert seen.event_state & ReaderFlag.PRESENT


def test_hands_of_an_event_that_the_host_tells():
    """Inside the host nothing can be published yet: that is no reason to wait for it."""
    with World([f"atr:{ATRS[0]}"], stack="in-process") as world:
        world.remove()
        world.host.run(world.insert)
        context = world.scard.SCardEstablishContext()
        (state,) = world.scard.SCardGetStatusChange(
            context, 0, [ScardState(world.places[0].name, ReaderFlag.UNAWARE)]
        )
        assert state.event_state & ReaderFlag.PRESENT


def test_a_client_that_is_stopped_holds_up_nobody():
    with World(["none"]) as world:
        with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
            client.establish()
            client.wait()
            world.insert(card="atr:3B80800101")  # it does not look
            assert client.receive_signal(PATIENCE_S).rv == 0
        world.remove()


def test_the_embedded_stack_through_libpcsclite(need, tmp_path):
    """One program, one context: it looks after each movement, and is never early."""
    need("gcc", "gcc")
    source, program = tmp_path / "look.c", tmp_path / "look"
    source.write_text(LOOK)
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "libpcsclite"], text=True)
    subprocess.run(["gcc", "-o", program, source, *flags.split()], check=True)
    with (
        World([f"atr:{ATRS[0]}"]) as world,
        subprocess.Popen(
            [program],
            env={**os.environ, **world.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as looking,
    ):

        def look() -> tuple[bool, int]:
            looking.stdin.write("\n")
            looking.stdin.flush()
            present, counter = map(int, looking.stdout.readline().split())
            return bool(present), counter

        _, counter = look()
        for number in range(200):
            world.remove()
            assert look() == (False, counter + 2 * number + 1)
            world.insert()
            assert look() == (True, counter + 2 * number + 2)
        looking.stdin.close()


LOOK = r"""
#include <stdio.h>
#include <winscard.h>
int main(void) {
    SCARDCONTEXT context;
    char name[256];
    DWORD length = sizeof name;
    if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, 0, 0, &context)) return 1;
    if (SCardListReaders(context, 0, name, &length)) return 2;
    while (getchar() != EOF) {
        SCARD_READERSTATE state = {.szReader = name, .dwCurrentState = SCARD_STATE_UNAWARE};
        if (SCardGetStatusChange(context, 0, &state, 1)) return 3;
        printf("%d %d\n", !!(state.dwEventState & SCARD_STATE_PRESENT),
               (int)(state.dwEventState >> 16));
        fflush(stdout);
    }
    return 0;
}
"""


@pytest.mark.pcscd
def test_a_card_that_no_program_can_see(need):
    """Its ATR is garbled: whoever inserts it is told, and does not wait in vain."""
    need("/usr/sbin/pcscd", "pcscd")
    with World(["none"], stack="pcscd") as world:
        place = world.insert(card="atr:ABCD")
        assert "cannot be powered up" in place.unseen
        assert (
            "cannot be powered up"
            in ask(world.environment["VREADER_CONTROL"], {"op": "reset"})["unseen"]
        )
        world.remove()
        assert place.unseen == ""
        assert world.insert(card=f"atr:{ATRS[0]}").unseen == ""
        assert states(world)[0][0] & ReaderBits.PRESENT


def test_a_mute_card_is_seen_to_be_one(tmp_path):
    with World(["atr:ABCD"]) as world:
        world.reset()
        assert world.places[0].unseen == ""
        assert states(world)[0][0] == ReaderBits.PRESENT | ReaderBits.SWALLOWED


@pytest.mark.pcscd
@pytest.mark.clients
def test_somebody_elses_pcscd(need, monkeypatch):
    """Behind its own vpcd; where its socket can be reached programs see the card in time."""
    need("/usr/sbin/pcscd", "pcscd")
    with foreign_pcscd() as pcscd:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", pcscd.socket)
        cards = [f"atr:{atr}" for atr in ATRS]
        with World(cards, vpcd=f"127.0.0.1:{pcscd.port}") as world:
            world.environment["PCSCLITE_CSOCK_NAME"] = pcscd.socket
            for place in world.places:  # whether pcscd has seen it yet or not
                world.reset(place.name)
                assert place.unseen == ""
            for _ in range(2):
                assert world.remove(0).unseen == ""
                assert "not present" in opensc_tool(world)
                assert world.insert(0).unseen == ""
                assert ATRS[0].lower() in opensc_tool(world)


def test_somebody_elses_pcscd_that_cannot_be_reached(monkeypatch, tmp_path):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(tmp_path / "nobody"))
    with World([f"atr:{ATRS[0]}"], vpcd="127.0.0.1:1") as world:
        began = time.monotonic()
        assert "whether pcscd sees it is not known" in world.remove().unseen
        assert "is not known" in world.insert().unseen
        assert time.monotonic() - began < PATIENCE_S


def test_a_reader_that_is_stuck_is_told_of(monkeypatch):
    """A command of another program keeps the reader; the card behind it cannot be greeted."""
    monkeypatch.setattr("vreader.world.onlooker.SEEN_S", 0.05)
    with World([f"atr:{ATRS[0]}"]) as world:
        name = world.places[0].name
        world.remove()
        world.host.rm.readers[name].busy = True
        with pytest.raises(VreaderError, match=f"does not see the card in {name}") as caught:
            world.insert()
        assert caught.value.hint
        world.host.rm.readers[name].busy = False
