# SPDX-License-Identifier: Apache-2.0
"""A card that can be asked for anything, a reader with its serial line, and a real driver on it."""

import contextlib
import datetime
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from missing import missing

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.serialccid.door import SerialCcidDoor
from vreader.bridge.vpcd.installation import TWIN, find_installation
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.errors import VreaderError
from vreader.events import Event
from vreader.host import Host
from vreader.iso7816 import Atr

READER = "Virtual Reader 00 00"
PATIENCE_S = 20.0
SHARED, ANY, T0, T1 = 2, 3, 1, 2
RESET_CARD, UNPOWER_CARD = 1, 2


def t1_atr(ifsc: int = 254, bwi: int = 4, crc: bool = False, **options) -> Atr:
    return Atr.build(specific=[(ifsc, bwi << 4 | 5, 1 if crc else None)], **options)


ATRS = {
    "t1": t1_atr(),
    "crc": t1_atr(crc=True),
    "short blocks": t1_atr(ifsc=16),
    "hasty": t1_atr(bwi=0),
    "fast": t1_atr(ta1=0x95),
    "specific": t1_atr(ta1=0x95, ta2=0x01),
    "t0": Atr.build(protocols=(0,)),
    "both": Atr.build(protocols=(0, 1), ta1=0x95, specific=[(None,) * 3, (254, 0x45, None)]),
}


class EchoCard:
    """Answers a command with all of it; keeps what it was asked.

    ``hold`` makes commands wait for an event before they are answered.
    """

    def __init__(self, atr: str | bytes = "t1") -> None:
        self.atr = bytes(ATRS[atr]) if isinstance(atr, str) else atr
        self.log: list[str] = []
        self.commands: list[bytes] = []
        self.hold: threading.Event | None = None

    def power_on(self) -> bytes:
        self.log.append("cold")
        return self.atr

    def reset(self) -> bytes:
        self.log.append("warm")
        return self.atr

    def power_off(self) -> None:
        self.log.append("off")

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        if self.hold is not None:
            assert self.hold.wait(PATIENCE_S)
        return command + b"\x90\0"


def one_in(every: int, seed: int, harm: str = "spoil") -> Callable[[bool, bytes], str]:
    """Harm one block in ``every``, drawn anew for each so many: never three in a row."""
    draw = random.Random(seed)
    state = {"count": 0, "chosen": 0}

    def disturb(to_card: bool, block: bytes) -> str:
        at = state["count"] % every
        if at == 0:
            state["chosen"] = draw.randrange(every)
        state["count"] += 1
        return harm if at == state["chosen"] else ""

    return disturb


class Line:
    """A host with one reader on a serial line.

    Attributes:
        events: what was told, in order.
    """

    def __init__(self, **options) -> None:
        self.host = Host(None)
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self.host.events.subscribe(self._sink)
        self.slot = self.host.add_reader(READER)
        handle = self.host.open_device(self.slot.link)
        self.door = SerialCcidDoor(READER, handle, events=self.host.events, **options)
        self.door.start()

    def _sink(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def told(self, kind: type[Event]) -> list:
        with self._changed:
            return [event for event in self.events if isinstance(event, kind)]

    def wait_for(self, kind: type[Event], count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told(kind)) >= count, PATIENCE_S)

    def close(self) -> None:
        self.door.stop()
        self.host.close()


class Twin(Line):
    """The same, with pcscd and libccid's driver at the other end."""

    def __init__(self, card, **options) -> None:
        super().__init__(**options)
        self._programs: list[Program] = []
        self.pcscd = PrivatePcscd([READER], lines=[self.door.path])
        try:
            self.slot.insert(card)  # before pcscd looks: the next time it looks is 0.4 s later
            self.pcscd.start()
            self.pcscd.wait_until_seen()
        except BaseException:
            self.close()
            raise
        self.environment = {"PCSCLITE_CSOCK_NAME": str(self.pcscd.socket_path)}

    def insert(self, card):
        self.slot.insert(card)
        self.pcscd.wait_until_seen()
        return card

    def wait_until_empty(self) -> None:
        """Wait until pcscd has noticed that the card has gone; it looks every 0.4 s."""
        with PcscClient(str(self.pcscd.socket_path)) as client:
            states = client.readers()
            while any(state.atr for state in states):
                states = client.get_status_change(states, PATIENCE_S)

    def program(self, protocols: int = ANY) -> "Program":
        program = Program(str(self.pcscd.socket_path), protocols)
        self._programs.append(program)
        return program

    def close(self) -> None:
        for program in self._programs:
            program.client.close()
        self.pcscd.stop()
        super().close()


class Program:
    """A connected PC/SC program."""

    def __init__(self, socket: str, protocols: int) -> None:
        self.client = PcscClient(socket, timeout_s=PATIENCE_S)
        try:
            self.client.establish()
            self.card, self.protocol = self.client.connect(READER, SHARED, protocols)
        except BaseException:
            self.client.close()
            raise

    def transmit(self, command: bytes) -> bytes:
        return self.client.transmit(self.card, self.protocol, command)

    def reconnect(self, initialization: int = RESET_CARD) -> None:
        self.protocol = self.client.reconnect(self.card, SHARED, ANY, initialization)


@pytest.fixture
def echo() -> type[EchoCard]:
    return EchoCard


@pytest.fixture(name="one_in")
def one_in_fixture() -> Callable[..., Callable[[bool, bytes], str]]:
    return one_in


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A certificate that takes several short APDUs, in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vreader test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def make_line() -> Iterator[Callable[..., Line]]:
    with contextlib.ExitStack() as stack:

        def make(**options) -> Line:
            line = Line(**options)
            stack.callback(line.close)
            return line

        yield make


@pytest.fixture(scope="session")
def twin_installed() -> None:
    """Skips, naming the reason, where pcscd or its driver is missing; on CI that is a failure."""
    try:
        find_installation(wanted=TWIN)
    except VreaderError as error:
        missing(f"{error} ({error.hint})")


@pytest.fixture
def make_twin(twin_installed) -> Iterator[Callable[..., Twin]]:
    with contextlib.ExitStack() as stack:

        def make(card, **options) -> Twin:
            twin = Twin(card, **options)
            stack.callback(twin.close)
            return twin

        yield make
