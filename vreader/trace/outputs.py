# SPDX-License-Identifier: Apache-2.0
"""What a world writes beside its work: the trace, filtered or not, and the event log at the end."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from vreader.smclib.debug import SmartcardSetDebugLevel
from vreader.trace import open_trace
from vreader.trace.level import parse_level
from vreader.trace.log import Record, write_log_at_end
from vreader.wdm import IoManager


def open_outputs(
    closers: ExitStack,
    io: IoManager,
    records: Callable[[], Sequence[Record]],
    *,
    trace: str | None,
    unmask: bool,
    debug: str | None,
    log: str | None,
) -> None:
    """Open what is asked for; ``closers`` gets what ends it.

    Args:
        closers: also closes what was opened before an error.
        io: of the computer whose events are traced.
        records: the entries of its event log, asked at the end.
        trace: see :func:`vreader.trace.open_trace`.
        unmask: the events show secrets.
        debug: a debug level (:func:`vreader.trace.level.parse_level`): filters the trace, and is
            set in the driver library.
        log: a file for the event log.

    Raises:
        VreaderError: something cannot be written; UsageError for a level that is none.
    """
    level = None if debug is None else parse_level(debug)  # before a file loses what it holds
    if log is not None:
        closers.callback(write_log_at_end(log, records))
    if trace is None:
        return
    if level is not None:
        SmartcardSetDebugLevel(level, io)
    closers.callback(open_trace(trace, io.events, unmask=unmask, level=level))
