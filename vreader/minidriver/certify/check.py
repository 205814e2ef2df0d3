# SPDX-License-Identifier: Apache-2.0
"""What a check is: a name, the documented rules it holds, and a function that complains.

A check's id is its part's letter and the function's name, its title the function's docstring.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from vreader.minidriver.abi.returncodes import MinidriverError, name_of

if TYPE_CHECKING:
    from vreader.minidriver.certify.bench import Bench


class Failed(Exception):  # noqa: N818 - the result of a check, not an error of ours
    """The minidriver does not do what the check asks for; the text says what it did instead."""


class NotApplicable(Exception):  # noqa: N818 - likewise
    """The card or the minidriver has nothing the check could ask for; the text says what."""


Run = Callable[["Bench"], None]


class Check(NamedTuple):
    """One check.

    Attributes:
        id: the part's letter and a word, e.g. ``E.read-missing``.
        title: what a minidriver must do, one line.
        source: the page that says so; several with a semicolon between.
        rows: the ids of the rules of the inventory that it holds.
        run: does it; raises Failed, NotApplicable, or what the minidriver raises.
        silent: where the sources are silent or disagree, and what is accepted.
    """

    id: str
    title: str
    source: str
    rows: tuple[str, ...]
    run: Run
    silent: str = ""


class Part:
    """The checks under one letter.

    Attributes:
        letter: A to Q.
        title: what they are about.
        checks: in the order they run.
    """

    def __init__(self, letter: str, title: str) -> None:
        self.letter = letter
        self.title = title
        self.checks: list[Check] = []

    def check(self, source: str, rows: str, *, silent: str = "") -> Callable[[Run], Run]:
        """Make a check of the decorated function; ``rows`` are ids with blanks between."""

        def add(run: Run) -> Run:
            name = run.__name__.strip("_").replace("_", "-")
            self.add(name, (run.__doc__ or "").rstrip("."), source, rows, run, silent=silent)
            return run

        return add

    def add(
        self, name: str, title: str, source: str, rows: str, run: Run, *, silent: str = ""
    ) -> None:
        """Add a check."""
        check = Check(f"{self.letter}.{name}", title, source, tuple(rows.split()), run, silent)
        self.checks.append(check)

    def refusal(
        self,
        name: str,
        title: str,
        source: str,
        rows: str,
        call: Callable[["Bench"], Any],
        *codes: int,
        silent: str = "",
    ) -> None:
        """Add a check that a call is refused with one of some codes."""

        def run(bench: "Bench") -> None:
            refused(lambda: call(bench), *codes)

        self.add(name, title, source, rows, run, silent=silent)


def page(function: str) -> str:
    """Return the name of a function's page."""
    return f"Smart Card Minidriver reference, {function}"


def require(condition: object, complaint: str) -> None:
    """Raise Failed with the complaint unless the condition holds."""
    if not condition:
        raise Failed(complaint)


def refused(call: Callable[[], Any], *codes: int) -> MinidriverError:
    """Return what a call failed with; one of the codes, any where none is named.

    Raises:
        Failed: it succeeded, or failed with another code.
    """
    due = " or ".join(name_of(code) for code in codes) or "an error"
    try:
        call()
    except MinidriverError as error:
        if codes and error.code not in codes:
            raise Failed(f"it returned {name_of(error.code)} where {due} is due") from None
        return error
    raise Failed(f"the call succeeded where {due} is due")
