# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver register``: a DLL's own DllRegisterServer, called."""

from argparse import Namespace
from typing import TYPE_CHECKING

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError

if TYPE_CHECKING:
    from vreader.minidriver.registering import Registered
    from vreader.winscard.cardtypes import CardType

FAILED = 1
_VERSIONS = ("v4", "v5", "v6", "v7")


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Load a minidriver DLL under Wine and call its DllRegisterServer, which makes the
    card's entry in the registry of a simulated Windows; tell what it has made.
    Modules up to version 4 of the specification had to have it. Since version 5
    nobody calls it and an INF does the work: 'vreader inf new' writes one.

      vreader minidriver register --dll mycard.dll --spec v4
      vreader minidriver register --dll mycard.dll --spec v4 --save-registry out.reg
      vreader minidriver register --dll mycard.dll --spec v4 --registry out.reg --undo

    Ends with exit code 1 where the call fails, does nothing, or an export of a
    module of that version is missing.
    """)
    add = parser.add_argument
    add("--dll", metavar="FILE", required=True, help="the DLL")
    add("--spec", choices=_VERSIONS, metavar="VERSION", required=True,
        help="of the specification the module is for: v4; v5 to v7 are refused")  # fmt: skip
    add("--undo", action="store_true", help="call DllUnregisterServer")
    add("--registry", metavar="FILE", action="append", default=[],
        help=".reg file or hive that the machine begins with; repeatable")  # fmt: skip
    add("--os", metavar="OS", default="10.0-amd64", help="version of Windows [10.0-amd64]")
    add("--save-registry", metavar="FILE", help="write the machine's registry as a .reg file")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Register it."""
    if options.spec != "v4":
        raise UsageError(
            f"nobody calls DllRegisterServer of a module for {options.spec}",
            hint="an INF registers it: vreader inf new; to call it all the same write --spec v4",
        )
    from contextlib import closing

    from vreader.minidriver.dll.module import DllModule
    from vreader.minidriver.registering import register
    from vreader.pairing.question import Question, machine_of

    question = Question("", registry=tuple(options.registry), os=options.os)
    with machine_of(question) as machine:
        with closing(DllModule(options.dll, machine.api)) as module:
            done = register(machine, module, undo=options.undo)
        if options.save_registry:
            from vreader.publish import write_file
            from vreader.registry.regexport import export_reg

            write_file(options.save_registry, export_reg(machine.registry))
    if options.json:
        import json

        say(json.dumps(_record(done), indent=2))
    else:
        _print(done)
    return 0 if done.ok else FAILED


def _print(done: "Registered") -> None:
    from vreader.registry.show import printable

    say(f"{done.function} -> 0x{done.code:08X}")
    for name in done.missing:
        say(f"  not exported: {name}")
    for what, entries in (("added", done.added), ("changed", done.changed)):
        for entry in entries:
            say(printable(f"  {what}: {entry.name}"))
            for label, value in _values(entry).items():
                say(printable(f"    {label:<6} {value}"))
    for name in done.removed:
        say(printable(f"  removed: {name}"))
    if not (done.added or done.changed or done.removed):
        say("  no entry is new, changed or gone")


def _values(entry: "CardType") -> dict[str, str]:
    return {
        "ATR": entry.atr.hex(" ").upper() or "none",
        "mask": entry.mask.hex(" ").upper() or "none",
        "module": entry.module or "none",
        "CSP": entry.csp or "none",
        "KSP": entry.ksp or "none",
        **({"wrong": entry.problem} if entry.problem else {}),
    }


def _record(done: "Registered") -> dict[str, object]:
    return {
        "function": done.function,
        "code": done.code,
        "ok": done.ok,
        "missing": list(done.missing),
        "added": [{"name": one.name, **_values(one)} for one in done.added],
        "changed": [{"name": one.name, **_values(one)} for one in done.changed],
        "removed": list(done.removed),
    }
