# SPDX-License-Identifier: Apache-2.0
"""Which world is asked for: options that go together, names of readers. Nothing is opened here."""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vreader.cardspec import CardSpec
from vreader.clock import Clock
from vreader.errors import UsageError, near
from vreader.winscard.profile import PCSCLITE, PROFILES, RmProfile

if TYPE_CHECKING:
    from vreader.reader.faults import FaultPlan
    from vreader.reader.finger import Finger

DEFAULT_READER = "Virtual Reader 00 00"
STACKS = ("embedded", "pcscd", "twin")
IN_PROCESS = "in-process"
"""The stack of a world without doors; no command line asks for it."""
_NUMBERED = re.compile(r" [0-9A-F]{2} [0-9A-F]{2}$")


def several(value: object) -> tuple[Any, ...]:
    """Return what may be given alone, in a list, or not at all."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def check_names(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse options that no world has; raises UsageError."""
    for name in given:
        if name not in known:
            meant = near(name, known)
            options = f"cards come first; options: {', '.join(known)}"
            raise UsageError(
                f"a world has no option {name!r}", hint=f"{meant} {options}" if meant else options
            )


def check_options(
    specs: list[CardSpec], readers: Sequence[str], stack: str, vpcd: str | None, socket: str | None
) -> None:
    """Refuse options that do not go together; raises UsageError."""
    if stack not in (*STACKS, IN_PROCESS):
        raise UsageError(
            f"unknown stack {stack!r}", hint="stacks: " + ", ".join((*STACKS, IN_PROCESS))
        )
    if len(readers) > len(specs):
        raise UsageError(
            f"{len(readers)} reader names for {len(specs)} card{'s' * (len(specs) != 1)}",
            hint="give a card for each reader; none is an empty one",
        )
    if socket == "":
        raise UsageError("--socket names no file", hint="for example --socket /tmp/pcscd.comm")
    if socket is not None and (stack != "embedded" or vpcd is not None):
        raise UsageError(
            "--socket goes with the embedded stack", hint="leave out --socket, or --stack/--vpcd"
        )
    if vpcd is not None and stack != "embedded":
        raise UsageError(f"--vpcd and --stack {stack} exclude each other", hint="give one of them")


def check_profile(name: str, readers: int, stack: str, vpcd: str | None) -> RmProfile:
    """Return the resource manager's profile, by name; raises UsageError where it does not fit."""
    profile = PROFILES.get(name)
    if profile is None:
        raise UsageError(f"unknown profile {name!r}", hint="profiles: " + ", ".join(PROFILES))
    if profile is not PCSCLITE and not _own_manager(stack, vpcd):
        raise UsageError(
            f"the profile {name} goes with the embedded stack",
            hint="a real pcscd has its own ways: leave out the profile, or the other stack",
        )
    if profile.max_readers is not None and readers > profile.max_readers:
        raise UsageError(
            f"{readers} readers: the {name} profile manages {profile.max_readers} at most",
            hint="give fewer cards, or use two worlds",
        )
    return profile


def check_pinpad(
    pinpad: "str | Sequence[str] | Finger", stack: str, vpcd: str | None
) -> "Finger | None":
    """Return who types on the pinpads, None where there is none to type on.

    Raises:
        UsageError: no program could reach it, or nobody can type that.
    """
    if not pinpad:
        return None
    if not _own_manager(stack, vpcd):
        raise UsageError(
            "a pinpad goes with the embedded stack",
            hint="vpcd has none: leave out the pinpad, or the other stack",
        )
    if callable(pinpad):
        return pinpad
    from vreader.reader.finger import PinQueue, parse_entries

    return PinQueue(parse_entries(several(pinpad)))


def check_clock(clock: Clock | None, stack: str, vpcd: str | None) -> None:
    """Refuse a clock that programs elsewhere would not have; raises UsageError."""
    if clock is not None and (stack != IN_PROCESS or vpcd is not None):
        raise UsageError(
            "a clock of its own goes with a world in this process",
            hint=f"use stack={IN_PROCESS!r}, or leave the clock out",
        )


def asked_fault(reader: object, plan: "FaultPlan | str | None") -> "tuple[object, FaultPlan]":
    """Return in which reader what is to go wrong; a plan alone may name the reader itself.

    Raises:
        UsageError: there is no plan, or no such fault.
    """
    from vreader.reader.faults import FaultPlan

    if plan is None and isinstance(reader, str | FaultPlan):
        reader, plan = None, reader
    if plan is None:
        raise UsageError("which fault?", hint="for example 'mute,on=VERIFY'")
    if isinstance(plan, str):
        plan = FaultPlan.parse(plan)
    return (plan.reader if reader is None else reader), plan


def _own_manager(stack: str, vpcd: str | None) -> bool:
    return stack in ("embedded", IN_PROCESS) and vpcd is None


