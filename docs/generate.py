# SPDX-License-Identifier: Apache-2.0
"""Pages that the code writes: the command line from click, the coverage of the PIV card from data.

Run by ``conf.py``; the result is included by pages of ``reference/``. Nothing here is written by
hand that the code already says.
"""

from collections.abc import Iterator, Sequence
from inspect import cleandoc
from pathlib import Path

import click

from cards.piv import coverage
from cards.piv.kind import KIND
from vreader.cli import cli

OUTPUT = Path(__file__).parent / "_generated"


def main() -> None:
    """Write every generated page."""
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "command-line.md").write_text("".join(command_line()))
    (OUTPUT / "piv-profiles.md").write_text("".join(piv_profiles()))
    (OUTPUT / "piv-coverage.md").write_text("".join(piv_coverage()))


# ---------------------------------------------------------------------- the command line


def command_line() -> Iterator[str]:
    """Yield a section for each command, subcommands below their group."""
    context = click.Context(cli, info_name="vreader", help_option_names=["-h", "--help"])
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield from _section(command, context, name, 2)


def _section(command: click.Command, parent: click.Context, name: str, level: int) -> Iterator[str]:
    context = click.Context(command, parent=parent, info_name=name)
    yield f"{'#' * level} `{context.command_path}`\n\n"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```\n\n{_prose(command.help or '')}\n"
    records = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    rows = [(f"`{_cell(record[0])}`", _cell(record[1])) for record in records if record]
    yield from _table(("option", "meaning"), rows)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            sub = command.get_command(context, child)
            assert sub is not None
            yield from _section(sub, context, child, level + 1)


def _prose(text: str) -> str:
    """Turn click's help into Markdown: a paragraph that keeps its lines holds examples."""
    parts = []
    for paragraph in cleandoc(text).split("\n\n"):
        mark, _, lines = paragraph.partition("\n")
        if mark == "\b":
            parts.append(f"```sh\n{lines}\n```\n")
        else:
            parts.append(_cell(" ".join(paragraph.split())) + "\n")
    return "\n".join(parts)


# ---------------------------------------------------------------------- the PIV card


def piv_profiles() -> Iterator[str]:
    """Yield the table of profiles; the first is the default."""
    yield from _table(
        ("SPEC", "card"),
        [(f"`{KIND.name}:{name}`", text) for name, text in KIND.profiles().items()],
    )


def piv_coverage() -> Iterator[str]:
    """Yield what of the specification the card has."""
    for title, items in (
        ("Commands", coverage.COMMANDS),
        ("Data objects", coverage.OBJECTS),
        ("Key algorithms", coverage.KEY_ALGORITHMS),
        ("Algorithms of the management key", coverage.MANAGEMENT_ALGORITHMS),
        ("Rules", coverage.RULES),
    ):
        yield f"### {title}\n\n"
        yield from _table(
            ("item", "there", "specified in", "profiles", "remark"), [_row(item) for item in items]
        )


def _row(item: coverage.Item) -> tuple[str, ...]:
    everywhere = item.profiles == coverage.ALL
    profiles = "all" if everywhere else ", ".join(item.profiles)
    none = item.state is coverage.State.NO
    return item.name, item.state.value, item.section, "" if none else profiles, item.note


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
    main()
