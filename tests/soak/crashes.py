# SPDX-License-Identifier: Apache-2.0
"""Sudden ends: kill -9 of a process that writes to a card's file, restarts of pcscd under load."""

import contextlib
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from surfaces import SELECT_PIV, new_piv_card
from writers import WRITERS, Writer

Tick = Callable[[int], None]
PROGRAM = Path(__file__).with_name("writers.py")
LEAST_TRIES = 8


def kills(
    kind: str, count: int, chance: random.Random, tick: Tick, over: Callable[[], bool]
) -> Iterator[str]:
    """Kill a process that writes to a card of ``kind``, ``count`` times; yield what was wrong.

    Wrong is an acknowledged command that is not in the file, a change that no command made, and a
    retry counter above what the last answer said.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "a.card"))
        number = 0
        for killed in range(count):
            if over():
                return
            before = _prepared(kind, path)
            told = _one_kill(kind, path, number, chance)
            try:
                writer = WRITERS[kind](path)
            except Exception as error:
                yield f"kill {killed}: the file cannot be opened: {error}"
                return
            number = max((n for _, n, _ in told), default=number) + 1
            acknowledged = {**before, **{word: value for word, _, value in told}}
            for word, value in acknowledged.items():
                if wrong := _judge(writer, word, value, number):
                    yield f"kill {killed}: {wrong}"
            writer.card.close()
            tick(1)


def _prepared(kind: str, path: str) -> dict[str, str]:
    """Renew the tries when they run out; return what the card holds."""
    writer = WRITERS[kind](path)
    if int(writer.found("wrong")) < LEAST_TRIES:
        writer.renew()
    before = {word: writer.found(word) for word in writer.words}
    writer.card.close()
    return before


def _judge(writer: Writer, word: str, acknowledged: str, under_way: int) -> str:
    """Return what is wrong with the value of ``word``, given the command that was under way."""
    found = writer.found(word)
    if found == acknowledged:
        return ""
    if word == writer.words[under_way % len(writer.words)]:
        if word == "generate" and found:
            return ""
        possible = (
            max(int(acknowledged) - 1, 0) if word == "wrong" else writer.value(word, under_way)
        )
        if found == str(possible):
            return ""
    if word == "wrong":
        return f"{acknowledged} tries left became {found}"
    return f"{word} {acknowledged[:40]!r} was acknowledged, found {found[:40]!r}"


def _one_kill(
    kind: str, path: str, number: int, chance: random.Random
) -> list[tuple[str, int, str]]:
    """Start a writer, kill it at a random moment; return what it told: word, number, value."""
    with subprocess.Popen(
        [sys.executable, PROGRAM, kind, path, str(number)], stdout=subprocess.PIPE, bufsize=0
    ) as child:
        assert child.stdout is not None
        assert select.select([child.stdout], [], [], 30)[0], "the child does not start"
        heard = child.stdout.read(64) or b""
        time.sleep(chance.random() * 0.06)
        os.kill(child.pid, signal.SIGKILL)
        heard += child.stdout.read()
    assert child.returncode == -signal.SIGKILL, "the child died by itself"
    lines = [line.split() for line in heard.decode().splitlines()]
    return [(word, int(n), value) for word, n, value in lines if word != "ready"]


def restarts(count: int, tick: Tick, over: Callable[[], bool]) -> Iterator[str]:
    """Restart a private pcscd under load; yield each time when the card did not come back."""
    from vreader.bridge.pcsclite.client import PcscClient
    from vreader.bridge.vpcd.card_end import VpcdDoor
    from vreader.bridge.vpcd.pcscd import PrivatePcscd
    from vreader.errors import VreaderError
    from vreader.host import Host

    reader = "Soak Reader 00 00"
    stopping = threading.Event()
    exchanges = [0]

    def transmit_once(path: str, times: int) -> None:
        with PcscClient(path, timeout_s=10) as client:
            client.establish()
            card, protocol = client.connect(reader, 2, 3)
            for _ in range(times):
                client.begin(card)
                answer = client.transmit(card, protocol, SELECT_PIV)
                assert answer[-2:] == b"\x90\x00", answer.hex()
                client.end(card)
                exchanges[0] += 1

    def load(path: str) -> None:
        while not stopping.is_set():
            with contextlib.suppress(VreaderError):  # it is being restarted
                transmit_once(path, 10_000)

    with contextlib.ExitStack() as stack:
        pcscd = stack.enter_context(PrivatePcscd([reader]))
        host = stack.enter_context(Host(None))
        virtual = host.add_reader(reader)
        virtual.insert(new_piv_card())
        door = VpcdDoor(reader, host.open_device(virtual.link), pcscd.dials[0])
        stack.callback(door.stop)
        door.start()
        pcscd.wait_until_seen()
        path = str(pcscd.socket_path)
        threads = [threading.Thread(target=load, args=(path,), daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
            stack.callback(thread.join, 15)
        stack.callback(stopping.set)
        for done in range(count):
            if over():
                return
            before, limit = exchanges[0], time.monotonic() + 5
            while exchanges[0] == before and time.monotonic() < limit:
                time.sleep(0.01)  # there must be load, else it is no restart under load
            try:
                pcscd.restart()
                pcscd.wait_until_seen()
            except VreaderError as error:
                yield f"restart {done}: {error}"
                return
            tick(1)
        if exchanges[0] < count:
            yield f"only {exchanges[0]} exchanges between {count} restarts"
