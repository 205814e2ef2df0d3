# SPDX-License-Identifier: Apache-2.0
"""A private smart card world: one host with its readers and cards, its doors, its directory.

``vreader run``, ``vreader serve``, test fixtures and :func:`vreader.world` are thin over this
class. Everything a program needs to find the world is in :attr:`World.environment`.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from vreader.bridge.control import ENVIRONMENT as CONTROL_ENVIRONMENT
from vreader.bridge.control.server import ControlDoor, Reply, Request
from vreader.card import Card
from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError
from vreader.host import Host, HostReader
from vreader.kinds import describe
from vreader.privatedir import PrivateDirectory
from vreader.winscard.profile import RmProfile
from vreader.worldspec import (
    check_log,
    check_options,
    check_pinpad,
    check_profile,
    check_trace,
    reader_names,
)

if TYPE_CHECKING:
    from vreader.bridge.vpcd.card_end import VpcdDoor
    from vreader.bridge.vpcd.dial import Dial
    from vreader.bridge.vpcd.pcscd import PrivatePcscd
    from vreader.reader.finger import Finger

_MAX_PORT = 65535


class Place:
    """One reader of a world, and the card that belongs into it.

    Attributes:
        name: the reader's full name, on every stack.
        reader: the virtual reader.
        spec: what the card was made from.
        card: the card, also while it is out; None for an empty reader.
    """

    __slots__ = ("card", "name", "reader", "spec")

    def __init__(self, name: str, reader: HostReader, spec: CardSpec, card: Card | None) -> None:
        self.name = name
        self.reader = reader
        self.spec = spec
        self.card = card


class World:
    """A host with doors, in this process.

    Args:
        cards: a SPEC for each reader (:mod:`vreader.cardspec`); none given is one PIV card.
        readers: names for the readers, in the same order; missing ones get the card's own or the
            default name.
        stack: ``embedded`` (our resource manager), ``pcscd`` (a private real one with vpcd) or
            ``twin`` (one with libccid's driver for a serial reader).
        vpcd: ``HOST:PORT`` of a vpcd driver that somebody else runs; then there is no stack of our
            own, and each further reader takes the next port.
        socket: where to put the embedded stack's socket instead of the private directory.
        profile: the semantics of our resource manager, ``pcsclite`` or ``windows``
            (:mod:`vreader.winscard.profile`).
        pinpad: gives every reader a pinpad: what is typed at one prompt after the other (digits,
            ``cancel``, ``timeout``; the last ever again), or a Finger of your own.
        link: drives the cards at TPDU level: ``t0`` or ``t1`` and options
            (:mod:`vreader.reader.linkspec`); None carries APDUs whole.
        trace: ``-`` for stderr, or a file; ``.jsonl`` gets JSON lines.
        unmask: show PINs and keys in the trace.
        debug: filters the trace by debug bits, ``ioctl,atr`` or a number, and sets the level of the
            driver library (:mod:`vreader.smclib.debug`); everything by default.
        log: a file that gets the host's event log when the world ends; ``.json``, ``.jsonl`` and
            ``.csv`` get that form.

    Attributes:
        host: the computer.
        places: its readers, in order.
        warnings: what a person should know, one line each.
    """

    def __init__(
        self,
        cards: Sequence[str] = (),
        *,
        readers: Sequence[str] = (),
        stack: str = "embedded",
        vpcd: str | None = None,
        socket: str | None = None,
        profile: str = "pcsclite",
        pinpad: "str | Sequence[str] | Finger" = (),
        link: str | None = None,
        trace: str | None = None,
        unmask: bool = False,
        debug: str | None = None,
        log: str | None = None,
    ) -> None:
        specs = [CardSpec.parse(text) for text in cards or ("piv",)]
        check_options(specs, readers, stack, vpcd, socket)
        rm_profile = check_profile(profile, len(specs), stack, vpcd)
        check_pinpad(pinpad, stack, vpcd)
        check_trace(specs, trace, unmask, debug)
        check_log(specs, trace, log)
        self.warnings = [warning for spec in specs if (warning := spec.warning)]
        self.places: list[Place] = []
        self.quit: Callable[[], None] = lambda: None
        self._closers = ExitStack()
        self._cards: list[Card] = []
        self._pcscd: PrivatePcscd | None = None
        self._vpcd_doors: list[VpcdDoor] = []
        self._finger = _finger(pinpad)
        self._link = link
        try:
            names = reader_names(specs, readers, rm_profile)
            outputs = {"trace": trace, "unmask": unmask, "debug": debug, "log": log}
            self._build(specs, names, stack, vpcd, socket, rm_profile, unmask, outputs)
        except BaseException:
            self.close()
            raise

    def _build(
        self,
        specs: list[CardSpec],
        names: list[str],
        stack: str,
        vpcd: str | None,
        socket: str | None,
        profile: RmProfile,
        unmask: bool,
        outputs: dict[str, Any],
    ) -> None:
        embedded = stack == "embedded" and vpcd is None
        self.host = Host(profile if embedded else None, describe=describe, unmask=unmask)
        if os.environ.get("VREADER_VERIFIER"):
            self.host.io.verifier = True
        if outputs["trace"] is not None or outputs["log"] is not None:
            from vreader.trace.outputs import open_outputs

            open_outputs(self._closers, self.host.io, self.log, **outputs)
        self._closers.callback(self.host.close)
        self.directory = PrivateDirectory()
        self._closers.callback(self.directory.close)
        self._closers.callback(self._close_cards)
        for name, spec in zip(names, specs, strict=True):
            # libccid is the reader's end of a link by itself.
            link = None if stack == "twin" else self._link
            reader = self.host.add_reader(name, pinpad=self._finger, link=link)
            self.places.append(Place(name, reader, spec, self._make(spec)))
        self.environment: dict[str, str] = {}
        if embedded:
            path = socket or f"{self.directory.path}/pcscd.comm"
            self._open_embedded(os.path.abspath(path))  # noqa: PTH100 - pathlib is slow to import
        elif vpcd is not None:
            self._open_vpcd(vpcd)
        elif stack == "twin":
            lines = [self._start_twin_door(place) for place in self.places]
            self._insert_cards()  # before pcscd looks: the next time it looks is 0.4 s later
            self._start_pcscd(lines)
        else:
            pcscd = self._start_pcscd()
            for place, dial in zip(self.places, pcscd.dials, strict=True):
                self._start_vpcd_door(place, dial, "the private pcscd")
        self._insert_cards()
        self._open_control()
        if self._pcscd is not None:
            # A card whose ATR is garbled on purpose may never be seen.
            seen = [p.name for p in self.places if p.card is not None and not p.spec.warning]
            self._pcscd.wait_until_seen(seen)

    def _insert_cards(self) -> None:
        for place in self.places:
            if place.card is not None and place.reader.card is None:
                place.reader.insert(place.card)

    # ------------------------------------------------------------------ doors

    def _open_embedded(self, path: str) -> None:
        from vreader.bridge.pcsclite.server import PcscliteDoor
        from vreader.bridge.pcsclite.wire import READER_SLOTS

        if len(self.places) > READER_SLOTS:
            from vreader.bridge.pcsclite.probe import check_reader_slots

            check_reader_slots(len(self.places))
        door = PcscliteDoor(self.host, path, _reader_slots)
        self._closers.callback(door.close)
        self.environment["PCSCLITE_CSOCK_NAME"] = path

    def _open_vpcd(self, address: str) -> None:
        from vreader.bridge.vpcd.dial import parse_address, tcp_dial

        host, port = parse_address(address)
        if port + len(self.places) - 1 > _MAX_PORT:
            raise UsageError(
                f"{len(self.places)} cards need as many ports from {port} on",
                hint="give a lower port: each further card takes the next one",
            )
        for number, place in enumerate(self.places):
            self._start_vpcd_door(place, tcp_dial(host, port + number), f"{host}:{port + number}")

    def _start_pcscd(self, lines: Sequence[str] = ()) -> "PrivatePcscd":
        """Start a private pcscd, for serial lines or to be dialed."""
        from pathlib import Path

        from vreader.bridge.vpcd.pcscd import PrivatePcscd

        self._pcscd = PrivatePcscd(
            [place.name for place in self.places],
            lines=lines,
            directory=Path(self.directory.path, "pcscd"),
            around=Path(self.directory.path),
        )
        self._closers.callback(self._pcscd.stop)
        self._pcscd.start()
        self.warnings += self._pcscd.warnings
        self.environment["PCSCLITE_CSOCK_NAME"] = str(self._pcscd.socket_path)
        return self._pcscd

    def _start_vpcd_door(self, place: Place, dial: "Dial", peer: str) -> None:
        from vreader.bridge.vpcd.card_end import VpcdDoor

        handle = self.host.open(place.reader.link)
        door = VpcdDoor(place.name, handle, dial, peer=peer, events=self.host.events)
        self._vpcd_doors.append(door)
        self._closers.callback(door.stop)
        door.start()

    def _start_twin_door(self, place: Place) -> str:
        """Serve a reader on a serial line; return the device file of its other end."""
        from vreader.bridge.serialccid.door import SerialCcidDoor

        handle, device = self.host.open(place.reader.link), place.reader.device
        events, link = self.host.events, self._link
        door = SerialCcidDoor(place.name, handle, device=device, events=events, link=link)
        self._closers.callback(door.stop)
        door.start()
        return door.path

    @property
    def serves_vpcd(self) -> bool:
        """Whether its readers stand behind somebody's vpcd driver."""
        return bool(self._vpcd_doors)

    @property
    def vpcd_failures(self) -> list[tuple[str, str]]:
        """What is wrong, and what to do, for each vpcd slot that is not served now."""
        return [door.failure for door in self._vpcd_doors if door.failure is not None]

    def _open_control(self) -> None:
        control = ControlDoor(f"{self.directory.path}/control", self._control)
        self._closers.callback(control.close)
        self.environment[CONTROL_ENVIRONMENT] = control.path

    def log(self, after: int = 0) -> list[dict[str, object]]:
        """Return the entries of the host's event log, those with numbers above ``after``."""
        entries = self.host.run(self.host.log.entries)
        return [entry.record() for entry in entries if entry.number > after]

    # ------------------------------------------------------------------ what a person does

    def place(self, reader: object = None) -> Place:
        """Find a reader by name, by number (0 first), or the only one; raises UsageError."""
        names = ", ".join(repr(place.name) for place in self.places)
        if reader is None:
            if len(self.places) == 1:
                return self.places[0]
            raise UsageError("which reader?", hint=f"there are {names}")
        for number, place in enumerate(self.places):
            if reader in (place.name, number, str(number)):
                return place
        raise UsageError(f"there is no reader {reader!r}", hint=f"there are {names}")

    def insert(self, reader: object = None, card: str | None = None) -> Place:
        """Insert the card that belongs into ``reader``, or a new one made from a SPEC.

        Raises:
            VreaderError: the reader holds a card, or there is none to insert.
        """
        place = self.place(reader)
        if place.reader.card is not None:
            raise VreaderError(f"{place.name} holds a card already", hint="remove it first")
        if card is not None:
            spec = CardSpec.parse(card)
            if spec.form == "none":
                raise UsageError("none is not a card", hint="to take the card out: remove")
            self._exchange(place, spec)
        place.reader.insert(self._card_of(place))
        return place

    def remove(self, reader: object = None) -> Place:
        """Take the card out; raises VreaderError when there is none."""
        place = self.place(reader)
        place.reader.remove()
        return place

    def reset(self, reader: object = None) -> Place:
        """Put the card back to how it was made: a new one from the same SPEC, inserted.

        A card with a state file keeps what the file holds.
        """
        place = self.place(reader)
        self._card_of(place)
        if place.reader.card is not None:
            place.reader.remove()
        try:
            self._exchange(place, place.spec)
        finally:
            place.reader.insert(self._card_of(place))
        return place

    def _card_of(self, place: Place) -> Card:
        if place.card is None:
            raise VreaderError(
                f"no card belongs into {place.name}",
                hint="name one: 'vreader ctl insert --card piv'",
            )
        return place.card

    def _exchange(self, place: Place, spec: CardSpec) -> None:
        """Let the card of ``spec`` belong into ``place``; if it cannot be made, all stays."""
        old = place.card
        if old is not None and None not in (place.spec.state, spec.state):
            # Both may be the same file, which only one at a time can hold.
            place.card = None
            self._drop(old)
            try:
                place.card = self._make(spec)
            except BaseException:
                place.card = self._make(place.spec)
                raise
        else:
            place.card = self._make(spec)
            if old is not None:
                self._drop(old)
        place.spec = spec

    def _make(self, spec: CardSpec) -> Card | None:
        card = spec.make()
        if card is not None:
            self._cards.append(card)
        return card

    def _drop(self, card: Card) -> None:
        self._cards = [kept for kept in self._cards if kept is not card]
        closer_of(card)()

    def _close_cards(self) -> None:
        with ExitStack() as closers:
            for card in self._cards:
                closers.callback(closer_of(card))
        self._cards.clear()

    def _control(self, request: Request) -> Reply:
        op, reader = request["op"], request.get("reader")
        if isinstance(reader, bool) or not isinstance(reader, str | int | None):
            raise UsageError("reader must be a name or a number", hint='for example "0"')
        if op == "list":
            return {"readers": [_told(place) for place in self.places]}
        if op == "log":
            after = request.get("after", 0)
            if isinstance(after, bool) or not isinstance(after, int):
                raise UsageError("after must be a number", hint="that of an entry, 0 for all")
            return {"entries": self.log(after)}
        if op == "insert":
            card = request.get("card")
            if card is not None and not isinstance(card, str):
                raise UsageError("card must be a SPEC", hint='for example "piv"')
            return _told(self.insert(reader, card))
        if op == "remove":
            return _told(self.remove(reader))
        if op == "reset":
            return _told(self.reset(reader))
        if op == "quit":
            self.quit()
            return {}
        raise UsageError(f"unknown op {op!r}", hint="list, insert, remove, reset, log, quit")

    # ------------------------------------------------------------------ end

    def close(self) -> None:
        """End everything, last opened first. May be called twice."""
        self._closers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _finger(pinpad: "str | Sequence[str] | Finger") -> "Finger | None":
    """Return who types on the pinpads, None where there is none to type on; raises UsageError."""
    if callable(pinpad):
        return pinpad
    if not pinpad:
        return None
    from vreader.reader.finger import PinQueue, parse_entries

    return PinQueue(parse_entries([pinpad] if isinstance(pinpad, str) else pinpad))


def _reader_slots() -> int:
    """Ask the installed libpcsclite; only programs that need to know it wait for the answer."""
    from vreader.bridge.pcsclite.probe import probe_reader_slots

    return probe_reader_slots().slots


def closer_of(card: Card) -> Callable[[], None]:
    """Return the card's own ``close``, which cards with a state file have, or nothing to do."""
    close = getattr(card, "close", None)
    return close if callable(close) else lambda: None


def _told(place: Place) -> Reply:
    """Return what the control door says of a reader."""
    inside = place.reader.card is not None
    return {
        "reader": place.name,
        "card": place.spec.label if place.card is not None else None,
        "inserted": inside,
        "state": place.reader.state.name,
    }


class _Callable(ModuleType):
    """Keeps ``vreader.world("piv")`` a call: the import system puts this module in its place."""

    def __call__(self, *cards: str, **options: Any) -> World:  # noqa: ANN401 - those of World
        return World(cards, **options)


sys.modules[__name__].__class__ = _Callable
