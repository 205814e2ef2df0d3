# SPDX-License-Identifier: Apache-2.0
"""Readers as devices: adopted, watched for cards, let go of.

A reader is opened when its interface arrives, and named by GET_ATTRIBUTE. Cards come and go by
completed IS_PRESENT and IS_ABSENT alone: a completion routine asks again. A reader leaves when
tracking fails because it has been pulled out, or with its interface. Asked whether it may be
removed, the manager closes its handle, and opens the reader again when it stays after all (WDK
"Registering for Device Notification").
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.smclib.ioctl import Attr, Characteristics, Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, Handle
from vreader.winscard import power
from vreader.winscard.access import end_lock, release_lock
from vreader.winscard.codes import SCARD
from vreader.winscard.events import ReaderRefusedEvent
from vreader.winscard.model import Reader

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

_PULLED_OUT = frozenset(
    {
        NTSTATUS.DEVICE_REMOVED,
        NTSTATUS.DELETE_PENDING,
        NTSTATUS.DEVICE_DOES_NOT_EXIST,
        NTSTATUS.DEVICE_NOT_CONNECTED,
        NTSTATUS.NO_SUCH_DEVICE,
    }
)
# Why a reader cannot be opened again for good: somebody else has it, or it is not there.
_NOT_OURS = _PULLED_OUT | {NTSTATUS.ACCESS_DENIED, NTSTATUS.OBJECT_NAME_NOT_FOUND}
# After a reader that is there has failed: it sleeps, its radio is off, it is stopped.
RETRY_S = 1.0


def adopt(rm: "ResourceManager", link: str) -> None:
    """Open a new reader, learn its name, start to watch it."""
    limit = rm.profile.max_readers
    if limit is not None and len(rm.readers) >= limit:
        if rm.events:
            rm.events.emit(ReaderRefusedEvent(link, f"{limit} readers are managed already"))
        return
    _status, device = rm.io.create_file(link)
    if device is None:
        return  # somebody else has it, a vpcd door say: not ours to manage
    vendor = _attribute(rm, device, Attr.VENDOR_NAME).decode(errors="replace")
    ifd_type = _attribute(rm, device, Attr.VENDOR_IFD_TYPE).decode(errors="replace")
    # Asked for the name as well, but what the name has is the first number that is free.
    _attribute(rm, device, Attr.DEVICE_UNIT)
    mechanics = _attribute(rm, device, Attr.CHARACTERISTICS)
    base, index = f"{vendor} {ifd_type}".strip(), 0
    taken = {r.index for r in rm.readers.values() if rm.same_name(r.base, base)}
    while index in taken:
        index += 1
    name = rm.profile.reader_name(vendor, ifd_type, index)
    reader = Reader(name, base, index, link, device, rm.io.clock)
    reader.characteristics = Characteristics(int.from_bytes(mechanics, "little"))
    reader.unregister = rm.io.register_target_notification(
        link, lambda event: _target_changes(rm, reader, event)
    )
    rm.add_reader(reader)
    _watch(rm, reader)  # completes at once where a card is in already
    reader.arriving = False


def _attribute(rm: "ResourceManager", device: Handle, tag: Attr) -> bytes:
    """GET_ATTRIBUTE, answered by the driver library at once."""
    answers: list[bytes] = []
    rm.io.device_io_control(
        device,
        Ioctl.SMARTCARD_GET_ATTRIBUTE,
        tag.to_bytes(4, "little"),
        64,
        lambda status, output: answers.append(output),
    )
    return answers[0] if answers else b""


def forget(rm: "ResourceManager", reader: Reader) -> None:
    """Let go of a reader that has left: every handle to it is dead."""
    if reader.gone:
        return
    reader.gone, reader.state = True, CardState.UNKNOWN
    reader.insertion += 1  # what is on its way is an answer to before
    reader.unregister()
    _stop_timers(reader)
    reader.sharing = 0
    release_lock(reader)
    rm.drop_reader(reader)
    rm.io.close_handle(reader.device)
    reader.gate.wake_all()


def _stop_timers(reader: Reader) -> None:
    power.cancel_idle(reader)
    for timer in (reader.transaction_timer, reader.retry_timer):
        if timer is not None:
            timer.cancel()
    reader.transaction_timer = reader.retry_timer = None


# ------------------------------------------------------------------ cards


def _watch(rm: "ResourceManager", reader: Reader) -> None:
    """Ask to be told of the next insertion or removal."""
    code = Ioctl.SMARTCARD_IS_ABSENT if reader.card_in else Ioctl.SMARTCARD_IS_PRESENT
    device = reader.device

    def told(status: NTSTATUS, output: bytes) -> None:
        if reader.gone or reader.away or reader.device is not device:
            return
        if status is NTSTATUS.SUCCESS:
            _card_moved(rm, reader)
        elif status in _PULLED_OUT:
            forget(rm, reader)
        else:
            _watch_later(rm, reader, status)

    rm.io.device_io_control(device, code, b"", 0, told)


def _watch_later(rm: "ResourceManager", reader: Reader, status: NTSTATUS) -> None:
    """Go on after tracking has failed in a reader that is still there."""
    if status is NTSTATUS.DEVICE_POWERED_OFF and reader.card_in:
        reader.card_in = False
        reader.insertion += 1
        _card_removed(rm, reader)

    _later(reader, lambda: _watch(rm, reader))


def _later(reader: Reader, call: Callable[[], None]) -> None:
    """Try something again after a while; not once the reader has gone, or goes."""

    def due() -> None:
        reader.retry_timer = None
        call()

    reader.retry_timer = reader.clock.call_at(reader.clock.now() + RETRY_S, due)


def _card_moved(rm: "ResourceManager", reader: Reader) -> None:
    reader.card_in = not reader.card_in
    reader.insertion += 1
    if reader.card_in:
        _watch(rm, reader)
        rm.start(power.greet_card(rm, reader, reader.insertion, counts=not reader.arriving))
    else:
        _card_removed(rm, reader)
        _watch(rm, reader)


def _card_removed(rm: "ResourceManager", reader: Reader) -> None:
    published = reader.state is not CardState.ABSENT
    for handle in reader.handles.values():
        handle.event = SCARD.W_REMOVED_CARD
    end_lock(reader)
    power.cancel_idle(reader)
    reader.powered = False
    power.forget_protocol(reader)
    reader.atr = b""
    reader.state = CardState.ABSENT
    if published:
        reader.counter = (reader.counter + 1) & 0xFFFF
        rm.changed(reader)


# ------------------------------------------------------------------ removal in good order


def _target_changes(rm: "ResourceManager", reader: Reader, event: str) -> bool:
    """Hear that the device may be, may not be, or has been removed; nothing is vetoed."""
    if not reader.gone:
        if event == "query-remove":
            _let_go(rm, reader)
        elif event == "remove-cancelled":
            _come_back(rm, reader)
        else:
            forget(rm, reader)
    return True


def _let_go(rm: "ResourceManager", reader: Reader) -> None:
    """Close the device, and have applications find the reader unavailable."""
    _stop_timers(reader)
    if reader.away:
        return
    reader.away, reader.state = True, CardState.UNKNOWN
    reader.insertion += 1  # what is on its way is an answer to before
    power.flag(rm, reader, SCARD.W_RESET_CARD)
    end_lock(reader)
    reader.powered, reader.atr = False, b""
    power.forget_protocol(reader)
    rm.io.close_handle(reader.device)
    rm.changed(reader)


def _come_back(rm: "ResourceManager", reader: Reader) -> None:
    """Open the device again; connections need Reconnect, as after a reset."""
    if not reader.away:
        return
    status, device = rm.io.create_file(reader.link)
    if device is None:
        if status in _NOT_OURS:
            forget(rm, reader)
        else:  # it is stopped, say
            _later(reader, lambda: _come_back(rm, reader))
        return
    had_card = reader.card_in
    reader.device, reader.away, reader.card_in = device, False, False
    reader.state = CardState.ABSENT
    reader.arriving = had_card
    _watch(rm, reader)
    reader.arriving = False
    if had_card and not reader.card_in:
        for handle in reader.handles.values():
            handle.event = SCARD.W_REMOVED_CARD
        reader.counter = (reader.counter + 1) & 0xFFFF
    rm.changed(reader)
