# SPDX-License-Identifier: Apache-2.0
"""What commands about minidrivers share: a simulated Windows, its card, the minidriver, the PIN."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError

if TYPE_CHECKING:
    from vreader.card import Card
    from vreader.minidriver.host.prompt import PinRequest
    from vreader.minidriver.module import Module
    from vreader.minidriver.scinfo.pin import OnePin
    from vreader.pairing.machine import Machine
    from vreader.pairing.question import Question
    from vreader.pairing.result import Pairing


def add_card_options(parser: Parser, *, several: bool = False) -> None:
    """Add --card and --live."""
    add = parser.add_argument
    if several:
        add("--card", dest="cards", metavar="SPEC", action="append", default=[],
            help="the card, as for 'vreader run'; repeatable")  # fmt: skip
        live, default = "the readers of a running world, or pcsc:NAME, those", "all"
    else:
        add("--card", metavar="SPEC", help="the card, as for 'vreader run'")
        live, default = (
            "the card in a running world, or pcsc:NAME, in a reader",
            "first with a card",
        )
    add("--live", metavar="READER", nargs="?", const="",
        help=f"{live} of this machine; READER and NAME are part of a name [{default}]",
    )  # fmt: skip


def add_machine_options(parser: Parser, *, inf: bool = True) -> None:
    """Add the options that :func:`inserted` makes its Windows of, and --trace."""
    add = parser.add_argument
    if inf:
        add("--inf", metavar="FILE", action="append", default=[],
            help="a package in the driver store, as for 'vreader pair'; repeatable")  # fmt: skip
    add("--registry", metavar="FILE", action="append", default=[],
        help=".reg file or hive that the machine begins with; repeatable")  # fmt: skip
    add("--os", metavar="OS", default="10.0-amd64", help="version of Windows [10.0-amd64]")
    add("--bits", metavar="N", type=int, choices=(32, 64), default=0,
        help="of the program that uses the card, 32 or 64 [the system's]")  # fmt: skip
    add("--policy", metavar="NAME=VALUE", action="append", default=[],
        help="a choice of the machine, as for 'vreader pair'")  # fmt: skip
    add("--trace", metavar="FILE|-", help="log everything; - is stderr; *.jsonl, *.pcapng")


def add_pinpad_option(parser: Parser) -> None:
    """Add --pinpad, which :func:`opened` gives to the reader."""
    parser.add_argument(
        "--pinpad", metavar="PIN", action="append", default=[],
        help="give the reader a pinpad, on which somebody types PIN when asked; as for "
        "'vreader run'",
    )  # fmt: skip


def add_dll_option(parser: Parser) -> None:
    """Add --dll."""
    parser.add_argument(
        "--dll", metavar="FILE",
        help="the minidriver: msclmd.dll, file.py:Class, or a DLL for Windows [the one that "
        "Windows would take for the card]",
    )  # fmt: skip


def add_pin_option(parser: Parser) -> None:
    """Add --pin."""
    parser.add_argument(
        "--pin", metavar="PIN",
        help="the card's PIN, env:NAME, or - to be asked now [asked for at a terminal when it is "
        "needed]; what is typed in the command, 'ps' shows to all",
    )  # fmt: skip


def told_pin(text: str, option: str = "--pin", what: str = "PIN") -> str:
    """Return the PIN of --pin: as it stands, of env:NAME, or - typed now; raises UsageError.

    So it is with other secrets: ``option`` has ``what``.
    """
    if text == "-":
        if not sys.stdin.isatty():
            raise UsageError(
                f"{option} - asks at a terminal, and there is none", hint=f"write {option} {what}"
            )
        return _typed(f"{what}: ")
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        if name not in os.environ:
            raise UsageError(
                f"{option}: there is no environment variable {name!r}", hint=f"export {name}=…"
            )
        return os.environ[name]
    return text


def one_pin(text: str | None, *, ask: bool = True) -> "OnePin":
    """Return who answers when the card's PIN is asked for; raises UsageError."""
    from vreader.minidriver.scinfo.pin import OnePin

    if text is None and ask and sys.stdin.isatty():
        return OnePin(ask=_ask)
    return OnePin(text if text is None else told_pin(text))


def _ask(request: "PinRequest") -> str | None:
    left = "" if request.attempts is None else f" ({request.attempts} tries left)"
    return _typed(f"{request.reader}, {request.card}: {request.purpose}{left} ") or None


