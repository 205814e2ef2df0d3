# SPDX-License-Identifier: Apache-2.0
"""What of the reader-driver documentation is there, and which test proves it.

Reads ``reference/wdk-inventory.toml`` and ``reference/seed-inventory.toml``, finds the tests that
carry ``@pytest.mark.wdk("row.id")`` and writes the two coverage pages from them. The tests in
``tests/docs/test_wdk_inventory.py`` hold all of it together.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
TESTS = DOCS.parent / "tests"
HEADINGS = {
    "name": "Names",
    "registration": "Registration and installing",
    "event-log": "Event log",
    "debug": "Debugging",
    "routine": "Driver routines",
    "pnp": "Plug and Play requests",
    "lock": "Remove locks and other locks",
    "power": "Power requests",
    "kernel": "Kernel model",
    "structure": "Structures",
    "callback": "Callbacks",
    "ioctl": "I/O control codes",
    "state": "Reader states",
    "transition": "Transitions between states",
    "attribute": "Attributes",
    "atr": "ATR and PPS",
    "helper": "Driver library routines",
    "t1": "T=1",
    "t0": "T=0",
    "pinpad": "Pinpad (PC/SC part 10)",
    "status": "Status codes and their Win32 translation",
    "check": "Order of checks",
    "example": "Byte-level examples",
    "tracking": "Card tracking",
    "verifier": "Driver Verifier",
    "certification": "Reader certification",
    "rm": "Resource manager",
    "minidriver": "Registration of minidrivers",
    "module": "Card modules, that is minidrivers",
    "pairing": "Pairing of cards and minidrivers",
    "discovery": "Discovery of cards",
    "package": "Driver packages of cards",
}

WDK_HEAD = """\
# WDK coverage

Every routine, I/O control code, callback, attribute, state, status and rule of Microsoft's
reader-driver documentation, of the standards it names, and of the pages on how cards get their
drivers: where it is documented, which test proves it here, and what is done where the sources are
silent or disagree. Options are those of the driver profiles and of the resource manager's profiles.
Paths of tests are below `tests/`.

{rows} rows, {out} of them not modelled on purpose. Made by `docs/generate.py` from
`wdk-inventory.toml` and the tests.
"""
SEED_HEAD = """\
# Coverage of the first five pages

The project began with five of Microsoft's pages. Each table row, step, requirement and linked topic
of them: where it is in the code and which test proves it, or why it is not there. Paths of tests
are below `tests/`. Made by `docs/generate.py` from `seed-inventory.toml` and the tests.
"""

_PATH = re.compile(r"([^\s,;\"]*\\[^\s,;\"]*)")

Row = Mapping[str, str]
Seed = Mapping[str, str | list[str]]


def wdk_rows() -> list[Row]:
    """Return the rows of the inventory, in its order."""
    return tomllib.loads((REFERENCE / "wdk-inventory.toml").read_text())["row"]


def seed_rows() -> list[Seed]:
    """Return the rows of the five pages the project began with."""
    return tomllib.loads((REFERENCE / "seed-inventory.toml").read_text())["row"]


# ---------------------------------------------------------------------- which test proves what


def proofs(tests: Path = TESTS) -> dict[str, list[str]]:
    """Return row id → the tests marked with it, as ``room/test_file.py::test``, sorted."""
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("*.py")):
        source = path.read_text()
        if "mark.wdk" in source:
            file = path.relative_to(tests).as_posix()
            for row, owner in _marks(ast.parse(source), ()):
                found.setdefault(row, set()).add("::".join((file, *owner)))
    return {row: sorted(owners) for row, owners in found.items()}


def _marks(node: ast.AST, owner: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each id with the innermost function or class that carries its marker."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        owner = (*owner, node.name)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.wdk":
        for argument in node.args:
            yield ast.literal_eval(argument), owner
    for child in ast.iter_child_nodes(node):
        yield from _marks(child, owner)


# ---------------------------------------------------------------------- the pages


def wdk_coverage() -> str:
    """Return the page: item → source → proof → behaviour where the sources are silent."""
    rows, proven = wdk_rows(), proofs()
    out = sum("not_modelled" in row for row in rows)
    page = [WDK_HEAD.format(rows=len(rows), out=out)]
    for kind, heading in HEADINGS.items():
        body = [
            (
                _text(row["subject"]),
                _text(row["rule"]),
                _text(row["source"]),
                _proof(row, proven),
                _text(row.get("silent", "")),
            )
            for row in rows
            if row["kind"] == kind
        ]
        page.append(f"\n## {heading}\n\n")
        page += _table(("item", "rule", "source", "proven by", "where sources are silent"), body)
    return "".join(page)


def seed_coverage() -> str:
    """Return the page: item of the five first pages → code → test, or why not."""
    rows, proven = seed_rows(), proofs()
    page = [SEED_HEAD]
    for document in dict.fromkeys(str(row["document"]) for row in rows):
        page.append(f"\n## {document}\n\n")
        body = [
            (_text(str(row["item"])), _code(row.get("where", ())), _seed_proof(row, proven))
            for row in rows
            if row["document"] == document
        ]
        page += _table(("item", "code", "proven by"), body)
    return "".join(page)


def _proof(row: Row, proven: Mapping[str, Sequence[str]]) -> str:
    if why := row.get("not_modelled"):
        return f"not modelled, {_text(why)}"
    return _code(proven.get(row["id"], ()))


def _seed_proof(row: Seed, proven: Mapping[str, Sequence[str]]) -> str:
    if why := row.get("not_modelled"):
        return _text(str(why) if str(why).startswith("not yet") else f"not modelled, {why}")
    return _code(sorted({test for name in row["rows"] for test in proven.get(name, ())}))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def _text(text: str) -> str:
    """Return prose for a table cell; paths with backslashes become code."""
    words = (
        _PATH.sub(r"`\1`", word) if "\\" in word else _escape(word) for word in text.split(" ")
    )
    return " ".join(words)


def _escape(word: str) -> str:
    for character in "|*[`":
        word = word.replace(character, f"\\{character}")
    return word.replace("<", "&lt;")


def _code(names: str | Sequence[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def write() -> None:
    """Renew both pages."""
    (REFERENCE / "wdk-coverage.md").write_text(wdk_coverage())
    (REFERENCE / "seed-coverage.md").write_text(seed_coverage())
