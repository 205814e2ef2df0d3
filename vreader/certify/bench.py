# SPDX-License-Identifier: Apache-2.0
"""The bench a check works at: a computer of its own with one reader, and waits that end.

The resource manager is stopped and the device opened directly. Driver Verifier is on. A bug check,
or an exception of the driver's code, also on a thread of the driver's, ends the check that met it.
"""

import threading
from collections.abc import Callable
from struct import pack
from typing import Any

from vreader.certify.cards import TestCard
from vreader.certify.check import Failed, NotApplicable
from vreader.certify.request import Sent, name_of, told
from vreader.host import Host
from vreader.host.clock import RealClock
from vreader.host.reader import HostReader
from vreader.reader.base import ReaderDriver
from vreader.smclib.ioctl import IO_REQUEST_SIZE, Attr, Ioctl, Power, Protocol
from vreader.smclib.profile import DriverProfile
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
EITHER = Protocol.T0 | Protocol.T1
_REPLY = IO_REQUEST_SIZE + 65536 + 2
_SUCCESS = NTSTATUS.SUCCESS


class Bench:
    """A host, a reader and its open device.

    Args:
        driver: the reader driver.
        options: further arguments of Host.add_reader.
        patience_s: how long to wait for what must come.

    Attributes:
        patience_s: as given.
        driver, options: as given.
        host, reader, device: to get at what is not wrapped here.
        profile: the driver's named options.
        protocol: what the last SET_PROTOCOL chose.
        changed: notified when a request completes or the driver crashes.
        crash: what the driver died of on a thread of its own.
        happening: the thread on which something happens while a card works; 0 for none.
    """

    def __init__(
        self, driver: type[ReaderDriver], options: dict[str, Any], patience_s: float
    ) -> None:
        self.patience_s = patience_s
        self.protocol = Protocol.UNDEFINED
        self.changed = threading.Condition()
        self.crash: BaseException | None = None
        self.happening = 0
        self.driver = driver
        self.options = options
        self._clock = RealClock(self._run_for_driver)
        self.host = Host(profile=None, clock=self._clock)
        self.host.io.verifier = True
        self.host.io.run_locked = self._run_for_driver
        loaded = set(self.host.io.drivers)
        try:
            self.reader = self._plug_in()
            self._services = set(self.host.io.drivers) - loaded
            self.device = self.host.open_device(self.reader.link)
        except BaseException:
            self._clock.stop()
            raise

    def _plug_in(self, **more: Any) -> HostReader:  # noqa: ANN401 - Host.add_reader's
        return self.host.add_reader(driver=self.driver, **(self.options | more))

    def _run_for_driver(self, call: Callable[[], None]) -> None:
        """Host.run for a thread of the driver's, or the timer's: a crash is kept for the check."""
        try:
            self.host.run(call)
        except BaseException as error:  # whatever it is, the check must hear of it
            with self.changed:
                self.crash = error
                self.changed.notify_all()

    def raise_crash(self) -> None:
        """Raise what a thread of the driver's has died of."""
        if self.crash is not None:
            raise self.crash

    def close(self) -> None:
        """Tidy up: pull the reader out, stop the clock."""
        try:
            self.device.close()
            self.host.close()
        finally:
            self._clock.stop()

    @property
    def profile(self) -> DriverProfile:
        """The driver's choices where Microsoft's texts disagree."""
        return self.reader.profile

    def replug(self, **options: Any) -> HostReader:  # noqa: ANN401 - Host.add_reader's
        """Pull the reader out and plug another one in, with other options; it is not opened."""
        self.device.close()
        self.reader.unplug()
        self.reader = self._plug_in(**options)
        return self.reader

    def reopen(self) -> None:
        """Open the device; whoever has it open must have closed it."""
        self.device = self.host.open_device(self.reader.link)

    def unload(self) -> None:
        """Pull the reader out and unload its driver; Driver Verifier looks at what is left."""
        self.device.close()
        self.reader.unplug()
        for service in self._services:
            self.host.run(self.host.io.unload_driver, service)

    # ------------------------------------------------------------------ cards

    def insert(self, card: TestCard | None = None) -> TestCard:
        """Put a card in, the usual one or ``card``."""
        card = TestCard() if card is None else card
        self.reader.insert(card)
        return card

    def ready(self, card: TestCard | None = None) -> TestCard:
        """Put a card in and connect to it."""
        card = self.insert(card)
        self.connect()
        return card

    def meanwhile(self, card: TestCard, method: str, happen: Callable[[], object]) -> None:
        """Have something happen while the card works on its next reset or command."""

        def guarded() -> None:
            self.happening = threading.get_ident()
            try:
                happen()
            except BaseException as error:  # a driver takes what a card raises for the card's bug
                self.crash = error
            with self.changed:
                self.happening = 0
                self.changed.notify_all()

        card.meanwhile[method] = guarded

    # ------------------------------------------------------------------ requests

    def send(
        self, code: int, data: bytes = b"", out_length: int = 0, *, what: str | None = None
    ) -> Sent:
        """Send a request; do not wait."""
        self.raise_crash()
        sent = Sent(self, what or name_of(code))
        sent.request = self.device.start(code, data, out_length, sent.told)
        return sent

    def state(self) -> CardState:
        """GET_STATE."""
        data = self.send(Ioctl.SMARTCARD_GET_STATE, b"", 4).must_be(_SUCCESS)
        if len(data) != 4 or (value := int.from_bytes(data, "little")) > CardState.SPECIFIC:
            raise Failed(f"GET_STATE returned {told(data)}, no state")
        return CardState(value)

    def state_must_be(self, state: CardState, when: str) -> None:
        """Complain about another state."""
        if (found := self.state()) is not state:
            raise Failed(f"the state is {found.name} {when}, expected {state.name}")

    def power(self, minor: int, out_length: int = 33) -> Sent:
        """POWER."""
        what = Power(minor).name.lower().replace("_", " ") if minor <= 2 else f"POWER {minor}"
        if minor == Power.POWER_DOWN:
            out_length = 0
        return self.send(Ioctl.SMARTCARD_POWER, pack("<I", minor), out_length, what=what)

    def cold_reset(self) -> bytes:
        """POWER with SCARD_COLD_RESET, which must succeed; return the ATR."""
        return self.power(Power.COLD_RESET).must_be(_SUCCESS)

    def set_protocol(self, mask: int, out_length: int = 4) -> Sent:
        """SET_PROTOCOL."""
        what = f"SET_PROTOCOL {mask:X}"
        return self.send(Ioctl.SMARTCARD_SET_PROTOCOL, pack("<I", mask), out_length, what=what)

    def choose(self, mask: int = EITHER) -> Protocol:
        """SET_PROTOCOL, which must succeed; return the protocol chosen."""
        data = self.set_protocol(mask).must_be(_SUCCESS)
        if len(data) != 4:
            raise Failed(f"SET_PROTOCOL returned {told(data)}, not a ULONG")
        self.protocol = Protocol(int.from_bytes(data, "little"))
        return self.protocol

    def transmit(
        self,
        c_apdu: bytes,
        out_length: int = _REPLY,
        *,
        protocol: int | None = None,
        pci: bytes = b"",
        pci_length: int | None = None,
    ) -> Sent:
        """TRANSMIT.

        Args:
            c_apdu: the command.
            out_length: bytes the caller has room for.
            protocol: dwProtocol, by default the one in force.
            pci: bytes between SCARD_IO_REQUEST and the command.
            pci_length: cbPciLength, by default the right one.
        """
        header = pack(
            "<II",
            self.protocol if protocol is None else protocol,
            IO_REQUEST_SIZE + len(pci) if pci_length is None else pci_length,
        )
        data = header + pci + c_apdu
        what = f"TRANSMIT of {told(c_apdu)}"
        return self.send(Ioctl.SMARTCARD_TRANSMIT, data, out_length, what=what)

    def answer(self, c_apdu: bytes) -> bytes:
        """TRANSMIT, which must succeed; return the R-APDU behind SCARD_IO_REQUEST."""
        sent = self.transmit(c_apdu)
        data = sent.must_be(_SUCCESS)
        if len(data) < IO_REQUEST_SIZE + 2:
            raise Failed(f"{sent.what} returned {told(data)}, no answer of a card")
        return data[IO_REQUEST_SIZE:]

    def exchange(self, c_apdu: bytes) -> bytes:
        """Exchange an APDU as a program does: over T=0 it fetches what the card keeps."""
        data, answer = b"", self.answer(c_apdu)
        while self.protocol is Protocol.T0 and answer[-2] in (0x61, 0x6C):
            if answer[-2] == 0x6C:
                answer = self.answer(c_apdu[:4] + answer[-1:])
            else:
                data += answer[:-2]
                answer = self.answer(bytes((c_apdu[0], 0xC0, 0, 0)) + answer[-1:])
        return data + answer

    def must_answer(self, c_apdu: bytes, expected: bytes) -> None:
        """Exchange an APDU; complain about another answer."""
        if (found := self.exchange(c_apdu)) != expected:
            raise Failed(f"{told(c_apdu)} was answered {told(found)}, expected {told(expected)}")

    def attribute(self, tag: Attr) -> bytes:
        """GET_ATTRIBUTE, which must succeed."""
        return self.ask_attribute(tag).must_be(_SUCCESS)

    def ask_attribute(self, tag: int, out_length: int = 256) -> Sent:
        """GET_ATTRIBUTE."""
        what = f"GET_ATTRIBUTE {Attr(tag).name if tag in set(Attr) else f'{tag:08X}'}"
        return self.send(Ioctl.SMARTCARD_GET_ATTRIBUTE, pack("<I", tag), out_length, what=what)

    def number(self, tag: Attr) -> int:
        """GET_ATTRIBUTE of a ULONG, which must succeed."""
        data = self.attribute(tag)
        if len(data) != 4:
            raise Failed(f"attribute {tag.name} is {told(data)}, not a ULONG")
        return int.from_bytes(data, "little")

    # ------------------------------------------------------------------ as the manager does

    def connect(self, mask: int = EITHER) -> None:
        """Bring the card inside to SPECIFIC: act on GET_STATE until it is there."""
        state = CardState.UNKNOWN
        for _ in CardState:
            state = self.state()
            if state <= CardState.ABSENT:
                raise Failed(f"the state is {state.name} with a card inside")
            if state >= CardState.NEGOTIABLE:
                self.choose(mask)
                self.state_must_be(CardState.SPECIFIC, "after SET_PROTOCOL")
                return
            if state is CardState.PRESENT:
                swallow = self.send(Ioctl.SMARTCARD_SWALLOW)
                if swallow.must_be_one_of(_SUCCESS, NTSTATUS.NOT_SUPPORTED) is _SUCCESS:
                    continue
            self.power(
                Power.WARM_RESET if state is CardState.POWERED else Power.COLD_RESET
            ).must_be(_SUCCESS)
        raise Failed(f"the card cannot be brought to SPECIFIC, the state stays {state.name}")

    def speaks(self, protocols: Protocol) -> bool:
        """Whether the reader says that it speaks all these protocols."""
        return not protocols & ~Protocol(self.number(Attr.PROTOCOL_TYPES))

    def needs(self, there: bool, what: str) -> None:
        """Leave the check where the reader has nothing to show."""
        if not there:
            raise NotApplicable(what)
