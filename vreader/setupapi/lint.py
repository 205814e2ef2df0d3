# SPDX-License-Identifier: Apache-2.0
"""The lint of an INF of a smart card reader or of a card's minidriver: what breaks which rule.

It looks at everything some Windows might install, not at one target. Which rules a file is held
against is told from its class. The rules are in :mod:`vreader.setupapi.rules`.
"""

from collections.abc import Iterator, Sequence

from vreader.registry.names import fold
from vreader.setupapi.inf import Inf, tokens
from vreader.setupapi.lint_install import lint_install
from vreader.setupapi.lint_minidriver import lint_minidriver
from vreader.setupapi.lint_version import lint_version
from vreader.setupapi.rule import ERROR, Report, Rule
from vreader.setupapi.rules import RULES
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import ARCHITECTURES, Decoration, manufacturers, models_in

_MAX_LANGUAGES = 256  # Windows has fewer


class Finding:
    """One thing that is wrong.

    Attributes:
        rule: which rule is broken.
        line: where; 0 where something is missing in the whole file.
        detail: what exactly, if the rule's title does not say all.
    """

    __slots__ = ("detail", "line", "rule")

    def __init__(self, rule: Rule, line: int, detail: str) -> None:
        self.rule = rule
        self.line = line
        self.detail = detail

    @property
    def text(self) -> str:
        """The finding in one line, without its number and place."""
        return f"{self.rule.title}: {self.detail}" if self.detail else self.rule.title

    def record(self) -> dict[str, object]:
        """Return everything about it under plain names."""
        rule = self.rule
        return {
            "number": rule.number,
            "severity": rule.severity,
            "line": self.line,
            "text": self.text,
            "reason": rule.reason,
            "source": rule.source,
            "fix": rule.fix,
        }

    def __repr__(self) -> str:
        return f"<{self.rule.number} line {self.line}: {self.text}>"


def lint(inf: Inf, others: Sequence[Inf] = ()) -> list[Finding]:
    """Return what is wrong with a reader's or a minidriver's INF, in the order of lines.

    Args:
        inf: what to look at.
        others: minidrivers of the same computer: a card that two of them take is a finding. What is
            wrong with them alone is none.

    Raises:
        InfError: sections name each other so often that it would never end.
    """
    found: dict[tuple[int, int, str], Finding] = {}

    def report(number: int, line: int, detail: str = "") -> None:
        found.setdefault((line, number, detail), Finding(RULES[number], line, detail))

    minidriver = lint_version(inf, report)
    _strings(inf, report)
    installs = _models(inf, report)
    if minidriver:
        lint_minidriver(inf, report, others)
    else:
        for line in installs.without_id:
            report(216, line)
        lint_install(inf, installs.sections, report)
    return [found[place] for place in sorted(found)]


def has_errors(findings: list[Finding]) -> bool:
    """Say whether one of them is more than a warning."""
    return any(finding.rule.severity == ERROR for finding in findings)


# ---------------------------------------------------------------------- the file as a whole


def _strings(inf: Inf, report: Report) -> None:
    """Look at every token of the file, and at every language's texts."""
    languages = [section for name, section in inf.sections.items() if _is_strings(name)]
    defined = [
        ({fold(entry.key) for entry in section.entries if entry.key is not None}, section)
        for section in languages
    ]
    everywhere = {token for known, _ in defined for token in known}
    used: dict[str, str] = {}
    for name, section in inf.sections.items():
        for entry in () if _is_strings(name) else section.entries:
            for token in _tokens(entry):
                used.setdefault(fold(token), token)
                if fold(token) not in everywhere:
                    report(105, entry.line, f"%{token}%")
    wanted = used.keys() & everywhere
    for known, section in defined[:_MAX_LANGUAGES]:
        for entry in section.entries:
            for token in _tokens(entry):
                if fold(token) in everywhere:
                    report(118, entry.line, f"%{token}%")
        missing = sorted(wanted - known)
        if missing:
            names = ", ".join(used[token] for token in missing[:5])
            report(106, section.line, f"[{section.name}] has no {names}")


def _is_strings(folded: str) -> bool:
    return folded.partition(".")[0] == "STRINGS"


def _tokens(entry: Entry) -> Iterator[str]:
    for text in (entry.key or "", *entry.values):
        for token in tokens(text):
            if not (token.isascii() and token.isdigit()):  # a directory
                yield token


class _Installs:
    """What the models lead to.

    Attributes:
        sections: every DDInstall section that one of them may lead to.
        without_id: lines of models that fit no device.
    """

    __slots__ = ("sections", "without_id")

    def __init__(self, sections: list[Section], without_id: list[int]) -> None:
        self.sections = sections
        self.without_id = without_id


def _models(inf: Inf, report: Report) -> _Installs:
    installs: dict[str, Section] = {}
    without_id: list[int] = []
    seen: set[str] = set()
    any_model = False
    for entry, manufacturer, models, decorations in manufacturers(inf):
        for text in decorations:
            if Decoration.parse(text) is None:
                report(111, entry.line, text)
        if not decorations:
            report(110, entry.line, models)
        for name in [f"{models}.{text}" for text in decorations] or [models]:
            if fold(name) in seen:
                continue
            seen.add(fold(name))
            if inf.find(name) is None:
                report(107, entry.line, f"[{name}]")
            for model in models_in(inf, name, manufacturer):
                any_model = True
                if not any(model.ids):
                    without_id.append(model.line)
                found = _install_sections(inf, model.install)
                if not found:
                    report(107, model.line, f"[{model.install}]")
                installs.update({fold(section.name): section for section in found})
    if not any_model:
        section = inf.find("Manufacturer")
        report(109, 0 if section is None else section.line, "")
    return _Installs(list(installs.values()), without_id)


def _install_sections(inf: Inf, name: str) -> list[Section]:
    names = [name, f"{name}.nt", *(f"{name}.nt{arch}" for arch in ARCHITECTURES)]
    found = [section for name in names if (section := inf.find(name)) is not None]
    # Where .nt is there, no NT-based Windows comes to the plain one.
    return found[1:] if len(found) > 1 and fold(found[0].name) == fold(name) else found
