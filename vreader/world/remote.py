# SPDX-License-Identifier: Apache-2.0
"""Worlds in a helper process, used as those in this one are; see :mod:`vreader.world.helper`."""

import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from vreader.errors import UsageError
from vreader.world.conversing import Conversing
from vreader.world.desk import find_place
from vreader.world.process import HelperProcess
from vreader.world.spec import IN_PROCESS, asked_fault, check_clock, several

if TYPE_CHECKING:
    from vreader.conversation.hearing import Said
    from vreader.reader.faults import FaultPlan


class RemotePlace(NamedTuple):
    """One reader of a world in a helper process, as it was when it was asked.

    Attributes:
        name: the reader's full name, on every stack.
        label: the card that belongs into it, without its options; None for an empty reader.
        inserted: whether the card is in the reader.
        state: the driver's state.
        unseen: why PC/SC programs may not see what was done, or nothing.
    """

    name: str
    label: str | None
    inserted: bool
    state: str
    unseen: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "RemotePlace":
        """Make one of what the control socket tells."""
        unseen = told.get("unseen", "")
        return cls(told["reader"], told["card"], told["inserted"], told["state"], unseen)


class RemoteFault(NamedTuple):
    """A fault of a world in a helper process, as it was when it was asked.

    Attributes:
        reader: the reader's full name.
        plan: what goes wrong, and when.
        seen: how many commands that fit there were.
        struck: how often it has happened.
        left: how often it will yet; None for always.
    """

    reader: str
    plan: "FaultPlan"
    seen: int
    struck: int
    left: int | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "RemoteFault":
        """Make one of what the control socket tells."""
        from vreader.reader.faults import FaultPlan

        plan = FaultPlan.parse(told["fault"])
        return cls(told["reader"], plan, told["seen"], told["struck"], told["left"])


class Helper:
    """Where worlds in a helper process come from; it is started when the first one is wanted.

    When it has died, the next world starts another one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: HelperProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process's number; None where none runs."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    def world(self, *cards: str, **options: Any) -> "RemoteWorld":  # noqa: ANN401 - those of World
        """Make a world; arguments and errors are those of :func:`vreader.world`.

        Raises:
            UsageError: also for what cannot be handed to another process: a clock, and a pinpad's
                finger that is no text.
        """
        from vreader.world import completed

        options = completed(options)
        if options.get("stack") == IN_PROCESS:
            raise UsageError(
                "a world without doors cannot be in another process", hint="use vreader.world"
            )
        check_clock(options.pop("clock", None), "", None)
        faults = [str(plan) for plan in several(options.pop("faults", ()))]
        told = {**options, "cards": cards, "faults": faults}
        process = self._running()
        return RemoteWorld(process, process.ask({"op": "open", "options": told, "path": sys.path}))

    def _running(self) -> HelperProcess:
        with self._lock:
            if self._process is not None:
                self._process.check_owner()
                if self._process.alive:
                    return self._process
                self._process.close()
            self._process = HelperProcess()
            return self._process

    def close(self) -> None:
        """End the process and its worlds. May be called twice."""
        with self._lock:
            if self._process is not None:
                self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class RemoteWorld(Conversing):
    """A world in a helper process; made by :meth:`Helper.world`.

    Methods raise VreaderError where the world refuses, or has ended.

    Attributes:
        directory: its private directory.
        environment: what programs need to find the world.
        warnings: what a person should know, one line each.
    """

    def __init__(self, process: HelperProcess, told: Mapping[str, Any]) -> None:
        self._process = process
        self._number: int | None = told["world"]
        self.directory: str = told["directory"]
        self.environment: dict[str, str] = told["environment"]
        self.warnings: list[str] = told["warnings"]

    @property
    def places(self) -> list[RemotePlace]:
        """The readers, in order, as they are now."""
        readers: Any = self._ask("list")["readers"]
        return [RemotePlace.of(told) for told in readers]

    def place(self, reader: object = None) -> RemotePlace:
        """Find a reader by name, by number (0 first), or the only one; raises UsageError."""
        return find_place(self.places, reader)

    def insert(self, reader: object = None, card: str | None = None) -> RemotePlace:
        """Insert the card that belongs into ``reader``, or a new one made from a SPEC."""
        return RemotePlace.of(self._ask("insert", reader=reader, card=card))

    def remove(self, reader: object = None) -> RemotePlace:
        """Take the card out."""
        return RemotePlace.of(self._ask("remove", reader=reader))

    def reset(self, reader: object = None) -> RemotePlace:
        """Put the card back to how it was made: a new one from the same SPEC, inserted."""
        return RemotePlace.of(self._ask("reset", reader=reader))

    def fault(self, reader: object = None, plan: "FaultPlan | str | None" = None) -> RemoteFault:
        """Let something go wrong in a reader; arguments are those of a world in this process."""
        reader, plan = asked_fault(reader, plan)
        told: Any = self._ask("fault", reader=reader, fault=str(plan))["faults"]
        return RemoteFault.of(told[-1])  # of this reader, the newest last

    def faults(self, reader: object = None) -> list[RemoteFault]:
        """Return what may go wrong, and what has, in ``reader`` or in all readers."""
        told: Any = self._ask("faults", reader=reader)["faults"]
        return [RemoteFault.of(one) for one in told]

    def clear_faults(self, reader: object = None) -> None:
        """Let nothing go wrong any more, in ``reader`` or in all readers."""
        self._ask("fault", reader=reader, clear=True)

    def log(self, after: int = 0) -> list[dict[str, object]]:
        """Return the entries of the host's event log, those with numbers above ``after``."""
        entries: Any = self._ask("log", after=after)["entries"]
        return list(entries)

    def last_events(self, count: int | None = None) -> list[str]:
        """Return the last ``count`` events, or all that are kept, as the text trace has them."""
        texts: Any = self._ask("report", events=count)["events"]
        return list(texts)

    def report(self, events: int | None = None) -> str:
        """Return what a person wants to know when something has failed."""
        return str(self._ask("report", events=events)["report"])

    def said(self, reader: object = None) -> "list[Said]":
        """Return what was said to a card; see Conversing."""
        from vreader.conversation.reading import read_events
        from vreader.reader.events import ApduEvent, CardEvent

        lines: Any = self._ask("said", reader=reader)["said"]
        kinds = {"ApduEvent": ApduEvent, "CardEvent": CardEvent}
        told = read_events("".join(lines), "what was said", kinds.get, unmask=True)
        return [event for _, event in told if isinstance(event, ApduEvent | CardEvent)]

    def mark(self) -> None:
        """Begin conversations anew; see Conversing."""
        self._ask("mark")

    def close(self) -> None:
        """End the world; raises VreaderError where its process has ended. May be called twice."""
        try:
            if self._number is not None and not self._process.closed:
                self._ask("close")
        finally:
            self._number = None

    def _ask(self, op: str, **more: object) -> dict[str, object]:
        if self._number is None:
            raise UsageError("the world has been closed", hint="make another one")
        given = {name: value for name, value in more.items() if value is not None}
        return self._process.ask({"op": op, "world": self._number, **given})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
