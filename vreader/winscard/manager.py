# SPDX-License-Identifier: Apache-2.0
"""The resource manager: contexts, readers as devices, and who may know of their changes.

Readers are devices and nothing else: they arrive by interface notification, are named by
GET_ATTRIBUTE, and tell of cards only by completing IS_PRESENT and IS_ABSENT; the monitor is a
completion routine that asks again. All of it runs under the host's lock and never blocks. The calls
on card handles are in :mod:`vreader.winscard.operations`.
"""

from collections.abc import Callable
from typing import Any

from vreader.events import Emitter
from vreader.smclib.ioctl import Attr, Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, Handle, IoManager
from vreader.winscard import power
from vreader.winscard.call import Call, Operation
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.events import ReaderChangeEvent
from vreader.winscard.model import CardEvent, CardHandle, Context, Reader, ReaderStatus
from vreader.winscard.operations import release_lock
from vreader.winscard.profile import RmProfile

SCOPES = (0, 1, 2, 3)


class ResourceManager:
    """The smart card resource manager of one host.

    Args:
        io: the I/O system whose readers it manages.
        interface: the device interface class of readers, a GUID text.
        profile: its semantics.
        new_id: makes a random positive 31-bit number for contexts and handles.
        events: where reader changes are told.
    """

    def __init__(
        self,
        io: IoManager,
        interface: str,
        profile: RmProfile,
        new_id: Callable[[], int],
        events: Emitter,
    ) -> None:
        self.io = io
        self.profile = profile
        self.events = events
        self.readers: dict[str, Reader] = {}
        self.contexts: dict[int, Context] = {}
        self.handles: dict[int, CardHandle] = {}
        self.reader_events = 1
        self.closed = False
        # What a Transmit may name instead of the protocol in force.
        self.any_protocol = (Protocol.RAW, profile.legacy_any_protocol)
        self._new_id = new_id
        self._interface = interface
        self._listeners: list[Callable[[], None]] = []
        io.register_interface_notification(interface, self._interface_changed)

    def close(self) -> None:
        """Let go of every reader and stop listening; contexts become invalid."""
        self.closed = True
        self.io.unregister_interface_notification(self._interface, self._interface_changed)
        for context in self.contexts.values():
            context.valid = False
        for reader in list(self.readers.values()):
            self._forget(reader)
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

    def establish_context(self, scope: int) -> Context:
        """Make a context; raises ScardError INVALID_VALUE for an unknown scope."""
        if scope not in SCOPES:
            raise ScardError(SCARD.E_INVALID_VALUE)
        context = Context(self.unique_id(self.contexts), scope)
        self.contexts[context.id] = context
        return context

    def handle(self, context: Context, number: int) -> CardHandle:
        """Return the card handle ``number`` of ``context``; raises ScardError INVALID_HANDLE."""
        found = context.handles.get(number)
        if found is None or not context.valid:
            raise ScardError(SCARD.E_INVALID_HANDLE)
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
            self._adopt(link)
        else:
            for reader in [r for r in self.readers.values() if r.link == link]:
                self._forget(reader)

    def _adopt(self, link: str) -> None:
        """Open a new reader, learn its name, start to watch it."""
        _status, device = self.io.create_file(link)
        if device is None:
            return  # somebody else has it, a vpcd door say: not ours to manage
        vendor = self._attribute(device, Attr.VENDOR_NAME).decode(errors="replace")
        ifd_type = self._attribute(device, Attr.VENDOR_IFD_TYPE).decode(errors="replace")
        base, index = f"{vendor} {ifd_type}".strip(), 0
        taken = {r.index for r in self.readers.values() if r.base == base}
        while index in taken:
            index += 1
        name = self.profile.reader_name(vendor, ifd_type, index)
        reader = Reader(name, base, index, link, device)
        self.readers[name] = reader
        self._count_reader_event()
        self.changed(reader)
        self._watch(reader)  # completes at once where a card is in already
        reader.arriving = False

    def _attribute(self, device: Handle, tag: Attr) -> bytes:
        """GET_ATTRIBUTE, answered by the driver library at once."""
        answers: list[bytes] = []
        self.io.device_io_control(
            device,
            Ioctl.SMARTCARD_GET_ATTRIBUTE,
            tag.to_bytes(4, "little"),
            64,
            lambda status, output: answers.append(output),
        )
        return answers[0] if answers else b""

    def _forget(self, reader: Reader) -> None:
        """Let go of a reader that has left: every handle to it is dead."""
        reader.gone, reader.state = True, CardState.UNKNOWN
        self.readers.pop(reader.name, None)
        release_lock(reader)
        power.cancel_idle(reader)
        reader.sharing = 0
        self._count_reader_event()
        self.changed(reader)
        self.io.close_handle(reader.device)
        reader.gate.wake_all()

    def _count_reader_event(self) -> None:
        self.reader_events = self.reader_events % 32767 + 1

    # ------------------------------------------------------------------ cards

    def _watch(self, reader: Reader) -> None:
        """Ask to be told of the next insertion or removal."""
        code = Ioctl.SMARTCARD_IS_ABSENT if reader.card_in else Ioctl.SMARTCARD_IS_PRESENT

        def told(status: NTSTATUS, output: bytes) -> None:
            if status is NTSTATUS.SUCCESS and not reader.gone:
                self._card_moved(reader)

        self.io.device_io_control(reader.device, code, b"", 0, told)

    def _card_moved(self, reader: Reader) -> None:
        reader.card_in = not reader.card_in
        reader.insertion += 1
        if reader.card_in:
            self._watch(reader)
            greet = power.greet_card(self, reader, reader.insertion, counts=not reader.arriving)
            self.start(greet)
        else:
            self._card_removed(reader)
            self._watch(reader)

    def _card_removed(self, reader: Reader) -> None:
        published = reader.state is not CardState.ABSENT
        for handle in reader.handles.values():
            handle.event = CardEvent.REMOVED
        release_lock(reader)
        power.cancel_idle(reader)
        reader.powered = False
        power.forget_protocol(reader)
        reader.atr = b""
        reader.state = CardState.ABSENT
        if published:
            reader.counter = (reader.counter + 1) & 0xFFFF
            self.changed(reader)
