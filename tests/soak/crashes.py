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

Tick = Callable[[int], None]

# Tells each acknowledged command on stdout: one write, one whole line.
CHILD = """
import os, sys
from cards.piv import KIND
from vreader.card import FileStore
card = KIND.open(FileStore(sys.argv[1]))
card.power_on()
card.transmit(bytes.fromhex("00A4040005A000000308"))
card.applications[0].state.security.admin = True
n = int(sys.argv[2])
os.write(1, b"ready 0\\n")
while True:
    n += 1
    data = b"\\x5c\\x03\\x5f\\xc1\\x05\\x53\\x81\\xc8" + n.to_bytes(4, "big") * 50
    assert card.transmit(b"\\0\\xdb\\x3f\\xff" + bytes((len(data),)) + data) == b"\\x90\\0"
    os.write(1, b"object %d\\n" % n)
    if n % 4 == 0:
        sw = card.transmit(bytes.fromhex("0020008008393939393939FFFF"))
        os.write(1, b"tries %d\\n" % (sw[1] & 15 if sw[0] == 0x63 else 0))
"""
READ_OBJECT = bytes.fromhex("00CB3FFF055C035FC10500")
SET_TRIES = bytes.fromhex("00FA0F0F")


class Card:
    """The card of the state file, opened in this process between two kills."""

    def __init__(self, path: str) -> None:
        from cards.piv import KIND
        from vreader.card import FileStore

        if Path(path).exists():
            self.card = KIND.open(FileStore(path))
        else:
            self.card = KIND.create("5.4.3", {}, FileStore(path), b"soak")
        self.card.power_on()
        self.card.transmit(SELECT_PIV)

    @property
    def tries(self) -> int:
        """Tries left of the PIN."""
        return int(self.card.applications[0].state.pin.tries_left)

    @property
    def content(self) -> bytes:
        """Content of the object that is written all the time."""
        answer = self.card.transmit(READ_OBJECT)
        return answer[3:-2] if answer[-2:] == b"\x90\x00" else b""

    def renew_tries(self) -> None:
        """Give the PIN all tries back, as an administrator may."""
        security = self.card.applications[0].state.security
        security.admin = security.pin = True
        assert self.card.transmit(SET_TRIES) == b"\x90\x00"


def kills(count: int, chance: random.Random, tick: Tick, over: Callable[[], bool]) -> Iterator[str]:
    """Kill a writing process ``count`` times; yield what was lost or gained."""
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "a.card"))
        number, tries = 0, 0
        for killed in range(count):
            if over():
                return
            card = Card(path)
            if tries < 3:
                card.renew_tries()
            tries = card.tries
            card.card.close()
            acknowledged, told = _one_kill(path, number, chance)
            number, tries = acknowledged or number, min(tries, *told) if told else tries
            try:
                card = Card(path)
            except Exception as error:
                yield f"kill {killed}: the file cannot be opened: {error}"
                return
            content, left = card.content, card.tries
            card.card.close()
            wanted = [n.to_bytes(4, "big") * 50 for n in (number, number + 1)]
            if number and content not in wanted:
                yield f"kill {killed}: object {number} was acknowledged, found {content[:8].hex()}…"
            if left > tries:
                yield f"kill {killed}: {tries} tries left became {left}"
            number = int.from_bytes(content[:4], "big")
            tries = left
            tick(1)


def _one_kill(path: str, number: int, chance: random.Random) -> tuple[int, list[int]]:
    """Start a child, kill it at a random moment; return its last object and its counts of tries."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, path, str(number)], stdout=subprocess.PIPE, bufsize=0
    ) as child:
        assert child.stdout is not None
        assert select.select([child.stdout], [], [], 30)[0], "the child does not start"
        heard = child.stdout.read(64) or b""
        time.sleep(chance.random() ** 2 * 0.03)
        os.kill(child.pid, signal.SIGKILL)
        heard += child.stdout.read()
    pairs = [line.split() for line in heard.decode().splitlines()]
    objects = [int(value) for word, value in pairs if word == "object"]
    return max(objects, default=0), [int(value) for word, value in pairs if word == "tries"]


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
