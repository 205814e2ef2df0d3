# SPDX-License-Identifier: Apache-2.0
"""The forms of an exported event log."""

import csv
import io
import json

import pytest

from vreader.errors import VreaderError
from vreader.trace.log import form_of, format_log, write_log_at_end

RECORDS = [
    {
        "number": 1,
        "time": "2026-11-25T19:00:00.000+00:00",
        "source": "SCardSvr",
        "level": "Error",
        "event_id": 610,
        "code": "0x00000262",
        "text": 'rejected, "twice"\n\nCommand Header: 00 c0 00 00',
        "strings": ["a", "b"],
        "data": "",
    },
    {
        "number": 2,
        "time": "2026-11-25T19:00:01.000+00:00",
        "source": "vreader",
        "level": "Warning",
        "event_id": 7,
        "code": "0x80100007",
        "text": "old firmware",
        "strings": [],
        "data": "02 00 00 00",
    },
]


def test_text():
    assert format_log(RECORDS, "text") == (
        "2026-11-25T19:00:00.000+00:00  Error  SCardSvr  610\n"
        '    rejected, "twice"\n    Command Header: 00 c0 00 00\n'
        "2026-11-25T19:00:01.000+00:00  Warning  vreader  7\n"
        "    old firmware\n    data: 02 00 00 00\n"
    )


def test_text_has_no_control_sequences_of_others():
    record = RECORDS[1] | {"text": "a\x1b[31m\x07\r\nb", "source": "x\ny"}
    assert format_log([record], "text").splitlines() == [
        r"2026-11-25T19:00:01.000+00:00  Warning  x\ny  7",
        r"    a\x1b[31m\x07",
        "    b",
        "    data: 02 00 00 00",
    ]


def test_json():
    assert json.loads(format_log(RECORDS, "json")) == RECORDS
    assert [json.loads(line) for line in format_log(RECORDS, "jsonl").splitlines()] == RECORDS


def test_csv():
    first, second = csv.DictReader(io.StringIO(format_log(RECORDS, "csv"), newline=""))
    assert (first["text"], first["strings"]) == (RECORDS[0]["text"], "a | b")
    assert (second["event_id"], second["data"]) == ("7", "02 00 00 00")


def test_an_empty_log():
    assert [format_log([], form) for form in ("text", "json", "jsonl")] == ["", "[]\n", ""]
    assert format_log([], "csv").startswith("number,time,")


@pytest.mark.parametrize(
    ("path", "form"),
    [("a.JSON", "json"), ("a.jsonl", "jsonl"), ("a.csv", "csv"), ("a.txt", "text"), ("", "text")],
)
def test_a_file_s_name_says_its_form(path, form):
    assert form_of(path) == form


def test_a_log_is_written_at_the_end(tmp_path):
    path = tmp_path / "a.jsonl"
    records = []
    fill = write_log_at_end(str(path), lambda: records)
    assert path.read_text() == ""
    records += RECORDS
    fill()
    assert len(path.read_text().splitlines()) == 2


def test_a_full_disk_is_a_warning(capsys):
    fill = write_log_at_end("/dev/full", lambda: RECORDS)
    fill()
    assert "warning: the log is not in /dev/full: No space left" in capsys.readouterr().err


def test_a_file_that_was_deleted_meanwhile_is_a_warning(tmp_path, capsys):
    path = tmp_path / "gone" / "a.json"
    path.parent.mkdir()
    fill = write_log_at_end(str(path), lambda: RECORDS)
    path.unlink()
    path.parent.rmdir()
    fill()
    assert f"warning: the log is not in {path}: somebody deleted" in capsys.readouterr().err


def test_a_file_that_was_moved_meanwhile_has_the_log(tmp_path, capsys):
    fill = write_log_at_end(str(tmp_path / "a.json"), lambda: RECORDS)
    (tmp_path / "a.json").rename(tmp_path / "b")
    fill()
    assert json.loads((tmp_path / "b").read_text()) == RECORDS
    assert capsys.readouterr().err == ""


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(VreaderError, match="cannot write the log to") as error:
        write_log_at_end(str(tmp_path), list)
    assert error.value.hint == "name a file in a directory you may write to"