def check_log(specs: list[CardSpec], trace: str | None, log: str | None) -> None:
    """Refuse an event log that would destroy another file; raises UsageError."""
    if log is None:
        return
    if log == "-":
        raise UsageError("--log needs a file", hint="'vreader log' shows the log meanwhile")
    if any(spec.state and _same(spec.state, log) for spec in specs):
        raise UsageError(f"{log} is the card's own file", hint="log into another one")
    if trace is not None and _same(trace, log):
        raise UsageError(f"{log} is the trace's file", hint="log into another one")


def check_trace(specs: list[CardSpec], trace: str | None, unmask: bool, debug: str | None) -> None:
    """Refuse a trace that nobody can mean; raises UsageError."""
    if debug is not None and trace is None:
        raise UsageError("--debug goes with --trace", hint="for example --trace - --debug ioctl")
    if unmask and trace is None:
        raise UsageError("--unmask goes with --trace", hint="for example --trace - --unmask")
    if trace is not None and any(spec.state and _same(spec.state, trace) for spec in specs):
        raise UsageError(f"{trace} is the card's own file", hint="trace into another one")


def check_record(
    specs: list[CardSpec], record: str | None, trace: str | None, log: str | None
) -> None:
    """Refuse a recording that would destroy another file; raises UsageError."""
    if record is None:
        return
    for what, paths in (
        ("the trace's", [trace]),
        ("the log's", [log]),
        ("the card's own", [spec.state for spec in specs]),
        ("the card's own", [spec.options.get("file") for spec in specs]),
    ):
        if any(path and _same(path, record) for path in paths):
            raise UsageError(f"{record} is {what} file", hint="record into another one")


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - pathlib is slow to import
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)


def reader_names(
    specs: list[CardSpec], readers: Sequence[str], profile: RmProfile = PCSCLITE
) -> list[str]:
    """Return a full name for each reader: with pcsc-lite's names the same on every stack.

    pcscd ends names with an index and a slot, and gives every name of its own index 00; a second
    reader of the same words therefore gets a number between: ``Virtual Reader 2 00 00``. In other
    profiles the resource manager numbers readers of the same words.

    Raises:
        UsageError: two have one name, or some stack could not give it.
    """
    if profile is not PCSCLITE:
        return _numbered_names(specs, readers, profile)
    names: list[str] = []
    for number, spec in enumerate(specs):
        given = readers[number] if number < len(readers) else None
        wanted = given if given is not None else spec.reader_name or DEFAULT_READER
        base = wanted.removesuffix(" 00 00").strip()
        if _NUMBERED.search(base):
            raise UsageError(
                f"no reader can be called {wanted!r} on every stack",
                hint="let it end with 00 00 or without numbers, and tell readers apart by words",
            )
        name, count = f"{base} 00 00", 1
        while name in names:
            if given is not None:
                raise UsageError(
                    f"two readers are called {name!r}", hint="give each --reader its own name"
                )
            count += 1
            name = f"{base} {count} 00 00"
        names.append(name)
    return names


def _numbered_names(specs: list[CardSpec], readers: Sequence[str], profile: RmProfile) -> list[str]:
    names: list[str] = []
    counts: dict[str, int] = {}
    for number, spec in enumerate(specs):
        given = readers[number] if number < len(readers) else None
        wanted = given if given is not None else spec.reader_name or DEFAULT_READER
        base = wanted.removesuffix(" 00 00").strip()
        if not base:
            raise UsageError("a reader name is empty", hint="use something like 'Virtual Reader'")
        shorter = profile.base_name(base)
        # A name is taken as it is where its number is the one it gets; else all of it is words.
        if profile.reader_name(shorter, "", counts.get(shorter.casefold(), 0)) == base:
            base = shorter
        index = counts.get(base.casefold(), 0)
        counts[base.casefold()] = index + 1
        names.append(profile.reader_name(base, "", index))
    return names


def expand_state(cards: Sequence[str], state: str | None) -> list[str]:
    """Return the SPECs with ``--state FILE`` added to the only card; raises UsageError.

    Without a SPEC it is the card in the file, whatever it is, or a new one of kind ``piv``.
    """
    if state is None:
        return list(cards)
    if len(cards) > 1:
        raise UsageError("--state serves one card", hint="write state=FILE inside each --card")
    spec = cards[0] if cards else _kind_in(state)
    CardSpec.parse(spec).with_state(state)
    return [f"{spec},state={state}"]


def _kind_in(path: str) -> str:
    """Return the kind of the card in a file, or the one of a file that is to be made."""
    from vreader.kinds import keeping_kinds

    if os.path.isfile(path):  # noqa: PTH113 - pathlib is slow to import
        for kind in keeping_kinds():
            if kind.holds(path):
                return kind.name
    return "piv"
