# SPDX-License-Identifier: Apache-2.0
"""``vreader masks``: experiments with the ATRs and masks that cards are registered by."""

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, near

if TYPE_CHECKING:
    from vreader.pairing.atrlist import ListedAtr
    from vreader.pairing.registrations import Gathered, Registered

CONFLICTS = 1

_ENTRIES = frozenset({"os", "bits", "walk", "first", "root"})
# What each operation makes of the options that not all have.
_OPTIONS = {
    "conflicts": _ENTRIES,
    "claims": _ENTRIES | {"atr", "atrs", "all"},
    "flip": _ENTRIES | {"atr", "atrs", "entry", "bit"},
    "separate": frozenset({"distance"}),
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Experiment with the ATRs and masks that cards are registered by. FILEs are
    .reg files, hives and INFs; what they register is looked at together.

      conflicts  which entries take the same ATRs, and which can never match
      claims     which of some ATRs each entry takes
      flip       what changing one bit of an entry's mask does
      separate   the masks that tell families of cards apart; FILE is a TOML file
                 with [families], name = ["3B…", "3B…"], or a list of ATRs with
                 the family's name behind each

    A list of ATRs has one a line, and a text behind it; that of pcsc-tools can
    be used. Ends with exit code 1 when there are conflicts, or families that
    no mask can tell apart.

      vreader masks conflicts calais.reg new.inf
      vreader masks claims calais.reg --atrs /usr/share/pcsc/smartcard_list.txt
      vreader masks flip calais.reg --entry Fabrikam --bit 2.0 --atrs mine.txt
      vreader masks separate families.toml
    """)
    parser.usage = "vreader masks OPERATION FILE... [OPTION]..."
    add = parser.add_argument
    add("op", metavar="OPERATION", help="one of the above")
    add("files", metavar="FILE", nargs="+", help="what registers cards; for separate, the families")
    add("--atr", metavar="HEX", action="append", help="an ATR to try; repeatable")
    add("--atrs", metavar="FILE", action="append", help="a list of ATRs to try; repeatable")
    add("--all", action="store_true", default=None, help="show ATRs that no entry takes, too")
    add("--entry", metavar="NAME", help="the entry whose mask is changed")
    add("--bit", metavar="BYTE.BIT[=VALUE]",
        help="the bit to change, 4.0 or 4.7: byte 4, TS being byte 0, and its least or most "
        "significant bit; VALUE, 0 or 1: what a bit that counts from now on must be")  # fmt: skip
    add("--distance", metavar="N", type=int,
        help="in how many bits of the loosest mask others must differ [1]")  # fmt: skip
    add("--os", metavar="OS", help="the Windows that INFs are installed on [10.0-amd64]")
    add("--bits", metavar="N", type=int, choices=(32, 64),
        help="of the program that looks for cards, 32 or 64 [the system's]")  # fmt: skip
    add("--walk", choices=("name", "created"), help="the order of the entries [name]")
    add("--first", metavar="NAME", action="append",
        help="an entry that comes before all others; repeatable")  # fmt: skip
    add("--root", metavar="KEY", help=r"what a hive is, such as HKLM\SOFTWARE")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Do the operation."""
    op: str = options.op
    if op not in _OPTIONS:
        meant = near(op, _OPTIONS, 0.6)
        raise UsageError(
            f"vreader masks has no operation {op!r}",
            hint=" ".join(filter(None, (meant, f"there are {', '.join(_OPTIONS)}"))),
        )
    for name in sorted(frozenset().union(*_OPTIONS.values()) - _OPTIONS[op]):
        if getattr(options, name) is not None:
            raise UsageError(
                f"{op} takes no --{name}", hint=f"it takes --{', --'.join(sorted(_OPTIONS[op]))}"
            )
    return {"conflicts": _conflicts, "claims": _claims, "flip": _flip, "separate": _separate}[op](
        options
    )


def _conflicts(options: Namespace) -> int:
    from vreader.pairing import told_masks
    from vreader.pairing.overlap import conflicts

    gathered, entries = _entries(options)
    found = conflicts(entries)
    told = {
        "entries": [entry.record() for entry in entries],
        **found.record(),
        "replaced": [each.record() for each in gathered.replaced],
    }
    _print(options, told, told_masks.conflict_lines(found, gathered.replaced, len(entries)))
    return CONFLICTS if found or gathered.replaced else 0


def _claims(options: Namespace) -> int:
    from vreader.pairing import told_masks
    from vreader.pairing.claims import claims

    _, entries = _entries(options)
    listed = _atrs(options)
    found = claims(entries, [each.atr for each in listed])
    texts = {each.atr: each.text for each in listed}
    _print(options, found.record(), told_masks.claim_lines(found, texts, every=bool(options.all)))
    return 0


def _flip(options: Namespace) -> int:
    from vreader.pairing import told_masks
    from vreader.pairing.claims import flip
    from vreader.pairing.matching import Bit

    if not options.entry or not options.bit:
        raise UsageError(
            "flip needs an entry and a bit", hint="for example --entry Fabrikam --bit 4.0"
        )
    place, equals, value = options.bit.partition("=")
    bit = Bit.parse(place)
    if equals and value not in ("0", "1"):
        raise UsageError(f"a bit is 0 or 1, not {value!r}", hint=f"write --bit {place}=1")
    _, entries = _entries(options)
    listed = _atrs(options)
    found = flip(
        entries, options.entry, bit, [each.atr for each in listed],
        value=int(value) if equals else None,
    )  # fmt: skip
    texts = {each.atr: each.text for each in listed}
    _print(options, found.record(), told_masks.flip_lines(found, texts))
    return 0


def _separate(options: Namespace) -> int:
    from vreader.pairing import told_masks
    from vreader.pairing.families import read_families
    from vreader.pairing.separate import separate

    if len(options.files) > 1:
        raise UsageError("separate reads one file", hint="put all families into it")
    families = read_families(options.files[0])
    found = separate(families, distance=1 if options.distance is None else options.distance)
    _print(options, found.record(), told_masks.separation_lines(found))
    return CONFLICTS if found.clashes else 0


def _entries(options: Namespace) -> "tuple[Gathered, list[Registered]]":
    from vreader.pairing.order import ordered
    from vreader.pairing.registrations import gather
    from vreader.pairing.windows import Windows

    windows = Windows.parse(options.os or "10.0-amd64")
    gathered = gather(options.files, windows, bits=options.bits or 0, root=options.root or "")
    for path in gathered.idle:
        say(
            f"vreader: warning: {path} registers no card that is new for "
            f"{options.bits or windows.bits}-bit programs on {windows.target!s}",
            err=True,
        )
    return gathered, ordered(gathered.entries, options.walk or "name", options.first or ())


def _atrs(options: Namespace) -> "list[ListedAtr]":
    from vreader.pairing.atrlist import ListedAtr, merged, parse_atr, read_atrs

    if not options.atr and not options.atrs:
        raise UsageError("which ATRs?", hint="give --atr 3B… or --atrs FILE")
    found = [ListedAtr(parse_atr(text), "", 0) for text in options.atr or ()]
    for path in options.atrs or ():
        listed = read_atrs(path)
        found += listed.atrs
        if listed.expressions:
            say(
                f"vreader: warning: {path}: {listed.expressions} ATRs left out, they are regular "
                "expressions",
                err=True,
            )
    return merged(found)


def _print(options: Namespace, told: object, lines: Iterable[str]) -> None:
    if options.json:
        import json

        say(json.dumps(told, indent=2))
        return
    say("\n".join(lines))
