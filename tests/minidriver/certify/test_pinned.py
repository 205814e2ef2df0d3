# SPDX-License-Identifier: Apache-2.0
"""Results that are kept, and what has changed since."""

import pytest

from vreader.errors import VreaderError
from vreader.minidriver.certify import Certificate, Outcome, Result, select
from vreader.minidriver.certify.pinned import changes, lines

NULL, FLAGS, CARDID = select(["A.null-card-data", "C.read-flags", "E.cardid"])


def certificate(why="the call succeeded", seconds=0.0):
    return Certificate(
        "/a/path/mine.dll",
        [
            Result(NULL, Outcome.PASSED, "", seconds),
            Result(FLAGS, Outcome.FAILED if why else Outcome.PASSED, why, seconds),
            Result(CARDID, Outcome.NOT_APPLICABLE, "no card", seconds),
        ],
    )


def test_a_line_for_each_check():
    assert lines(certificate()) == [
        "ok   A.null-card-data",
        "FAIL C.read-flags: the call succeeded",
        "n/a  E.cardid",
    ]


def test_the_first_run_is_kept_and_a_change_is_a_diff(tmp_path):
    path = tmp_path / "mine.results"
    assert changes(path, certificate()) == []
    kept = path.read_bytes()
    assert changes(path, certificate(seconds=9.0)) == []
    assert changes(path, certificate(why="")) == [
        "--- mine.results",
        "+++ mine.results (now)",
        "@@ -2 +2 @@",
        "-FAIL C.read-flags: the call succeeded",
        "+ok   C.read-flags",
    ]
    assert path.read_bytes() == kept


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(VreaderError, match=r"cannot read .*: Is a directory"):
        changes(tmp_path, certificate())
    with pytest.raises(VreaderError, match="cannot write"):
        changes(tmp_path / "no" / "file", certificate())
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(VreaderError, match="cannot read"):
        changes(tmp_path / "file", certificate())
