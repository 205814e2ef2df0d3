# SPDX-License-Identifier: Apache-2.0
"""What a world remembers: its last events, its event log, and what was said to its cards."""

import time
from typing import TYPE_CHECKING

from vreader.errors import UsageError
from vreader.events import Emitter
from vreader.world.conversing import Conversing
from vreader.world.desk import Desk

if TYPE_CHECKING:
    from vreader.conversation.hearing import Hearing, Said
    from vreader.host import Host
    from vreader.trace.recent import Recent


class Remembering(Desk, Conversing):
    """The part of a world that looks back."""

    host: "Host"

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._emitter: Emitter | None = None
        self._keep = 0
        self._recent: Recent | None = None
        self._hearing: Hearing | None = None

    def remember(self, events: Emitter, keep: int) -> None:
        """Remember from now on.

        Args:
            events: of the host.
            keep: how many events; 0 remembers nothing.
        """
        self._emitter, self._keep = events, keep
        if keep:
            from vreader.conversation import hearing

            self._hearing = hearing.Hearing()
            events.subscribe(self._hearing)
            self.recent  # noqa: B018 - it listens from now on

    @property
    def keeps_events(self) -> bool:
        """Whether :meth:`last_events` has any."""
        return self._keep > 0

    @property
    def recent(self) -> "Recent":
        """Remembers the last events, and tells of them as they come; made when it is wanted."""
        if self._recent is None:
            from vreader.trace.recent import Recent

            assert self._emitter is not None  # a host has been made
            self._recent = Recent(self._keep, start=self._began)
            self._emitter.subscribe(self._recent)
        return self._recent

    def last_events(self, count: int | None = None) -> list[str]:
        """Return the last ``count`` events, or all that are kept, as the text trace has them.

        PINs and keys are masked. Requests that drivers have answered with success are left out.
        """
        return [] if self._recent is None else self._recent.texts(count)

    def log(self, after: int = 0) -> list[dict[str, object]]:
        """Return the entries of the host's event log, those with numbers above ``after``."""
        entries = self.host.run(self.host.log.entries)
        return [entry.record() for entry in entries if entry.number > after]

    def report(self, events: int | None = None) -> str:
        """Return what a person wants to know when something has failed.

        That is the readers, the cards that belong into them, and the last events (20).
        """
        from vreader.world.report import EVENTS, report

        return report(self, EVENTS if events is None else events)

    def said(self, reader: object = None) -> "list[Said]":
        """Return what was said to a card; see Conversing."""
        return self._heard().said(self.place(reader).reader.device)

    def mark(self) -> None:
        """Begin conversations anew; see Conversing."""
        self._heard().mark()

    def _heard(self) -> "Hearing":
        if self._hearing is None:
            raise UsageError(
                "this world keeps no events", hint="make it by vreader.world, or with keep_events="
            )
        return self._hearing


def check_keep(count: int) -> None:
    """Refuse a number of events that nobody can keep; raises UsageError."""
    if count < 0:
        raise UsageError(f"{count} is not how many events are kept", hint="for example 100")
