# SPDX-License-Identifier: Apache-2.0
"""``vreader pair``: which minidriver Windows would take for a card, and why."""

from argparse import Namespace
from typing import TYPE_CHECKING

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError

if TYPE_CHECKING:
    from vreader.pairing.question import Question
    from vreader.pairing.result import Pairing

NOT_PAIRED = 1


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Insert a card into a simulated Windows and tell which minidriver it takes, step
    by step: Plug and Play, the driver search, the card's name, what is loaded.

      vreader pair --card piv --inf a.inf --inf b.inf --registry calais.reg
      vreader pair --atr 3B0451FF0800 --inf fabrikam.inf --os 6.1-x86
      vreader pair --live --inf fabrikam.inf    the card in a running world
      vreader pair --live pcsc:Yubico --hwids   the card in a reader of this machine

    Ends with exit code 1 where no minidriver would be loaded for a card.
    """)
    add = parser.add_argument
    add("--card", dest="cards", metavar="SPEC", action="append", default=[],
        help="the card, as for 'vreader run'; repeatable")  # fmt: skip
    add("--atr", dest="atrs", metavar="HEX", action="append", default=[],
        help="a card that has this ATR and answers nothing else; repeatable")  # fmt: skip
    add("--live", metavar="READER", nargs="?", const="",
        help="the card in a running world, or pcsc:NAME, in a reader of this machine; READER and "
        "NAME are part of its name [the first with a card]")  # fmt: skip
    files = "INF file, folder or driver store; FILE,unsigned says that nobody signed it; repeatable"
    add("--inf", metavar="FILE", action="append", default=[],
        help=f"a package in the driver store: {files}")  # fmt: skip
    add("--installed", metavar="FILE", action="append", default=[],
        help="a package whose DefaultInstall has been run before, by right click")  # fmt: skip
    add("--update", metavar="FILE", action="append", default=[],
        help="a package, or a folder of them, that Windows Update offers")  # fmt: skip
    add("--registry", metavar="FILE", action="append", default=[],
        help=".reg file or hive that the machine begins with; repeatable")  # fmt: skip
    add("--os", metavar="OS", default="10.0-amd64", help="version of Windows [10.0-amd64]")
    add("--bits", metavar="N", type=int, choices=(32, 64), default=0,
        help="of the program that asks for the card, 32 or 64 [the system's]")  # fmt: skip
    add("--policy", metavar="NAME=VALUE", action="append", default=[],
        help="a choice of the machine; --policies lists them")  # fmt: skip
    add("--policies", action="store_true", help="list policies, their values and meaning")
    shown = parser.add_mutually_exclusive_group().add_argument
    shown("--hwids", action="store_true",
        help="only what Device Manager shows: Hardware Ids and Compatible Ids")  # fmt: skip
    shown("--explain-none", action="store_true",
        help="only why no Calais entry fits: the nearest, and the bit that differs")  # fmt: skip
    shown("--short", action="store_true", help="leave out the steps")
    shown("--devlog", action="store_true", help="print the driver search as setupapi.dev.log does")
    add("--trace", metavar="FILE|-", help="log everything; - is stderr; *.jsonl, *.pcapng")
    add("--save-registry", metavar="FILE", help="write the machine's registry as a .reg file")
    add("--html", metavar="FILE", help="write a report as one HTML page")
    shown("--json", action="store_true", help="print JSON: all of it, but for --devlog's")


def run(options: Namespace) -> int:
    """Answer the questions."""
    if options.policies:
        _list_policies()
        return 0
    found = _answers(options)
    if options.html:
        from vreader.pairing.report.page import page
        from vreader.publish import write_file

        write_file(options.html, page(found, "Pairing").encode(errors="replace"))
    _print(options, found)
    return 0 if all(each.loaded for each in found) else NOT_PAIRED


def _list_policies() -> None:
    from vreader.pairing.policy import CHOICES, MEANINGS

    for name, meaning in MEANINGS.items():
        say(f"{name:<14} {meaning}")
        if name in CHOICES:
            say(f"{'':<14} {' | '.join(CHOICES[name])}")


def _answers(options: Namespace) -> "list[Pairing]":
    from vreader.pairing.policy import Policy
    from vreader.pairing.question import Question

    cards = [*options.cards, *(f"atr:{atr}" for atr in options.atrs)]
    if options.live is not None and cards:
        raise UsageError("--live is a card by itself", hint="leave --card and --atr out")
    if options.live is None and not cards:
        raise UsageError("which card?", hint="give --card SPEC, --atr HEX or --live")
    if len(cards) > 1 and (options.trace or options.save_registry):
        raise UsageError(
            "--trace and --save-registry are for one card", hint="ask for one card at a time"
        )
    question = Question(
        "",
        store=tuple(options.inf),
        installed=tuple(options.installed),
        updates=tuple(options.update),
        registry=tuple(options.registry),
        os=options.os,
        bits=options.bits,
        policy=Policy.parse(",".join(options.policy)),
    )
    return [_answer(options, question, spec) for spec in cards or [None]]


def _answer(options: Namespace, question: "Question", spec: str | None) -> "Pairing":
    from vreader.cli.machine import opened

    with opened(options, spec, question) as (machine, card, label):
        found = machine.insert(card, label)
        if options.save_registry:
            from vreader.publish import write_file
            from vreader.registry.regexport import export_reg

            write_file(options.save_registry, export_reg(machine.registry))
        return found


def _print(options: Namespace, found: "list[Pairing]") -> None:
    if options.json:
        import json

        say(json.dumps([pairing.record() for pairing in found], indent=2))
        return
    from vreader.pairing import told
    from vreader.registry.show import printable

    for number, pairing in enumerate(found):
        if number:
            say("")
        if options.devlog:
            lines = iter(pairing.devlog)
        elif options.hwids:
            lines = told.hardware_ids(pairing)
        elif options.explain_none:
            lines = told.why_none(pairing)
        else:
            lines = told.told(pairing, steps=not options.short)
        for line in lines:
            say(printable(line))
