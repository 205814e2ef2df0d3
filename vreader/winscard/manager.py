# SPDX-License-Identifier: Apache-2.0
"""The resource manager: its contexts, its readers, and who may know of their changes.

Readers are devices and nothing else (:mod:`vreader.winscard.monitor`). All of it runs under the
host's lock and never blocks. The calls on card handles are in :mod:`vreader.winscard.operations`.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vreader.events import Emitter
from vreader.registry import Registry
from vreader.registry.names import fold
from vreader.smclib.ioctl import Protocol
from vreader.wdm import IoManager
from vreader.winscard import monitor
from vreader.winscard.cache import CardCache
from vreader.winscard.call import Call, Operation
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.events import ReaderChangeEvent
from vreader.winscard.model import CardHandle, Context, Reader, ReaderStatus
from vreader.winscard.profile import RmProfile

if TYPE_CHECKING:
    from vreader.registry.view import View
    from vreader.winscard.cardtypes import CardTypes
    from vreader.winscard.database import ReaderDatabase

GROUPS = ("SCard$DefaultReaders",)


class ResourceManager:
    """The smart card resource manager of one host.

    Args:
        io: the I/O system whose readers it manages.
        interface: the device interface class of readers, a GUID text.
        profile: its semantics.
        new_id: makes a random positive 31-bit number for contexts and handles.
        events: where reader changes are told.
        registry: where names of readers and types of cards are kept; one of its own where None is
            given.
        bits: of the system, 32 or 64.

    Attributes:
        registry: where names of readers and types of cards are kept.
        stopped: what every call answers while there is no service, or None.
        closed: it has been closed for good.
        cache: the card data cache.
    """

    def __init__(
        self,
        io: IoManager,
        interface: str,
        profile: RmProfile,
        new_id: Callable[[], int],
        events: Emitter,
        registry: Registry | None = None,
        bits: int = 64,
    ) -> None:
        self.io = io
        self.profile = profile
        self.events = events
        self.readers: dict[str, Reader] = {}
        self.contexts: dict[int, Context] = {}
        self.handles: dict[int, CardHandle] = {}
        self.reader_events = 1
        self.closed = False
        self.stopped = SCARD.E_NO_SERVICE if profile.stops_without_readers else None
        self.cache = CardCache(profile.cache_item_bytes)
        # What a Transmit may name instead of the protocol in force.
        self.any_protocol = (
            (Protocol.RAW, profile.legacy_any_protocol) if profile.raw_is_free else ()
        )
        self._new_id = new_id
        self._interface = interface
        self.registry = Registry() if registry is None else registry
        self._bits = bits
        self._listeners: list[Callable[[], None]] = []
        io.register_interface_notification(interface, self._interface_changed)

    def close(self) -> None:
        """Let go of every reader and stop listening; contexts become invalid. May come twice."""
        if self.closed:
            return
        self.closed = True
        self.io.unregister_interface_notification(self._interface, self._interface_changed)
        self._invalidate(SCARD.E_NO_SERVICE)
        self.stopped = SCARD.E_NO_SERVICE
        for reader in list(self.readers.values()):
            monitor.forget(self, reader)
        self._tell_listeners()

    # ------------------------------------------------------------------ changes

    def add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change of any reader; returns how to stop it.

        It is called under the lock and must return at once.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def changed(self, reader: Reader) -> None:
        """Tell the listeners that something about ``reader`` is different."""
        if self.events:
            self.events.emit(
                ReaderChangeEvent(
                    reader.name, reader.state.name, reader.counter, reader.sharing, reader.gone
                )
            )
        self._tell_listeners()

    def _tell_listeners(self) -> None:
        for listener in list(self._listeners):
            listener()

    def statuses(self) -> list[ReaderStatus]:
        """Return every reader's published state, in order of arrival."""
        return [reader.status for reader in self.readers.values()]

    # ------------------------------------------------------------------ contexts

    def establish_context(self, scope: int, *, serial: bool = True) -> Context:
        """Make a context.

        Args:
            scope: 0 user, 1 terminal, 2 system, with pcsc-lite 3 global; else INVALID_VALUE.
            serial: its calls come one after another, as on a connection.
        """
        if self.stopped is not None:
            raise ScardError(self.stopped)
        if not 0 <= scope < self.profile.scopes:
            raise ScardError(SCARD.E_INVALID_VALUE)
        context = Context(self.unique_id(self.contexts), scope, serial)
        self.contexts[context.id] = context
        return context

    def _invalidate(self, code: SCARD) -> None:
        for context in self.contexts.values():
            if context.valid:
                context.valid, context.failure = False, code

    def handle(self, context: Context, number: int) -> CardHandle:
        """Return the card handle ``number`` of ``context``; raises ScardError INVALID_HANDLE."""
        found = context.handles.get(number)
        if found is None or not context.valid:
            raise ScardError(context.failure)
        return found

    def unique_id(self, taken: dict[int, Any]) -> int:
        """Return a random positive 31-bit number not in ``taken``."""
        while True:
            number = self._new_id()
            if number and number not in taken:
                return number

    def start(self, operation: Operation[Any]) -> Call[Any]:
        """Start an operation on the manager's own account; nobody waits for it."""
        call: Call[Any] = Call(self.io, operation)
        call.start()
        return call

    # ------------------------------------------------------------------ readers

    def _interface_changed(self, link: str, arrived: bool) -> None:
        if arrived:
            monitor.adopt(self, link)
        else:
            for reader in [r for r in self.readers.values() if r.link == link]:
                monitor.forget(self, reader)

    def add_reader(self, reader: Reader) -> None:
        """Publish a reader that has arrived."""
        self.readers[reader.name] = reader
        if not self.closed:
            self.stopped = None
        self._count_reader_event()
        self.changed(reader)

    def drop_reader(self, reader: Reader) -> None:
        """Publish that a reader has left; with the last one the service may stop."""
        del self.readers[reader.name]
        if self.profile.database:
            self.database.left(reader.name)
        if self.profile.stops_without_readers and not self.readers:
            self.stopped = SCARD.E_NO_SERVICE
            self._invalidate(SCARD.E_SERVICE_STOPPED)
        self._count_reader_event()
        self.changed(reader)

    def _count_reader_event(self) -> None:
        self.reader_events = self.reader_events % 32767 + 1

    # ------------------------------------------------------------------ names

    @cached_property
    def database(self) -> "ReaderDatabase":
        """Further names and groups; ScardError UNSUPPORTED_FEATURE for a profile without any."""
        if not self.profile.database:
            raise ScardError(SCARD.E_UNSUPPORTED_FEATURE)
        from vreader.winscard.database import ReaderDatabase  # most worlds never need it

        return ReaderDatabase(self.registry)

    @cached_property
    def services(self) -> "View":
        """The registry as services see it."""
        return self.view(self._bits)

    def view(self, bits: int) -> "View":
        """Return the registry as a program of 32 or 64 bits sees it; raises UsageError."""
        from vreader.registry.view import View

        return View(self.registry, bits, self._bits)

    def card_types(self, bits: int) -> "CardTypes":
        """Return the card types that a program sees; ScardError UNSUPPORTED_FEATURE as above."""
        if not self.profile.database:
            raise ScardError(SCARD.E_UNSUPPORTED_FEATURE)
        from vreader.winscard.cardtypes import CardTypes

        return CardTypes(self.view(bits))

    def find_reader(self, name: str) -> Reader | None:
        """Return the reader an application calls ``name``, or None."""
        reader = self.readers.get(name)
        if reader is not None or not self.profile.names_ignore_case:
            return reader
        if self.profile.database:
            name = self.database.device(name) or name
        return next((r for r in self.readers.values() if self.same_name(r.name, name)), None)

    def same_name(self, one: str, other: str) -> bool:
        """Whether two names are one to applications."""
        if self.profile.names_ignore_case:
            return fold(one) == fold(other)
        return one == other

    def list_readers(self, groups: Sequence[str] = ()) -> list[str]:
        """Return the names of the readers that are there; in ``groups``, or all."""
        if not self.profile.database:
            return list(self.readers)
        names = [name for device in self.readers for name in self.database.names(device)]
        if groups:
            names = [name for name in names if self.database.is_in(name, groups)]
        return names

    def list_groups(self) -> list[str]:
        """Return the groups of readers there are."""
        return self.database.groups() if self.profile.database else list(GROUPS)
