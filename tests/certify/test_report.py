# SPDX-License-Identifier: Apache-2.0
"""The certificate on paper."""

import json
import xml.etree.ElementTree as ET

import pytest

from vreader.certify import Certificate, Outcome, Result, select
from vreader.certify.report import as_json, as_junit, summary, table

CANCEL, VENDOR, INVERSE = select(["A.cancel", "B.vendor-name", "D.inverse-convention"])


@pytest.fixture
def certificate():
    return Certificate(
        "MyReader",
        "nfc",
        [
            Result(CANCEL, Outcome.PASSED, "", 0.25),
            Result(VENDOR, Outcome.FAILED, "VENDOR_NAME is <\0>", 0.0),
            Result(INVERSE, Outcome.NOT_APPLICABLE, "no contacts", 0.0),
        ],
    )


def test_verdict(certificate):
    assert certificate.failed == ["B.vendor-name"]
    assert not certificate.passed
    assert Certificate("X", "", []).passed


def test_table(certificate):
    lines = table(certificate).splitlines()
    assert lines[0] == "MyReader, profile nfc"
    assert "A  Card monitor" in lines
    assert any(line.split()[:2] == ["ok", "A.cancel"] for line in lines)
    failed = next(n for n, line in enumerate(lines) if line.split()[:1] == ["FAIL"])
    assert VENDOR.title in lines[failed]
    assert lines[failed + 1].strip() == "VENDOR_NAME is <\0>"
    assert lines[failed + 2].strip() == f"required by {VENDOR.requirement}"
    assert lines[-1] == summary(certificate)
    assert lines[-1] == "3 checks: 1 passed, 1 failed, 1 not applicable"


def test_an_empty_table():
    assert table(Certificate("X", "", [])).splitlines()[0] == "X, profile unknown"


def test_json(certificate):
    told = json.loads(as_json(certificate))
    assert (told["driver"], told["profile"], told["passed"]) == ("MyReader", "nfc", False)
    assert [check["outcome"] for check in told["checks"]] == ["passed", "failed", "not applicable"]
    assert told["checks"][0] == {
        "id": "A.cancel",
        "title": CANCEL.title,
        "requirement": CANCEL.requirement,
        "outcome": "passed",
        "message": "",
        "seconds": 0.25,
    }


def test_junit(certificate):
    text = as_junit(certificate)
    assert text.startswith("<?xml")
    suites = ET.fromstring(text.encode())
    assert [suite.get("name") for suite in suites] == [
        "A Card monitor",
        "B Interface and attributes",
        "D Protocol",
    ]
    assert [(s.get("tests"), s.get("failures"), s.get("skipped")) for s in suites] == [
        ("1", "0", "0"),
        ("1", "1", "0"),
        ("1", "0", "1"),
    ]
    (failure,) = suites.iter("failure")
    assert failure.get("message") == "VENDOR_NAME is <\ufffd>"
    assert VENDOR.requirement in failure.text
    (skipped,) = suites.iter("skipped")
    assert skipped.get("message") == "no contacts"
    cases = [case.get("name") for case in suites.iter("testcase")]
    assert cases == ["A.cancel", "B.vendor-name", "D.inverse-convention"]
