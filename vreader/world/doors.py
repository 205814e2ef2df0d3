# SPDX-License-Identifier: Apache-2.0
"""The doors of a world: how programs reach its readers, by the stack that was asked for.

Modules of a door are imported when it is opened: most worlds have one.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from vreader.errors import UsageError
from vreader.host import Host
from vreader.world.desk import Desk, Place
from vreader.world.onlooker import foreign_pcscd, own_manager, private_pcscd

if TYPE_CHECKING:
    from vreader.bridge.serialccid.door import SerialCcidDoor
    from vreader.bridge.vpcd.card_end import VpcdDoor
    from vreader.bridge.vpcd.dial import Dial
    from vreader.bridge.vpcd.pcscd import PrivatePcscd
    from vreader.world import World

_MAX_PORT = 65535


class Doors:
    """What is open.

    Args:
        host: the computer whose readers are served.
        desk: those readers.
        directory: the world's private directory.
        closers: where every door leaves how it is closed.

    Attributes:
        environment: what programs need to find the world.
        warnings: what a person should know of it.
        vpcd: the doors that serve a vpcd driver.
    """

    def __init__(self, host: Host, desk: Desk, directory: str, closers: ExitStack) -> None:
        self._host = host
        self._desk = desk
        self._directory = directory
        self._closers = closers
        self.environment: dict[str, str] = {}
        self.warnings: list[str] = []
        self.vpcd: list[VpcdDoor] = []
        self._serving: dict[str, VpcdDoor | SerialCcidDoor] = {}  # by the reader's name

    def open_embedded(self, socket: str | None) -> None:
        """Serve libpcsclite on a socket of our own, or at ``socket``."""
        from vreader.bridge.pcsclite.server import PcscliteDoor
        from vreader.bridge.pcsclite.wire import READER_SLOTS

        if len(self._desk.places) > READER_SLOTS:
            from vreader.bridge.pcsclite.probe import check_reader_slots

            check_reader_slots(len(self._desk.places))
        path = os.path.abspath(socket or f"{self._directory}/pcscd.comm")  # noqa: PTH100 - slow to import
        door = PcscliteDoor(self._host, path, _reader_slots)
        self._closers.callback(door.close)
        self.environment["PCSCLITE_CSOCK_NAME"] = path
        self._desk.insert_all()
        self._desk.clients.append(door)
        self._desk.onlooker = own_manager(self._host, self._desk.clients)

    def open_vpcd(self, address: str) -> None:
        """Serve the vpcd driver that somebody else runs at ``HOST:PORT``."""
        from vreader.bridge.pcsclite.find import service_socket
        from vreader.bridge.vpcd.dial import parse_address, tcp_dial

        places = self._desk.places
        host, port = parse_address(address)
        if port + len(places) - 1 > _MAX_PORT:
            raise UsageError(
                f"{len(places)} cards need as many ports from {port} on",
                hint="give a lower port: each further card takes the next one",
            )
        for number, place in enumerate(places):
            self._serve_vpcd(place, tcp_dial(host, port + number), f"{host}:{port + number}")
        self._desk.insert_all()
        doors = {place.name: door for place, door in zip(places, self.vpcd, strict=True)}
        self._desk.onlooker = foreign_pcscd(service_socket(), doors)

    def open_pcscd(self) -> None:
        """Run a private pcscd with vpcd, and serve that."""
        pcscd = self._start_pcscd()
        for place, dial in zip(self._desk.places, pcscd.dials, strict=True):
            self._serve_vpcd(place, dial, "the private pcscd")
        self._desk.insert_all()
        self._wait_until_seen(pcscd)

    def open_twin(self, link: str | None) -> None:
        """Run a private pcscd with libccid's driver for a serial reader, and serve its lines."""
        lines = [self._serve_line(place, link) for place in self._desk.places]
        self._desk.insert_all()  # before pcscd looks: the next time it looks is 0.4 s later
        self._wait_until_seen(self._start_pcscd(lines))

    def open_control(self, world: "World") -> None:
        """Let ``vreader ctl`` reach ``world``."""
        from vreader.bridge.control import ENVIRONMENT
        from vreader.bridge.control.server import ControlDoor
        from vreader.world.control import answer_or_follow

        control = ControlDoor(f"{self._directory}/control", partial(answer_or_follow, world))
        self._closers.callback(control.close)
        self.environment[ENVIRONMENT] = control.path

    def _start_pcscd(self, lines: Sequence[str] = ()) -> "PrivatePcscd":
        """Start a private pcscd, for serial lines or to be dialed."""
        from pathlib import Path

        from vreader.bridge.vpcd.pcscd import PrivatePcscd

        pcscd = PrivatePcscd(
            [place.name for place in self._desk.places],
            lines=lines,
            directory=Path(self._directory, "pcscd"),
            around=Path(self._directory),
        )
        self._closers.callback(pcscd.stop)
        pcscd.start()
        self.warnings += pcscd.warnings
        self.environment["PCSCLITE_CSOCK_NAME"] = str(pcscd.socket_path)
        return pcscd

    def _wait_until_seen(self, pcscd: "PrivatePcscd") -> None:
        # A card whose ATR is garbled on purpose may never be seen.
        places = self._desk.places
        seen = [p.name for p in places if p.card is not None and not p.spec.warning]
        pcscd.wait_until_seen(seen, hopeless=lambda name: self._serving[name].card_failure)
        for name in seen:
            if why := self._serving[name].card_failure:
                self.warnings.append(f"{name}: the card cannot be powered up: {why}")
        self._desk.onlooker = private_pcscd(pcscd, self._serving)

    def _serve_vpcd(self, place: Place, dial: "Dial", peer: str) -> None:
        from vreader.bridge.vpcd.card_end import VpcdDoor

        handle = self._host.open_device(place.reader.link)
        door = VpcdDoor(place.name, handle, dial, peer=peer, events=self._host.events)
        self.vpcd.append(door)
        self._serving[place.name] = door
        self._closers.callback(door.stop)
        door.start()

    def _serve_line(self, place: Place, link: str | None) -> str:
        """Serve a reader on a serial line; return the device file of its other end."""
        from vreader.bridge.serialccid.door import SerialCcidDoor

        handle, device = self._host.open_device(place.reader.link), place.reader.device
        events = self._host.events
        door = SerialCcidDoor(place.name, handle, device=device, events=events, link=link)
        self._serving[place.name] = door
        self._closers.callback(door.stop)
        door.start()
        return door.path


def _reader_slots() -> int:
    """Ask the installed libpcsclite; only programs that need to know it wait for the answer."""
    from vreader.bridge.pcsclite.probe import probe_reader_slots

    return probe_reader_slots().slots
