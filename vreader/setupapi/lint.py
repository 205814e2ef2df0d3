# SPDX-License-Identifier: Apache-2.0
"""The lint of a smart card reader's INF: what breaks which rule, and where.

It looks at everything some Windows might install, not at one target. The rules are in
:mod:`vreader.setupapi.rules`.
"""

from collections.abc import Iterator

from vreader.registry.store import fold
from vreader.setupapi.inf import Inf, tokens
from vreader.setupapi.lint_install import lint_install
from vreader.setupapi.rules import ERROR, READER_CLASS, READER_GUID, RULES, Report, Rule
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import ARCHITECTURES, Decoration, manufacturers, models_in

_MAX_LANGUAGES = 256  # Windows has fewer
_SIGNATURES = frozenset({"$WINDOWS NT$", "$CHICAGO$"})


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


def lint(inf: Inf) -> list[Finding]:
    """Return what is wrong with a reader's INF, in the order of lines."""
    found: dict[tuple[int, int, str], Finding] = {}

    def report(number: int, line: int, detail: str = "") -> None:
        found.setdefault((line, number, detail), Finding(RULES[number], line, detail))

    _version(inf, report)
    _strings(inf, report)
    lint_install(inf, _models(inf, report), report)
    return [found[place] for place in sorted(found)]


def has_errors(findings: list[Finding]) -> bool:
    """Say whether one of them is more than a warning."""
    return any(finding.rule.severity == ERROR for finding in findings)


# ---------------------------------------------------------------------- the file as a whole


def _version(inf: Inf, report: Report) -> None:
    section = inf.find("Version")
    line = 0 if section is None else section.line

    def of(key: str) -> tuple[int, list[str]]:
        """Return line and values of a key, those of the section and none for a missing one."""
        for entry in () if section is None else section.directives(key):
            return entry.line, inf.fields(entry)
        return line, []

    where, values = of("Signature")
    if not values or values[0].upper() not in _SIGNATURES:
        report(101, where, values[0] if values else "")
    if not any(of("Provider")[1]):
        report(102, of("Provider")[0], "")
    decorated = [
        entry
        for entry in ([] if section is None else section.entries)
        if entry.key is not None and fold(entry.key).startswith("CATALOGFILE")
    ]
    if not decorated:
        report(103, line, "")
    where, values = of("DriverVer")
    if not _is_driver_version(values):
        report(104, where, ",".join(values))
    where, values = of("PnpLockdown")
    if values[:1] != ["1"]:
        report(115, where, "")
    (where, class_), (guid_line, guid) = of("Class"), of("ClassGuid")
    if [fold(text) for text in class_[:1]] != [fold(READER_CLASS)]:
        report(201, where, f"Class is {class_[0] if class_ else 'missing'}")
    if [fold(text) for text in guid[:1]] != [READER_GUID]:
        report(201, guid_line, f"ClassGuid is {guid[0] if guid else 'missing'}")


def _is_driver_version(values: list[str]) -> bool:
    """Say whether they are a date and, if any, a version of at most four 16-bit numbers."""
    if not 1 <= len(values) <= 2:
        return False
    date = values[0].replace("-", "/").split("/")
    if [len(part) for part in date] not in ([2, 2, 4], [1, 1, 4], [1, 2, 4], [2, 1, 4]):
        return False
    numbers = values[1].split(".") if len(values) == 2 else ["0"]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in [*date, *numbers]):
        return False
    month, day, year = map(int, date)
    fits = all(int(number) < 0x10000 for number in numbers)
    return 1 <= month <= 12 and 1 <= day <= 31 and year >= 1900 and len(numbers) <= 4 and fits


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


def _models(inf: Inf, report: Report) -> list[Section]:
    """Look at models; return every DDInstall section that one of them may lead to."""
    installs: dict[str, Section] = {}
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
                    report(216, model.line, model.description)
                found = _install_sections(inf, model.install)
                if not found:
                    report(107, model.line, f"[{model.install}]")
                installs.update({fold(section.name): section for section in found})
    if not any_model:
        section = inf.find("Manufacturer")
        report(109, 0 if section is None else section.line, "")
    return list(installs.values())


def _install_sections(inf: Inf, name: str) -> list[Section]:
    names = [name, f"{name}.nt", *(f"{name}.nt{arch}" for arch in ARCHITECTURES)]
    found = [section for name in names if (section := inf.find(name)) is not None]
    # Where .nt is there, no NT-based Windows comes to the plain one.
    return found[1:] if len(found) > 1 and fold(found[0].name) == fold(name) else found
