# SPDX-License-Identifier: Apache-2.0
"""The certificate on paper."""

import json
import xml.etree.ElementTree as ET

import pytest

from vreader.minidriver.certify import Certificate, Outcome, Result, select
from vreader.minidriver.certify.report import as_json, as_junit, summary, table

NULL, FLAGS, CARDID = select(["A.null-card-data", "C.read-flags", "E.cardid"])


@pytest.fixture
def certificate():
    return Certificate(
        "mine.dll",
        [
            Result(NULL, Outcome.PASSED, "", 0.25),
            Result(FLAGS, Outcome.FAILED, "the call succeeded", 0.0),
            Result(CARDID, Outcome.NOT_APPLICABLE, "no card", 0.0),
        ],
    )


def test_table(certificate):
    lines = table(certificate).splitlines()
    assert lines[0] == "mine.dll"
    failed = next(n for n, line in enumerate(lines) if line.split()[:1] == ["FAIL"])
    assert FLAGS.title in lines[failed]
    assert lines[failed + 1].strip() == "the call succeeded"
    assert lines[failed + 2].strip() == f"{FLAGS.source}: {', '.join(FLAGS.rows)}"
    assert lines[-1] == summary(certificate) == "3 checks: 1 passed, 1 failed, 1 not applicable"
    assert certificate.failed == ["C.read-flags"]


def test_json(certificate):
    told = json.loads(as_json(certificate))
    assert (told["minidriver"], told["passed"]) == ("mine.dll", False)
    assert told["checks"][0] == {
        "id": "A.null-card-data",
        "title": NULL.title,
        "source": NULL.source,
        "rules": list(NULL.rows),
        "outcome": "passed",
        "message": "",
        "seconds": 0.25,
    }


COUNTS = ("tests", "failures", "errors", "skipped", "time")


def test_junit_counts(certificate):
    suites = ET.fromstring(as_junit(certificate).encode())
    assert [suites.get(name) for name in COUNTS] == ["3", "1", "0", "1", "0.250000"]
    assert [suites[1].get(name) for name in COUNTS] == ["1", "1", "0", "0", "0.000000"]


def test_junit(certificate):
    suites = ET.fromstring(as_junit(certificate).encode())
    assert [suite.get("name")[0] for suite in suites] == ["A", "C", "E"]
    (failure,) = suites.iter("failure")
    assert failure.get("message") == "the call succeeded"
    assert failure.text.splitlines() == [
        "the call succeeded",
        FLAGS.title,
        f"{FLAGS.source}: {', '.join(FLAGS.rows)}",
    ]
    (skipped,) = suites.iter("skipped")
    assert skipped.get("message") == "no card"
