# SPDX-License-Identifier: Apache-2.0
"""Sinks for the events of every floor: a readable log, JSON lines, or packets for Wireshark.

Which bytes are secret is decided where an event is made, and they are gone from it by then; what
is here shows events and decides nothing. Rooms of this floor are not known here: their events are
shown by class name and fields.
"""

import datetime
import os
import stat
import sys
import time
from collections.abc import Callable
from io import BufferedWriter, TextIOWrapper
from typing import TextIO

from vreader import __version__
from vreader.errors import UsageError, VreaderError
from vreader.events import Emitter
from vreader.trace.events import TraceOpened
from vreader.trace.jsonl import json_line
from vreader.trace.sink import Format, WritingSink
from vreader.trace.text import TextFormat

__all__ = ["open_trace"]


def warn_on_stderr(message: str) -> None:
    """Say it on standard error, if that still works."""
    try:
        sys.stderr.write(f"vreader: warning: {message}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody listens, and a reader must not stop for that


def open_trace(
    target: str,
    emitter: Emitter,
    *,
    unmask: bool = False,
    full: bool = False,
    level: int | None = None,
    now: Callable[[], float] = time.monotonic,
    warn: Callable[[str], None] = warn_on_stderr,
) -> Callable[[], None]:
    """Write what ``emitter`` says to ``target`` from now on; return how to stop.

    Args:
        target: ``-`` is standard error; a file named ``*.jsonl`` gets JSON lines
            (:mod:`vreader.trace.jsonl`), ``*.pcapng`` packets (:mod:`vreader.trace.pcapng`); any
            other file gets text. A regular file is replaced and belongs to its owner alone (0600).
        emitter: a host's ``events``.
        unmask: the events come from a host that shows secrets; the trace says so at its beginning.
        full: show all of long data; JSON lines and packets always do.
        level: show only what belongs to these DEBUG_* bits (:mod:`vreader.trace.level`); None shows
            everything, in packets all but what carries the rest (:mod:`vreader.trace.recent`).
        now: monotonic seconds.
        warn: told in one line, once, when the trace cannot go on, a full disk say. Nothing is ever
            raised at the emitter.

    Raises:
        VreaderError: ``target`` cannot be written; UsageError where it makes no sense.
    """
    name = "standard error" if target == "-" else target
    end = target.lower().rpartition(".")[1:]
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    opened = TraceOpened(__version__, started, unmask)
    if end == (".", "pcapng"):
        from vreader.trace.pcapng import PcapngFormat, filtered_packets

        packets = open_binary(target, "trace")
        writing = WritingSink(packets, name, PcapngFormat(), now, warn, owned=True)
        writing(opened)
        unsubscribe = emitter.subscribe(filtered_packets(writing, level))
        return _closer(unsubscribe, writing.close)
    stream, owned = (sys.stderr, False) if target == "-" else (_open(target), True)
    write: Format[str] = json_line
    if end != (".", "jsonl"):
        write = TextFormat(colour=wants_colour(stream), full=full)
    sink = WritingSink(stream, name, write, now, warn, owned=owned)
    sink(opened)
    if level is None:
        unsubscribe = emitter.subscribe(sink)
    else:
        from vreader.trace.level import filtered

        unsubscribe = emitter.subscribe(filtered(sink, level))
    return _closer(unsubscribe, sink.close)


def _closer(unsubscribe: Callable[[], None], end: Callable[[], None]) -> Callable[[], None]:
    def close() -> None:
        unsubscribe()
        end()

    return close


def _open(path: str) -> TextIO:
    """Open the file of a trace."""
    if path.lower().endswith(".pcap"):
        raise UsageError(
            f"captures are written as pcapng alone, not as {path}",
            hint=f"for Wireshark: {path}ng",
        )
    return open_output(path, "trace")


def open_output(path: str, what: str) -> TextIO:
    """Open a file of text as :func:`open_binary` does; lines end as in UNIX."""
    return TextIOWrapper(
        open_binary(path, what), encoding="utf-8", errors="backslashreplace", newline="\n"
    )


def open_binary(path: str, what: str) -> BufferedWriter:
    """Open a file for its owner alone; a FIFO nobody reads is refused instead of waited for.

    Args:
        path: where; a file that is there is replaced.
        what: is to be written there, for errors.

    Raises:
        VreaderError: it cannot be written; UsageError where it makes no sense.
    """
    otherwise = ", or - for standard error" if what == "trace" else ""
    if not path or "\0" in path:
        raise UsageError(f"a {what} needs a file", hint=f"name a file{otherwise}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                # Before anything is in it: a file that was there may be open to others.
                os.fchmod(descriptor, 0o600)
                os.ftruncate(descriptor, 0)
            os.set_blocking(descriptor, True)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise VreaderError(
            f"cannot write the {what} to {path}: {error.strerror or error}",
            hint=f"name a file in a directory you may write to{otherwise}",
        ) from None
    return os.fdopen(descriptor, "wb")


def wants_colour(stream: TextIO) -> bool:
    """Colour is for terminals, and for those who did not say NO_COLOR (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
