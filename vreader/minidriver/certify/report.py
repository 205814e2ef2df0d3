# SPDX-License-Identifier: Apache-2.0
"""A certificate on paper: a table for people, JSON, and JUnit's XML for CI services."""

import json
from collections import Counter
from collections.abc import Iterator

from vreader.minidriver.certify.run import PARTS, Certificate, Outcome, Result

ROWS_SHOWN = 5
_WORDS = {Outcome.PASSED: "ok", Outcome.FAILED: "FAIL", Outcome.NOT_APPLICABLE: "n/a"}


def summary(certificate: Certificate) -> str:
    """Return one line: how many checks have passed, failed, do not apply."""
    counts = Counter(result.outcome for result in certificate.results)
    told = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    return f"{len(certificate.results)} checks: {told}"


def table(certificate: Certificate) -> str:
    """Return the results part by part, a line for each check, and why a check has failed."""
    lines = [certificate.minidriver, ""]
    width = max((len(result.check.id) for result in certificate.results), default=0)
    for letter, title, results in _by_part(certificate):
        lines.append(f"{letter}  {title}")
        for result in results:
            word, check = _WORDS[result.outcome], result.check
            lines.append(f"   {word:<5} {check.id:<{width}}  {check.title}")
            if result.message:
                lines.append(f"         {result.message}")
            if result.outcome is Outcome.FAILED:
                lines.append(f"         {check.source}: {_few(check.rows)}")
        lines.append("")
    return "\n".join((*lines, summary(certificate)))


def _few(rows: tuple[str, ...]) -> str:
    """Return ids of rules for a line; JSON has them all."""
    more = len(rows) - ROWS_SHOWN
    return ", ".join(rows[:ROWS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def as_json(certificate: Certificate) -> str:
    """Return an object with ``minidriver``, ``passed`` and the list ``checks``."""
    told = {
        "minidriver": certificate.minidriver,
        "passed": certificate.passed,
        "checks": [
            {
                "id": result.check.id,
                "title": result.check.title,
                "source": result.check.source,
                "rules": list(result.check.rows),
                "outcome": result.outcome.value,
                "message": result.message,
                "seconds": round(result.seconds, 6),
            }
            for result in certificate.results
        ],
    }
    return json.dumps(told, indent=2)


def as_junit(certificate: Certificate) -> str:
    """Return a JUnit report: a suite for each part, a test case for each check."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    name = f"vreader minidriver certify {certificate.minidriver}"
    suites = Element("testsuites", {"name": name, **_counts(certificate.results)})
    for letter, title, results in _by_part(certificate):
        suite = SubElement(suites, "testsuite", {"name": f"{letter} {title}", **_counts(results)})
        for result in results:
            case = SubElement(
                suite,
                "testcase",
                classname=f"{certificate.minidriver}.{letter}",
                name=result.check.id,
                time=f"{result.seconds:.6f}",
            )
            if result.outcome is Outcome.FAILED:
                # Some readers show the text alone, others the message.
                failure = SubElement(case, "failure", type="Failed", message=result.message)
                rules = ", ".join(result.check.rows)
                failure.text = (
                    f"{result.message}\n{result.check.title}\n{result.check.source}: {rules}"
                )
            elif result.outcome is Outcome.NOT_APPLICABLE:
                SubElement(case, "skipped", message=result.message)
    indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _counts(results: list[Result]) -> dict[str, str]:
    """Return what readers of JUnit's XML ask of a suite; a check that fails is never an error."""
    return {
        "tests": str(len(results)),
        "failures": str(sum(r.outcome is Outcome.FAILED for r in results)),
        "errors": "0",
        "skipped": str(sum(r.outcome is Outcome.NOT_APPLICABLE for r in results)),
        "time": f"{sum(r.seconds for r in results):.6f}",
    }


def _by_part(certificate: Certificate) -> Iterator[tuple[str, str, list[Result]]]:
    for part in PARTS:
        results = [r for r in certificate.results if r.check in part.checks]
        if results:
            yield part.letter, part.title, results
