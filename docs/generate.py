# SPDX-License-Identifier: Apache-2.0
"""Pages that the code writes: the command line from its help, coverage of the PIV card from data.

Run by ``conf.py``; the result is included by pages of ``reference/``. Nothing here is written by
hand that the code already says. Run as a program it also renews the coverage pages in
``reference/``, which are committed because they name the tests.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import driver
import resource_manager

from cards.platform.coverage import NO, Item
from vreader.card import CardKind, KeepingKind
from vreader.certify import PARTS, Check
from vreader.cli import COMMANDS, load
from vreader.kinds import OWN_KINDS, find_kind
from vreader.minidriver.certify import PARTS as MINIDRIVER_PARTS
from vreader.pairing.policy import CHOICES, MEANINGS
from vreader.setupapi.rules import RULES
from vreader.smclib.ioctl import Protocol

PROSE = re.compile(r"\b[a-z]+ [a-z]+ [a-z]+\b")
OUTPUT = Path(__file__).parent / "_generated"
CARDS = Path(__file__).parents[1] / "cards"


def main() -> None:
    """Write every generated page."""
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "command-line.md").write_text("".join(command_line()))
    (OUTPUT / "driver-profiles.md").write_text("".join(driver.profiles()))
    (OUTPUT / "pnp-life.md").write_text("".join(driver.life()))
    resource_manager_profiles()
    (OUTPUT / "reader-certification.md").write_text("".join(certification()))
    (OUTPUT / "minidriver-certification.md").write_text("".join(minidriver_certification()))
    (OUTPUT / "inf-rules.md").write_text("".join(inf_rules(100)))
    (OUTPUT / "inf-rules-reader.md").write_text("".join(inf_rules(200)))
    (OUTPUT / "inf-rules-minidriver.md").write_text("".join(inf_rules(300)))
    (OUTPUT / "pairing-policies.md").write_text("".join(pairing_policies()))
    for name in sorted(OWN_KINDS):
        kind = find_kind(name)
        (OUTPUT / f"{name}-profiles.md").write_text("".join(card_profiles(kind)))
        if isinstance(kind, KeepingKind):
            (OUTPUT / f"{name}-options.md").write_text("".join(card_options(kind)))
        if (CARDS / name / "coverage.py").exists():
            tables = import_module(f"cards.{name}.coverage").TABLES
            (OUTPUT / f"{name}-coverage.md").write_text("".join(card_coverage(tables)))


# ---------------------------------------------------------------------- the command line


def command_line() -> Iterator[str]:
    """Yield a section for each command: its help, as the terminal shows it."""
    for name in COMMANDS:
        parser, _ = load(name)
        yield f"## `vreader {name}`\n\n```text\n{parser.format_help()}```\n\n"


# ---------------------------------------------------------------------- resource manager


def resource_manager_profiles() -> None:
    """Write the tables of the page on the resource manager's profiles."""
    for name, table in (
        ("options", resource_manager.options()),
        ("status", resource_manager.status()),
        ("checks", resource_manager.checks()),
        ("errors-pcsclite", resource_manager.errors("pcsclite")),
        ("errors-windows", resource_manager.errors("windows")),
    ):
        (OUTPUT / f"rm-{name}.md").write_text("".join(table))


# ---------------------------------------------------------------------- reader certification


def certification() -> Iterator[str]:
    """Yield a section for each part: its checks and what they stand for."""
    for part in PARTS:
        yield f"## {part.letter}: {part.title}\n\n"
        rows = [(f"`{c.id}`", _cell(c.title), c.requirement, _limits(c)) for c in part.checks]
        yield from _table(("check", "a reader passes when", "requirement", "applies to"), rows)


def _limits(check: Check) -> str:
    words = ["contacts"] if check.contact else []
    protocols = ((Protocol.T0, "T=0"), (Protocol.T1, "T=1"))
    words += [name for protocol, name in protocols if check.protocols & protocol]
    return ", ".join(words)


# ---------------------------------------------------------------------- minidriver certification


def minidriver_certification() -> Iterator[str]:
    """Yield a section for each part: its checks, their sources, where sources are silent."""
    for part in MINIDRIVER_PARTS:
        yield f"## {part.letter}: {part.title}\n\n"
        rows = [
            (f"`{c.id}`", _cell(c.title), _cell(c.source), _cell(c.silent)) for c in part.checks
        ]
        head = ("check", "a minidriver passes when", "source", "where sources are silent")
        yield from _table(head, rows)


# ---------------------------------------------------------------------- the INF lint


def inf_rules(hundred: int) -> Iterator[str]:
    """Yield the table of what the INF lint knows: of any INF, of readers, of minidrivers."""
    yield from _table(
        ("number", "severity", "what is wrong", "why it matters", "what to write", "source"),
        [
            (
                str(rule.number),
                rule.severity,
                *map(_cell, (rule.title, rule.reason)),
                _fix(rule.fix),
                _cell(rule.source),
            )
            for rule in RULES.values()
            if rule.number // 100 * 100 == hundred
        ],
    )


# ---------------------------------------------------------------------- the pairing lab


def pairing_policies() -> Iterator[str]:
    """Yield the table of a pairing's policies; the first value is the default."""
    rows = [
        (
            f"`{name}`",
            ", ".join(f"`{value}`" for value in CHOICES.get(name, ("6A82",))),
            _cell(text),
        )
        for name, text in MEANINGS.items()
    ]
    yield from _table(("policy", "values", "meaning"), rows)


def _fix(text: str) -> str:
    """Return what to write as code, unless it is a sentence."""
    is_code = ("=" in text or "," in text) and not PROSE.search(text)
    return f"`{text}`" if is_code else _cell(text)


# ---------------------------------------------------------------------- the cards


def card_profiles(kind: CardKind) -> Iterator[str]:
    """Yield the table of profiles; the first is the default."""
    yield from _table(
        ("SPEC", "card"),
        [(f"`{kind.name}:{name}`", text) for name, text in kind.profiles().items()],
    )


def card_options(kind: KeepingKind) -> Iterator[str]:
    """Yield the tables of what a card can be made with."""
    for head, options in (
        ("option", kind.options()),
        ("option of `vreader card new`", kind.provisioning()),
    ):
        rows = [(f"`{name}`", _cell(text)) for name, text in options.items()]
        yield from _table((head, "meaning"), rows)


def card_coverage(tables: Mapping[str, Sequence[Item]]) -> Iterator[str]:
    """Yield what of its specification a card has."""
    for title, items in tables.items():
        yield f"### {title}\n\n"
        yield from _table(
            ("item", "there", "specified in", "profiles", "remark"), [_row(item) for item in items]
        )


def _row(item: Item) -> tuple[str, ...]:
    profiles = "" if item.state is NO else ", ".join(item.profiles) or "all"
    return item.name, item.state.value, item.section, profiles, _cell(item.note)


# ---------------------------------------------------------------------- Markdown


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"
    yield "\n"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("*", r"\*")


if __name__ == "__main__":
    import inventory  # beside this file; only here, so that conf.py leaves committed pages alone

    main()
    inventory.write()
