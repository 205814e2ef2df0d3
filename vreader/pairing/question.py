# SPDX-License-Identifier: Apache-2.0
"""A pairing question as plain data, and the way from there to its answer.

A question can be pickled and sent to another process: cards are SPECs, packages and registries are
paths.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vreader.cardspec import CardSpec
from vreader.errors import UsageError
from vreader.pairing.policy import DEFAULT, Policy
from vreader.pairing.result import Pairing
from vreader.world.desk import closer_of

if TYPE_CHECKING:
    from vreader.card import Card
    from vreader.pairing.machine import Machine
    from vreader.reader.finger import Finger
    from vreader.setupapi.package import Package, Source

# Of a hive of a real machine, what pairing looks at.
KEYS = (
    r"HKLM\SOFTWARE\Microsoft\Cryptography",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\DriverSearching",
    r"HKLM\SOFTWARE\Policies",
)


class Question(NamedTuple):
    """Asks which minidriver a Windows would take for a card.

    Attributes:
        card: a SPEC (:mod:`vreader.cardspec`); ``atr:3B…`` is a card that answers nothing else.
        store: packages in the driver store: INF files, folders of them, or what ``vreader inf
            stage`` has made; ``FILE,unsigned`` and the like say who signed one
            (:mod:`vreader.setupapi.package`).
        installed: such packages whose DefaultInstall has been run before the card comes.
        updates: such packages that Windows Update offers.
        registry: .reg files or hives, read in order before anything else happens.
        os: the Windows, ``10.0-amd64``.
        bits: of the program that asks for the card, 32 or 64; 0 is the system's own.
        policy: the choices.
    """

    card: str
    store: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()
    os: str = "10.0-amd64"
    bits: int = 0
    policy: Policy = DEFAULT


def answer(question: Question) -> Pairing:
    """Set up the machine, insert the card, and say what became of it.

    Raises:
        VreaderError: the question makes no sense: no such card, Windows or policy, a bad file.
    """
    card, label = open_card(question.card)
    try:
        with machine_of(question) as machine:
            return machine.insert(card, label)
    finally:
        closer_of(card)()


def open_card(spec: str) -> "tuple[Card, str]":
    """Make the card of a SPEC; return it and what to call it. Raises VreaderError."""
    parsed = CardSpec.parse(spec)
    card = parsed.make()
    if card is None:
        raise UsageError("an empty reader pairs with nothing", hint="name a card, for example piv")
    return card, parsed.label


def machine_of(question: Question, *, pinpad: "Finger | None" = None) -> "Machine":
    """Set up the machine a question is about, its reader with a keypad; raises VreaderError."""
    from vreader.pairing.machine import Machine
    from vreader.pairing.windows import Windows
    from vreader.registry import Registry
    from vreader.registry.files import import_file

    windows = Windows.parse(question.os)
    if question.bits not in (0, 32, 64) or question.bits > windows.bits:
        raise UsageError(
            f"no {question.bits}-bit program runs on Windows {question.os}",
            hint="32" if windows.bits == 32 else "32 or 64",
        )
    registry = Registry()
    for path in question.registry:
        import_file(registry, path, only=KEYS)
    return Machine(
        windows,
        question.policy,
        bits=question.bits,
        registry=registry,
        store=packages(question.store),
        installed=packages(question.installed),
        updates=packages(question.updates, "update"),
        pinpad=pinpad,
    )


def packages(names: Iterable[str], source: "Source" = "store") -> "list[Package]":
    """Read driver packages: INF files, folders with INF files, driver stores; raises UsageError."""
    from vreader.setupapi.package import read_package
    from vreader.setupapi.storefile import INDEX, load_store

    found = []
    for name in names:
        if not Path(name).is_dir():
            found.append(read_package(name, source=source))
            continue
        if (Path(name) / INDEX).is_file():
            found += load_store(name).packages()
            continue
        files = sorted(Path(name).glob("**/*.inf"))
        if not files:
            raise UsageError(f"there is no INF file in {name}", hint="name INF files themselves")
        found += [read_package(str(file), source=source) for file in files]
    return found
