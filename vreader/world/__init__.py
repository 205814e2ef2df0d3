# SPDX-License-Identifier: Apache-2.0
"""A private smart card world: one host with its readers and cards, its doors, its directory.

``vreader run``, ``vreader serve``, test fixtures and :func:`vreader.world` are thin over this
class. Everything a program needs to find the world is in :attr:`World.environment`.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from vreader.cardspec import CardSpec
from vreader.clock import Clock
from vreader.errors import UsageError
from vreader.events import Emitter
from vreader.host import Host
from vreader.host.events import ReaderNamed
from vreader.kinds import describe
from vreader.world.faulting import Faulting
from vreader.world.memory import Remembering, check_keep
from vreader.world.spec import (
    IN_PROCESS,
    check_clock,
    check_log,
    check_names,
    check_options,
    check_pinpad,
    check_profile,
    check_record,
    check_trace,
    reader_names,
    several,
)

if TYPE_CHECKING:
    from vreader.bridge.vpcd.card_end import VpcdDoor
    from vreader.host.scard import ScardApi
    from vreader.reader.faults import FaultPlan
    from vreader.reader.finger import Finger

KEPT_EVENTS = 100
"""How many events a world made by :func:`vreader.world` remembers."""


class World(Faulting, Remembering):
    """A host with doors, in this process.

    Args:
        cards: a SPEC for each reader (:mod:`vreader.cardspec`); none given is one PIV card.
        readers: a name, or names in the same order; missing ones get the card's own or the
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
        trace: ``-`` for stderr, or a file; ``.jsonl`` gets JSON lines, ``.pcapng``
            packets for Wireshark.
        unmask: show PINs and keys in the trace.
        debug: filters the trace by debug bits, ``ioctl,atr`` or a number, and sets the level of the
            driver library (:mod:`vreader.smclib.debug`); everything by default.
        log: a file that gets the host's event log when the world ends; ``.json``, ``.jsonl`` and
            ``.csv`` get that form.
        record: a file that gets what is said to the cards (:mod:`vreader.recording`).
        faults: what goes wrong on purpose (:mod:`vreader.reader.faults`); texts like
            ``mute,on=VERIFY``, with ``reader=`` where there are several.
        clock: a :class:`vreader.clock.ManualClock`, for a world in this process; real time by
            default.
        keep_events: how many of the last events to remember for :meth:`last_events`.

    Attributes:
        host: the computer.
        directory: its private directory; empty for a world in this process.
        environment: what programs need to find the world.
        warnings: what a person should know, one line each.
        recorded: whether all of the recording could be written so far.
    """

    def __init__(
        self,
        cards: Sequence[str] = (),
        *,
        readers: str | Sequence[str] = (),
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
        record: str | None = None,
        faults: "FaultPlan | str | Sequence[FaultPlan | str]" = (),
        clock: Clock | None = None,
        keep_events: int = 0,
    ) -> None:
        super().__init__()
        specs = [CardSpec.parse(text) for text in cards or ("piv",)]
        readers = several(readers)
        check_options(specs, readers, stack, vpcd, socket)
        rm_profile = check_profile(profile, len(specs), stack, vpcd)
        finger = check_pinpad(pinpad, stack, vpcd)
        check_trace(specs, trace, unmask and record is None, debug)
        check_log(specs, trace, log)
        check_record(specs, record, trace, log)
        check_clock(clock, stack, vpcd)
        check_keep(keep_events)
        self._owner = os.getpid()
        self.quit: Callable[[], None] = lambda: None
        self.environment: dict[str, str] = {}
        self.warnings = [warning for spec in specs if (warning := spec.warning)]
        self.recorded = True
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
            self.remember(self.events, keep_events)
            if trace is not None or log is not None:
                from vreader.trace.outputs import open_outputs

                open_outputs(
                    self._closers, self.host.io, self.log,
                    trace=trace, unmask=unmask, debug=debug, log=log,
                )  # fmt: skip
            outputs = self._closers.enter_context(ExitStack())  # ends after the cards
            self._closers.callback(self.host.close)
            self.directory = self._open_directory() if stack != IN_PROCESS else ""
            self._closers.callback(self.close_cards)
            # libccid is the reader's end of a link by itself.
            own_link = None if stack == "twin" else link
            for name, spec in zip(reader_names(specs, readers, rm_profile), specs, strict=True):
                reader = self.host.add_reader(name, pinpad=finger, link=own_link)
                if self.events:
                    self.events.emit(ReaderNamed(reader.device, name))
                self.add(name, reader, spec)
            self._has_pcscd = not own_manager and vpcd is None
            self._closers.callback(self._close_others)
            self._set_faults(several(faults))
            if record is not None:  # now that there are cards: an older one is not lost for less
                from vreader.trace.record import open_recording

                outputs.callback(
                    open_recording(record, self.events, unmask=unmask, warn=self._not_recorded)
                )
            if stack == IN_PROCESS:
                from vreader.world.onlooker import own_manager as onlooker

                self.insert_all()
                if clock is None:  # else what is under way may wait for whoever turns the clock
                    self.onlooker = onlooker(self.host, self.clients)
            else:
                self._open_doors(stack, vpcd, socket, link)
            self._connect_others()
            self._tell_where_it_listens()
        except BaseException:
            self.close()
            raise

    def _not_recorded(self, message: str) -> None:
        from vreader.trace import warn_on_stderr

        self.recorded = False
        warn_on_stderr(message)

    def _tell_where_it_listens(self) -> None:
        listening = [place.listening for place in self.places if place.listening is not None]
        for number, end in enumerate(listening, 1):
            name = "VREADER_VPCD_PORT" if number == 1 else f"VREADER_VPCD_PORT_{number}"
            self.environment[name] = str(end.port)
            if end.warning:
                self.warnings.append(end.warning)

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
            self.clients.append(self._scard)
        return self._scard

    def pyscard(self) -> AbstractContextManager[None]:
        """Return a context in which pyscard, in this process, has this world's readers.

        Raises:
            UsageError: this world has a resource manager of somebody else; on entering, there is no
                pyscard.
        """
        from vreader.bridge.pyscard import stand_in

        return stand_in(self.scard)

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

    def close(self) -> None:
        """End everything, last opened first. May be called twice; a forked child ends nothing."""
        if os.getpid() == self._owner:
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


def completed(options: dict[str, Any]) -> dict[str, Any]:
    """Return options of a World as :func:`vreader.world` has them; raises UsageError for others."""
    check_names(options, World.__init__.__kwdefaults__ or {})
    return {"keep_events": KEPT_EVENTS, **options}


class _Callable(ModuleType):
    """Keeps ``vreader.world("piv")`` a call: the import system puts this module in its place."""

    def __call__(self, *cards: str, **options: Any) -> World:  # noqa: ANN401 - those of World
        return World(cards, **completed(options))


sys.modules[__name__].__class__ = _Callable
