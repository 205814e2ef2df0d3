# SPDX-License-Identifier: Apache-2.0
"""The surfaces a hostile peer can reach, each with a generator, a way in, and an innocent client.

A *case* is bytes: what the peer sends on one connection, or the commands one card gets. It is what
lies in ``tests/corpus``. ``play`` sends it and returns what was wrong, None for nothing;
``innocent`` lets a well-behaved client complete a transaction. All waiting has a limit, so a hang
is a finding.
"""

import abc
import contextlib
import queue
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import ClassVar, Self

from mutate import Mutator

from vreader.events import Event
from vreader.host import Host

LIMIT_S = 10.0
SELECT_PIV = bytes.fromhex("00A4040005A000000308")
COMMANDS = [
    bytes.fromhex(text)
    for text in (
        "00A4040005A000000308", "00A4040009A00000030800001000", "00A4040008A000000527471117",
        "0020008000", "0020008008313233343536FFFF", "0020008008393939393939FFFF", "0020FF8000",
        "0024008010313233343536FFFF313233343536FFFF", "0024008110" + "3132333435363738" * 2,
        "002C0080103132333435363738313233343536FFFF", "00CB3FFF055C035FC10200",
        "00CB3FFF035C017E00", "00CB3FFF055C035FFF0100", "00DB3FFF0A5C035FC1055303AABBCC",
        "10DB3FFF0A5C035FC1055303AABB", "00DB3FFF01CC", "0047009A05AC0380011100",
        "0087119A0C7C0A82008106AABBCCDDEEFF00", "0087039B047C02800000", "0087039B047C02810000",
        "0087039B0C7C0A8208000000000000000000", "0087119D477C45820085410400" + "11" * 64,
        "00FD000000", "00F8000000", "00F7009B00", "00F7008000", "00F7009A00", "00F99A0000",
        "00FA0303", "00FB0000", "00FE119A220620" + "11" * 32,
        "00FFFFFF1B039B18" + "0102030405060708" * 3, "00C0000000", "001D000000",
        "00CB3FFF0000055C035FC1020000", "00000000", "FFFFFFFF",
    )
]  # fmt: skip


class Surface(abc.ABC):
    """One surface, open as a context manager.

    Attributes:
        name: also the directory of its corpus.
        broken: what threads and events reported since it was last asked for.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        before = threading.excepthook
        threading.excepthook = self._thread_died
        self.stack.callback(setattr, threading, "excepthook", before)
        try:
            self.open()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stack.close()

    def _thread_died(self, args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        self.broken.append(f"thread {name!r} died: {args.exc_type.__name__}: {args.exc_value}")

    def hear(self, event: Event) -> None:
        """Take faults of doors and cards as findings."""
        if type(event).__name__ in ("DoorFaultEvent", "CardFaultEvent"):
            self.broken.append(str(event))

    @abc.abstractmethod
    def open(self) -> None:
        """Set it up; what is to be taken down goes to ``stack``."""

    @abc.abstractmethod
    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        """Return a new case and how many inputs it counts for."""

    def play(self, case: bytes) -> str | None:
        """Send a case; return what was wrong."""
        raise NotImplementedError

    def innocent(self) -> None:
        """Complete a transaction as a well-behaved client; raises whatever goes wrong."""
        raise NotImplementedError

    def check(self, case: bytes) -> str | None:
        """Play a case and let an innocent client work; return what was wrong."""
        try:
            wrong = self.play(case)
            self.innocent()
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if self.broken:
            wrong = self.broken[0]
            self.broken.clear()
        return wrong


def drain(sock: socket.socket) -> bytes:
    """Read to the end of a connection; a peer that does not end it is a TimeoutError."""
    sock.settimeout(LIMIT_S)
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            received += part
    return bytes(received)


def send_all(sock: socket.socket, data: bytes) -> None:
    """Send a case and say that nothing more comes; the peer may have hung up meanwhile."""
    sock.settimeout(LIMIT_S)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)


def frames(case: bytes) -> Iterator[bytes]:
    """Cut bytes into what a 16-bit length before each says; the rest of a cut one is dropped."""
    at = 0
    while at + 2 <= len(case):
        end = at + 2 + int.from_bytes(case[at : at + 2])
        yield case[at + 2 : end]
        at = end


def framed(parts: list[bytes]) -> bytes:
    """Return the inverse of :func:`frames`."""
    return b"".join(len(part).to_bytes(2) + part for part in parts)


def new_piv_card() -> object:
    """Return a PIV card in memory, always the same one."""
    from cards.piv import KIND
    from vreader.card import MemoryStore

    return KIND.create("5.4.3", {}, MemoryStore(), b"soak")


def random_apdu(mutator: Mutator, commands: list[bytes] = COMMANDS) -> bytes:
    """Return a command: good, mutated, or noise."""
    kind = mutator.chance.random()
    if kind < 0.2:
        return mutator.chance.choice(commands)
    if kind < 0.85:
        return mutator.mutate(mutator.chance.choice(commands), commands)
    return mutator.noise(300)


class Apdus(Surface):
    """APDUs to a card object, here of a PIV card. Frames of a case: a C-APDU each; empty is a
    reset, and a frame FF 'admin' gives the session all rights behind the card's back."""

    name = "apdu"
    ADMIN = b"\xffadmin"
    LENGTH = 40
    SELECT = SELECT_PIV
    COMMANDS = COMMANDS
    INNOCENT = bytes.fromhex("00CB3FFF035C017E00")
    WORKS = (b"\x90\x00",)

    def new_card(self) -> object:
        """Return a new card, always the same one."""
        return new_piv_card()

    def take_rights(self) -> None:
        """Be the administrator."""
        self.card.applications[0].state.security.admin = True

    def tries(self) -> tuple[int, ...]:
        """Return the retry counters."""
        state = self.card.applications[0].state
        return state.pin.tries_left, state.puk.tries_left

    def open(self) -> None:
        """Nothing to set up: each case has a card of its own."""

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        parts = [self.SELECT]
        for _ in range(self.LENGTH):
            kind = mutator.chance.random()
            parts.append(
                b""
                if kind < 0.02
                else self.ADMIN
                if kind < 0.06
                else random_apdu(mutator, self.COMMANDS)
            )
        return framed(parts), len(parts)

    def play(self, case: bytes) -> str | None:
        card = self.card = self.new_card()
        card.power_on()
        for command in frames(case):
            if not command:
                card.reset()
                continue
            if command == self.ADMIN:
                self.take_rights()
                continue
            before = self.tries()
            answer = card.transmit(command)
            if len(answer) < 2 or answer[-2] >> 4 not in (6, 9):
                return f"{command.hex()} → {answer.hex()!r} is no answer of a card"
            if answer[-2] == 0x63 and any(
                a > b for a, b in zip(self.tries(), before, strict=False)
            ):
                return f"{command.hex()} → {answer.hex()} gave a try back"
        return None

    def innocent(self) -> None:
        card = self.card
        card.power_on()
        assert card.transmit(self.SELECT)[-2:] == b"\x90\x00", "SELECT fails afterwards"
        answer = card.transmit(self.INNOCENT)
        assert answer[-2:] in self.WORKS, answer.hex()


