# SPDX-License-Identifier: Apache-2.0
"""A sink that writes each event: whole, at once, from any thread, and never in the way.

Emitters call sinks from inside a reader at work, so nothing is ever raised at them: a trace that
cannot be written ends with one warning, and the reader works on.
"""

import threading
from collections.abc import Callable
from typing import IO, Generic, TypeVar

from vreader.events import Event

Text = TypeVar("Text", str, bytes)
Format = Callable[[float, Event], Text]
"""Turns (seconds since the trace was opened, event) into one whole entry, of text or of bytes."""


class WritingSink(Generic[Text]):
    """Formats events and writes them to a stream, flushed one by one.

    Args:
        stream: where to; closed by :meth:`close` if ``owned``.
        name: what to call it in a warning.
        write: the format of an entry.
        now: monotonic seconds.
        warn: told, once, why the trace ended early.
        owned: close the stream at the end.
        what: is written, for the warning.
    """

    def __init__(
        self,
        stream: IO[Text],
        name: str,
        write: Format[Text],
        now: Callable[[], float],
        warn: Callable[[str], None],
        *,
        owned: bool,
        what: str = "trace",
    ) -> None:
        self._stream: IO[Text] = stream
        self._name = f"the {what} to {name}"
        self._format: Format[Text] = write
        self._now = now
        self._warn = warn
        self._owned = owned
        self._start = now()
        self._over = False
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one event."""
        with self._lock:
            if self._over:
                return
            entry = self._entry(self._now() - self._start, event)
            if entry is None:
                return
            try:
                self._stream.write(entry)
                self._stream.flush()
            except (OSError, ValueError) as error:  # ValueError: somebody closed the stream
                self._over = True
                reason = getattr(error, "strerror", None) or error
                self._warn(f"{self._name} ends here: {reason}")

    def _entry(self, seconds: float, event: Event) -> Text | None:
        try:
            return self._format(seconds, event)
        except Exception as error:
            # A bug in a formatter costs one entry, not the trace. The message is left out: it may
            # quote what the event carries.
            kind = type(error).__name__
            self._warn(f"the trace cannot show a {type(event).__name__} ({kind}): please report it")
            return None

    def close(self) -> None:
        """Stop writing; may be called twice."""
        with self._lock:
            self._over = True
            if self._owned:
                try:
                    self._stream.close()
                except OSError:
                    pass  # what could not be written has been warned of already
