# SPDX-License-Identifier: Apache-2.0
"""A private smart card world: one host with its readers and cards, its doors, its directory.

``vreader run``, ``vreader serve``, test fixtures and :func:`vreader.world` are thin over this
class. Everything a program needs to find the world is in :attr:`World.environment`.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from vreader.bridge.control import ENVIRONMENT as CONTROL_ENVIRONMENT
from vreader.bridge.control.server import ControlDoor
from vreader.cardspec import CardSpec
from vreader.host import Host
from vreader.kinds import describe
from vreader.privatedir import PrivateDirectory
from vreader.world.control import answer
from vreader.world.desk import Desk
from vreader.world.doors import Doors
from vreader.world.spec import (
    check_log,
    check_options,
    check_pinpad,
    check_profile,
    check_trace,
    reader_names,
)

if TYPE_CHECKING:
    from vreader.reader.finger import Finger


class World(Desk):
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
    ) -> None:
        super().__init__()
        specs = [CardSpec.parse(text) for text in cards or ("piv",)]
        check_options(specs, readers, stack, vpcd, socket)
        rm_profile = check_profile(profile, len(specs), stack, vpcd)
        check_pinpad(pinpad, stack, vpcd)
        check_trace(specs, trace, unmask, debug)
        check_log(specs, trace, log)
        self.quit: Callable[[], None] = lambda: None
        self._closers = ExitStack()
        try:
            embedded = stack == "embedded" and vpcd is None
            self.host = Host(rm_profile if embedded else None, describe=describe, unmask=unmask)
            if os.environ.get("VREADER_VERIFIER"):
                self.host.io.verifier = True
            if trace is not None or log is not None:
                from vreader.trace.outputs import open_outputs

                open_outputs(
                    self._closers, self.host.io, self.log,
                    trace=trace, unmask=unmask, debug=debug, log=log,
                )  # fmt: skip
            self._closers.callback(self.host.close)
            self.directory = PrivateDirectory()
            self._closers.callback(self.directory.close)
            self._closers.callback(self.close_cards)
            finger = _finger(pinpad)
            # libccid is the reader's end of a link by itself.
            own_link = None if stack == "twin" else link
            for name, spec in zip(reader_names(specs, readers, rm_profile), specs, strict=True):
                self.add(name, self.host.add_reader(name, pinpad=finger, link=own_link), spec)
            self._doors = doors = Doors(self.host, self, self.directory.path, self._closers)
            if embedded:
                doors.open_embedded(socket)
            elif vpcd is not None:
                doors.open_vpcd(vpcd)
            elif stack == "twin":
                doors.open_twin(link)
            else:
                doors.open_pcscd()
            self.environment = doors.environment
            self._open_control()
        except BaseException:
            self.close()
            raise
        self.warnings = [warning for spec in specs if (warning := spec.warning)] + doors.warnings

    @property
    def serves_vpcd(self) -> bool:
        """Whether its readers stand behind somebody's vpcd driver."""
        return bool(self._doors.vpcd)

    @property
    def vpcd_failures(self) -> list[tuple[str, str]]:
        """What is wrong, and what to do, for each vpcd slot that is not served now."""
        return [door.failure for door in self._doors.vpcd if door.failure is not None]

    def _open_control(self) -> None:
        control = ControlDoor(f"{self.directory.path}/control", partial(answer, self))
        self._closers.callback(control.close)
        self.environment[CONTROL_ENVIRONMENT] = control.path

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