class Vpcd(Surface):
    """Frames of a driver to the card end of the vpcd door."""

    name = "vpcd"
    CONTROLS = (b"\x00", b"\x01", b"\x02", b"\x04")

    def open(self) -> None:
        from vreader.bridge.vpcd.card_end import DoorTiming, VpcdDoor

        self._dialled: queue.Queue[socket.socket] = queue.Queue()
        self.stack.callback(self._hang_up)
        host = self.stack.enter_context(Host(None))
        host.events.subscribe(self.hear)
        reader = host.add_reader("Soak")
        reader.insert(new_piv_card())
        timing = DoorTiming(redial_s=0.001, retry_s=0.001, retry_max_s=0.01)
        door = VpcdDoor("Soak", host.open_device(reader.link), self._dial, timing=timing)
        self.stack.callback(door.stop)
        door.start()

    def _dial(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._dialled.put(ours)
        return theirs

    def _hang_up(self) -> None:
        """Close what the door has dialled and nobody has used."""
        while not self._dialled.empty():
            self._dialled.get().close()

    def _connection(self) -> socket.socket:
        try:
            return self._dialled.get(timeout=LIMIT_S)
        except queue.Empty:
            raise TimeoutError("the door does not dial again") from None

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        choice = mutator.chance.choice
        parts = [b"\x01", b"\x04", SELECT_PIV] if mutator.chance.random() < 0.8 else []
        for _ in range(mutator.chance.randint(1, 20)):
            control = mutator.chance.random() < 0.2
            parts.append(choice(self.CONTROLS) if control else random_apdu(mutator) or b"\x03")
        case = framed(parts)
        if mutator.chance.random() < 0.3:
            case = mutator.mutate(case, [case])
        return case, len(parts)

    def play(self, case: bytes) -> str | None:
        with self._connection() as sock:
            send_all(sock, case)
            answers = drain(sock)
        got = list(frames(answers))
        if framed(got) != answers or not all(got):
            return f"the answers are not whole frames: …{answers[-40:].hex()}"
        return None

    def innocent(self) -> None:
        with self._connection() as sock:
            send_all(sock, framed([b"\x01", b"\x04", SELECT_PIV, b"\x00"]))
            answers = list(frames(drain(sock)))
        assert len(answers) == 2, f"{len(answers)} answers instead of two"
        assert answers[1][-2:] == b"\x90\x00", answers[1].hex()


def opener(name: str) -> Callable[[], Surface]:
    """Return the class of a surface."""
    from files import Inf, Reg
    from gids_apdus import GidsApdus
    from hivefile import Hive
    from recordings import Recording
    from sockets import Control, Pcsclite

    kinds = (Apdus, GidsApdus, Pcsclite, Vpcd, Control, Reg, Hive, Inf, Recording)
    return {kind.name: kind for kind in kinds}[name]


NAMES = ("apdu", "apdu-gids", "pcsclite", "vpcd", "control", "reg", "hive", "inf", "recording")


def seeded(seed: int, name: str) -> Mutator:
    """Return a mutator whose cases depend on the seed and the surface alone."""
    return Mutator(random.Random(f"{seed} {name}"))
