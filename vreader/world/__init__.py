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

from vreader.cardspec import CardSpec
from vreader.clock import Clock
from vreader.errors import UsageError
from vreader.events import Emitter
from vreader.host import Host
from vreader.kinds import describe
from vreader.world.desk import Desk
from vreader.world.spec import (
    IN_PROCESS,
    check_clock,
    check_log,
    check_options,
    check_pinpad,
    check_profile,
    check_trace,
    reader_names,
)

if TYPE_CHECKING:
    from vreader.bridge.vpcd.card_end import VpcdDoor
    from vreader.host.scard import ScardApi
    from vreader.reader.finger import Finger


class World(Desk):
    """A host with doors, in this process.

    Args:
        cards: a SPEC for each reader (:mod:`vreader.cardspec`); none given is one PIV card.
        readers: names for the readers, in the same order; missing ones get the card's own or the
            default name.
        stack: ``embedded`` (our resource manager), ``pcscd`` (a private real one with vpcd),
            ``twin`` (one with libccid's driver for a serial reader) or ``in-process``: no door
            and no directory, on any system; programs in this process use :attr:`scard`.
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
        clock: a :class:`vreader.clock.ManualClock`, for a world in this process; real time by
            default.

    Attributes:
        host: the computer.
        directory: its private directory; empty for a world in this process.
        environment: what programs need to find the world.
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
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        specs = [CardSpec.parse(text) for text in cards or ("piv",)]
        check_options(specs, readers, stack, vpcd, socket)
        rm_profile = check_profile(profile, len(specs), stack, vpcd)
        check_pinpad(pinpad, stack, vpcd)
        check_trace(specs, trace, unmask, debug)
        check_log(specs, trace, log)
        check_clock(clock, stack, vpcd)
        self.quit: Callable[[], None] = lambda: None
        self.environment: dict[str, str] = {}
        self.warnings = [warning for spec in specs if (warning := spec.warning)]
        self._closers = ExitStack()
        self._scard: ScardApi | None = None
        self._vpcd: list[VpcdDoor] = []
        try:
            own_manager = stack in ("embedded", IN_PROCESS) and vpcd is None
            self.host = Host(
                rm_profile if own_manager else None, clock=clock, describe=describe, unmask=unmask
            )
            if os.environ.get("VREADER_VERIFIER"):
                self.host.io.verifier = True
            if trace is not None or log is not None:
                from vreader.trace.outputs import open_outputs

                open_outputs(
                    self._closers, self.host.io, self.log,
                    trace=trace, unmask=unmask, debug=debug, log=log,
                )  # fmt: skip
            self._closers.callback(self.host.close)
            self.directory = self._open_directory() if stack != IN_PROCESS else ""
            self._closers.callback(self.close_cards)
            finger = _finger(pinpad)
            # libccid is the reader's end of a link by itself.
            own_link = None if stack == "twin" else link
            for name, spec in zip(reader_names(specs, readers, rm_profile), specs, strict=True):
                self.add(name, self.host.add_reader(name, pinpad=finger, link=own_link), spec)
            if stack == IN_PROCESS:
                self.insert_all()
            else:
                self._open_doors(stack, vpcd, socket, link)
        except BaseException:
            self.close()
            raise

    @property
    def events(self) -> Emitter:
        """Carries what happens in this world to whoever subscribes."""
        return self.host.events

    @property
    def scard(self) -> "ScardApi":
        """The SCard* functions of this world's resource manager, for programs in this process.

        Raises:
            UsageError: this world has a resource manager of somebody else.
        """
        if self._scard is None:
            from vreader.host.scard import ScardApi

            if self.host.rm is None:
                raise UsageError(
                    "this world has no resource manager of its own",
                    hint=f"use the stack embedded or {IN_PROCESS}",
                )
            self._scard = ScardApi(self.host)
        return self._scard

    @property
    def serves_vpcd(self) -> bool:
        """Whether its readers stand behind somebody's vpcd driver."""
        return bool(self._vpcd)

    @property
    def vpcd_failures(self) -> list[tuple[str, str]]:
        """What is wrong, and what to do, for each vpcd slot that is not served now."""
        return [door.failure for door in self._vpcd if door.failure is not None]

    def _open_directory(self) -> str:
        # Of systems with sockets of files alone: a world in the process does without.
        from vreader.privatedir import PrivateDirectory

        directory = PrivateDirectory()
        self._closers.callback(directory.close)
        return directory.path

    def _open_doors(
        self, stack: str, vpcd: str | None, socket: str | None, link: str | None
    ) -> None:
        from vreader.world.doors import Doors

        doors = Doors(self.host, self, self.directory, self._closers)
        self._vpcd = doors.vpcd
        if vpcd is not None:
            doors.open_vpcd(vpcd)
        elif stack == "embedded":
            doors.open_embedded(socket)
        elif stack == "twin":
            doors.open_twin(link)
        else:
            doors.open_pcscd()
        doors.open_control(self)
        self.environment = doors.environment
        self.warnings += doors.warnings

    def log(self, after: int = 0) -> list[dict[str, object]]:
        """Return the entries of the host's event log, those with numbers above ``after``."""
        entries = self.host.run(self.host.log.entries)
        return [entry.record() for entry in entries if entry.number > after]

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


class _Callable(ModuleType):
    """Keeps ``vreader.world("piv")`` a call: the import system puts this module in its place."""

    def __call__(self, *cards: str, **options: Any) -> World:  # noqa: ANN401 - those of World
        return World(cards, **options)


sys.modules[__name__].__class__ = _Callable
