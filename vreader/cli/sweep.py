# SPDX-License-Identifier: Apache-2.0
"""``vreader sweep``: many pairing questions at once, and their answers side by side."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError

CHECK_FAILED = 1


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Ask which minidriver Windows takes, for a grid of cards, packages, policies,
    Windows and program bits that a TOML file declares; show the answers as a
    matrix. With -o the answers are kept as they come, and a sweep that was
    stopped goes on where it was.

    sweep ends with exit code 1 when some cell has no answer: a card that does
    not answer, or a package that cannot be read.

      vreader sweep plan.toml
      vreader sweep plan.toml -o answers.jsonl --html report.html
      vreader sweep plan.toml --jobs 8 --json
      vreader sweep plan.toml --backend dask=tcp://10.0.0.1:8786 -o answers.jsonl
    """)
    parser.usage = "vreader sweep PLAN.toml [OPTION]..."
    add = parser.add_argument
    add("plan", metavar="PLAN.toml", help="what to ask")
    add("-o", "--output", metavar="FILE", help="keep the answers in FILE, as JSON lines; go on "
        "with what is in it")  # fmt: skip
    add("-j", "--jobs", type=int, metavar="N", help="processes; 1 is this one, 0 as many as pay")
    add("--backend", metavar="NAME[=ADDRESS]", help="joblib's: loky, threading, dask, ray [loky]")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--table", action="store_true", help="print the matrix; the default, but "
                       "for --html")  # fmt: skip
    shown.add_argument("--json", action="store_true", help="print all answers with their steps")
    add("--html", metavar="FILE", help="write a page to click through")


def run(options: Namespace) -> int:
    """Ask, and tell the answers."""
    from vreader.pairing.lab import lab
    from vreader.pairing.plan import MAX_JOBS, Plan
    from vreader.pairing.report import table as tables
    from vreader.pairing.report.matrix import Matrix
    from vreader.pairing.result import ERROR
    from vreader.pairing.sweep import sweep

    if options.jobs is not None and not 0 <= options.jobs <= MAX_JOBS:
        raise UsageError(f"--jobs cannot be {options.jobs}", hint=f"0 to {MAX_JOBS}")
    plan = Plan.load(options.plan)
    if options.html is not None:
        lab("jinja2")  # complains now rather than when all is done
        _writable(options.html)
    try:
        with _progress(plan.name) as progress:
            answers = sweep(
                plan, options.output, jobs=options.jobs, backend=options.backend, progress=progress
            )
    except KeyboardInterrupt:
        if options.output is not None:
            say(f"vreader: stopped; with -o {options.output} it goes on from here", err=True)
        raise
    matrix = Matrix.of_sweep(plan.name, answers)
    if options.html is not None:
        from vreader.pairing.report.page import matrix_page

        _write(options.html, matrix_page(matrix))
    if options.json:
        say(tables.as_json(matrix, skipped=plan.skipped, excluded=plan.excluded))
    elif options.table or options.html is None:
        on_terminal = sys.stdout.isatty()
        say(tables.rich_table(matrix) if on_terminal else tables.table(matrix))
    for number, why in ((plan.skipped, "cannot be: a 64-bit program on a 32-bit Windows"),
                        (plan.excluded, "are excluded")):  # fmt: skip
        if number:
            say(f"vreader: not asked: {number} cells that {why}", err=True)
    failed = [each for each in answers if each.record["outcome"] == ERROR]
    if failed:
        first = f"{failed[0].cell.card}, {failed[0].cell.column.os}: {failed[0].record['problem']}"
        say(f"vreader: {len(failed)} of {len(answers)} cells have no answer; {first}", err=True)
    return CHECK_FAILED if failed else 0


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], object]]:
    """Show how far it is, on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from vreader.pairing.lab import lab

    progress, console = lab("rich.progress"), lab("rich.console").Console(stderr=True)
    shown = progress.Progress(
        progress.TextColumn("{task.fields[title]}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with shown:
        task = shown.add_task("", title=title, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _writable(path: str) -> None:
    """Complain now rather than when all is done, and leave all as it is."""
    file = Path(path)
    try:
        is_there = file.exists()
        with file.open("ab"):
            pass
        if not is_there:
            file.unlink()
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str, error: Exception) -> VreaderError:
    reason = getattr(error, "strerror", None) or error
    return VreaderError(f"cannot write {path}: {reason}", hint="name another file")