def _typed(prompt: str) -> str:
    from getpass import getpass

    try:
        return getpass(prompt)
    except EOFError:
        return ""


def specs(options: Namespace) -> list[str | None]:
    """Return the SPECs of --card, or None for the card of --live; raises UsageError."""
    cards = options.cards if "cards" in options else [options.card] if options.card else []
    if options.live is not None and cards:
        raise UsageError("--live is a card by itself", hint="leave --card out")
    if options.live is None and not cards:
        raise UsageError("which card?", hint="give --card SPEC or --live")
    if len(cards) > 1 and options.trace:
        raise UsageError("--trace is for one card", hint="ask for one card at a time")
    return cards or [None]


@contextmanager
def inserted(options: Namespace, spec: str | None) -> "Iterator[tuple[Machine, Pairing]]":
    """Insert a card into the Windows that the options describe.

    Args:
        options: those added here.
        spec: the card's SPEC; None is the card of --live.

    Yields:
        The machine, with the card in it, and what became of the card.

    Raises:
        VreaderError: no such card, Windows or file.
    """
    with opened(options, spec) as (machine, card, label):
        yield machine, machine.insert(card, label)


@contextmanager
def opened(
    options: Namespace, spec: str | None, question: "Question | None" = None
) -> "Iterator[tuple[Machine, Card, str]]":
    """Set up the Windows that the options describe, and the card; it is not inserted yet.

    Args:
        options: --live and --trace; also those of a machine, where there is no question.
        spec: the card's SPEC; None is the card of --live.
        question: describes the machine instead.

    Yields:
        The machine, the card, what to call it.
    """
    from vreader.pairing.question import machine_of, open_card
    from vreader.reader.finger import PinQueue, parse_entries
    from vreader.world.desk import closer_of

    with ExitStack() as closers:
        if spec is None:
            from vreader.pairing.live import open_live

            live = open_live(options.live)
            closers.callback(live.close)
            card: Card = live
            label = live.reader
        else:
            card, label = open_card(spec)
            closers.callback(closer_of(card))
        typed = options.pinpad if "pinpad" in options else []
        pinpad = PinQueue(parse_entries(typed)) if typed else None
        machine = closers.enter_context(machine_of(question or question_of(options), pinpad=pinpad))
        if options.trace:
            from vreader.host.events import ReaderNamed
            from vreader.trace import open_trace

            closers.callback(open_trace(options.trace, machine.host.events))
            for reader in machine.host.readers:
                machine.host.events.emit(ReaderNamed(reader.device, reader.name))
        yield machine, card, label


def question_of(options: Namespace) -> "Question":
    """Return the Windows that the options describe; raises UsageError."""
    from vreader.pairing.policy import Policy
    from vreader.pairing.question import Question

    return Question(
        "",
        store=tuple(options.inf),
        registry=tuple(options.registry),
        os=options.os,
        bits=options.bits,
        policy=Policy.parse(",".join(options.policy)),
    )


def minidriver_of(
    options: Namespace, machine: "Machine", pairing: "Pairing", closers: ExitStack
) -> "tuple[Pairing, Module | None]":
    """Load the card's minidriver: what --dll names, else what Windows would take.

    Args:
        options: --dll.
        machine: whose events tell its calls.
        pairing: what became of the card there.
        closers: end it, and warn of what it did.

    Returns:
        The pairing with this minidriver; the minidriver, or None where there is none.

    Raises:
        UsageError: it cannot be loaded, or its file is not at hand.
    """
    from vreader.minidriver.lab import chosen, close, trace
    from vreader.minidriver.load import load_module
    from vreader.minidriver.scinfo.look import vendor_file

    if options.dll is not None:
        pairing = chosen(pairing, options.dll)
    elif vendor_file(pairing):
        raise UsageError(
            f"this card's minidriver is {vendor_file(pairing)}", hint="give it with --dll FILE"
        )
    if not pairing.loaded or pairing.module is None:
        return pairing, None
    module = load_module(pairing.module.name, machine.api)
    closers.callback(close, module)
    closers.callback(_warn_of, module)
    return pairing, trace(module, machine)


def _warn_of(module: "Module") -> None:
    """Say on standard error what a DLL did that no host forgives."""
    for one in getattr(module, "findings", ()):
        say(f"vreader: warning: {one.kind}: {one.text}", err=True)
