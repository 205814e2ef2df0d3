# SPDX-License-Identifier: Apache-2.0
"""The host's event log as text, JSON or CSV; its entries come as records of plain values.

A record is what :meth:`vreader.host.eventlog.LogEntry.record` returns, here or over the control
socket.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence

from vreader.trace import open_output, warn_on_stderr
from vreader.trace.notation import one_line

Record = Mapping[str, object]

FORMS = ("text", "json", "jsonl", "csv")
COLUMNS = (
    "number", "time", "source", "level", "event_id", "code", "text", "strings", "data",
)  # fmt: skip


def form_of(path: str) -> str:
    """Return the form a file's name asks for; text for any but .json, .jsonl and .csv."""
    end = path.lower().rpartition(".")[2]
    return end if end in FORMS else "text"


def format_log(records: Sequence[Record], form: str) -> str:
    """Return the whole log in a form of FORMS; every line ends with a line end."""
    if form == "csv":
        return _csv(records)
    if form == "text":
        return "".join(map(_text, records))
    import json

    if form == "jsonl":
        return "".join(f"{json.dumps(record)}\n" for record in records)
    return json.dumps(list(records), indent=2) + "\n"


def _text(record: Record) -> str:
    head = "  ".join(str(record[name]) for name in ("time", "level", "source", "event_id"))
    lines = [line for line in str(record["text"]).splitlines() if line]
    if record["data"] not in ("", "00 00 00 00"):
        lines.append(f"data: {record['data']}")
    return one_line(head) + "\n" + "".join(f"    {one_line(line)}\n" for line in lines)


def _csv(records: Sequence[Record]) -> str:
    import csv

    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for record in records:
        strings = record["strings"]
        texts = [str(text) for text in strings] if isinstance(strings, list) else []
        writer.writerow(
            [" | ".join(texts) if name == "strings" else record[name] for name in COLUMNS]
        )
    return out.getvalue()


def write_log_at_end(path: str, records: Callable[[], Sequence[Record]]) -> Callable[[], None]:
    """Open the file of a log now, so that nobody waits for nothing; return what fills it.

    Args:
        path: a file for its owner alone; its name says the form.
        records: asked when it is filled.

    Raises:
        VreaderError: it cannot be written.
    """
    stream = open_output(path, "log")

    def fill() -> None:
        try:
            with stream:
                stream.write(format_log(records(), form_of(path)))
                gone = os.fstat(stream.fileno()).st_nlink == 0
        except OSError as error:
            warn_on_stderr(f"the log is not in {path}: {error.strerror or error}")
        else:
            if gone:
                warn_on_stderr(f"the log is not in {path}: somebody deleted the file")

    return fill
