# SPDX-License-Identifier: Apache-2.0
"""Records what is said to the cards of a world, and nothing else, as JSON lines.

:mod:`vreader.recording` reads it.
"""

import datetime
import time
from collections.abc import Callable
from typing import Final

from vreader import __version__
from vreader.errors import UsageError
from vreader.events import Emitter, Event
from vreader.reader.events import ApduEvent, CardEvent, CardFaultEvent, FaultEvent, PinEvent
from vreader.trace import open_output, warn_on_stderr
from vreader.trace.events import TraceOpened
from vreader.trace.jsonl import json_line
from vreader.trace.sink import WritingSink

_RECORDED: Final = (ApduEvent, CardEvent, CardFaultEvent, FaultEvent, PinEvent)
_CAPTURES: Final = (".pcap", ".pcapng")


def open_recording(
    path: str,
    emitter: Emitter,
    *,
    unmask: bool = False,
    now: Callable[[], float] = time.monotonic,
    warn: Callable[[str], None] = warn_on_stderr,
) -> Callable[[], None]:
    """Write what ``emitter`` says of cards to a file from now on; return how to stop.

    Args:
        path: a file for its owner alone (0600); one that is there is replaced.
        emitter: a host's ``events``.
        unmask: the events come from a host that shows secrets.
        now: monotonic seconds.
        warn: told in one line, once, when it cannot go on.

    Raises:
        VreaderError: it cannot be written; UsageError where it makes no sense.
    """
    if path == "-":
        raise UsageError("a recording needs a file", hint="write -o FILE; 'vreader show' prints it")
    if path.lower().endswith(_CAPTURES):
        raise UsageError(
            f"recordings are not packet captures: {path}",
            hint="record to FILE.jsonl, then: vreader export FILE.jsonl FILE.pcapng",
        )
    stream = open_output(path, "recording")
    sink = WritingSink(stream, path, json_line, now, warn, owned=True, what="recording")
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    sink(TraceOpened(__version__, started, unmask))

    def record(event: Event) -> None:
        if isinstance(event, _RECORDED):
            sink(event)

    unsubscribe = emitter.subscribe(record)

    def close() -> None:
        unsubscribe()
        sink.close()

    return close
