# SPDX-License-Identifier: Apache-2.0
"""A reader at one end of a serial line: a pseudo-terminal, a thread, and the reader's device.

The door opens its reader as a resource manager would, and stands for the firmware of a GemPC Twin
between it and the line. It keeps the other end of the line open itself, so that a driver may come
and go: to us a restart of pcscd is only a pause.

The driver takes the first frame it hears for the echo of its command and the second for the answer,
whatever they are. So what it has given up waiting for must never reach it: every later answer would
be taken for another command's. It gives up when this process is stopped for a while, by Ctrl-Z say,
and another driver takes over while a card still works. So nothing is sent after a long silence of
ours, nor when another command is there already.
"""

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Callable

from vreader.bridge.device import DeviceHandle
from vreader.bridge.serialccid.events import (
    SerialCcidConnected,
    SerialCcidIgnored,
    SerialCcidWaiting,
)
from vreader.bridge.serialccid.frame import NAK_FRAME, TIME_REQUEST, FrameDecoder, Signal, encode
from vreader.bridge.serialccid.line import CardLine, parse_link
from vreader.bridge.serialccid.patience import Patience
from vreader.bridge.serialccid.slot import CcidSlot
from vreader.errors import VreaderError
from vreader.events import Emitter, Event
from vreader.reader.events import TpduEvent
from vreader.reader.link import tell_nobody
from vreader.reader.linkspec import LinkSettings
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import NTSTATUS

_READ_SIZE = 4096
# The driver waits a second and the card's block waiting time, 1.1 s at least.
_PATIENCE_S = 0.4
# It waits two seconds for most of its commands, not asked to wait on.
_GIVES_UP_S = 1.5
# So often an idle line is looked at. What is there of a frame then will never be more, for a driver
# sends it in one piece.
_LOOK_MS = 250


class SerialCcidDoor:
    """Serves one reader on a serial line of its own.

    Args:
        reader: name of the reader, for events.
        handle: the open reader; the door owns it from now on and closes it.
        device: name of its device object, as other events of the reader have it.
        events: where to tell what happens.
        link: how the line and the card's end behave, see CardLine; as text see ``parse_link``.
        now: seconds of a clock that only advances.

    Attributes:
        path: device file of the line's other end, for the driver.

    Raises:
        UsageError: ``link`` cannot be read, or means nothing here.
        VreaderError: this machine has no pseudo-terminal to give.
    """

    def __init__(
        self,
        reader: str,
        handle: DeviceHandle,
        *,
        device: str = "",
        events: Emitter | None = None,
        link: LinkSettings | str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reader = reader
        self._device = device or reader
        self._handle = handle
        self._events = Emitter() if events is None else events
        self._line = CardLine(handle, parse_link(link) if isinstance(link, str) else link)
        self._slot = CcidSlot(self._line)
        self._decoder = FrameDecoder()
        self._sent = NAK_FRAME
        self._spoken = False
        self._poll = select.poll()
        self._now = now
        self._awaited_at = now()  # the driver had not given up then, whatever it waited for
        try:
            self._open()
        except OSError as error:
            raise VreaderError(
                f"cannot open a pseudo-terminal: {error.strerror}",
                hint="is /dev/pts mounted? or use --stack pcscd",
            ) from error
        self._patience = Patience(self._ask_for_time, _PATIENCE_S, f"ccid {reader} patience")
        self._thread = threading.Thread(target=self._run, name=f"ccid {reader}", daemon=True)

    def _open(self) -> None:
        with contextlib.ExitStack() as opened:
            self._master, self._other_end = os.openpty()
            opened.callback(os.close, self._master)
            opened.callback(os.close, self._other_end)
            # The wire changes no byte and waits for nobody.
            tty.setraw(self._other_end)
            os.set_blocking(self._master, False)
            self.path = os.ttyname(self._other_end)
            self._wake, self._waker = os.pipe()
            opened.callback(os.close, self._wake)
            opened.callback(os.close, self._waker)
            self._files = opened.pop_all()

    @property
    def card_failure(self) -> str:
        """Why the card inside could not be powered up, or nothing."""
        return self._line.failure

    def forget_failure(self) -> None:
        """Do nothing: the line forgets it with the card."""

    def noticed(self) -> None:
        """Do nothing: the driver asks, and sees each card that has moved meanwhile."""

    def start(self) -> None:
        """Begin to serve; returns at once."""
        self._track(Ioctl.SMARTCARD_IS_PRESENT)
        self._patience.start()
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Close the reader and the line; may be called twice.

        Waits at most ``timeout_s`` for a card that is in the middle of a command.
        """
        self._handle.close()
        if self._thread.ident is not None and self._thread.is_alive():
            os.write(self._waker, b"\0")
            self._thread.join(timeout_s)
        self._patience.stop()
        if not self._thread.is_alive():
            self._files.close()

    # Where the card is. Completion routines: any thread, under the host's lock.

    def _track(self, code: Ioctl) -> None:
        present = code == Ioctl.SMARTCARD_IS_PRESENT

        def moved(status: NTSTATUS, _: bytes) -> None:
            if status is not NTSTATUS.SUCCESS:
                self._line.moved(present=False)  # the reader is gone, or we are closing it
                return
            self._line.moved(present=present)
            self._track(Ioctl.SMARTCARD_IS_ABSENT if present else Ioctl.SMARTCARD_IS_PRESENT)

        self._handle.start(code, b"", 0, moved)

    # The thread.

    def _run(self) -> None:
        self._poll.register(self._master, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        while True:
            looked_at = self._now()
            ready = self._ready(_LOOK_MS)
            if self._wake in ready:
                return
            if not ready:
                self._awaited_at = looked_at
                if self._decoder.partial:
                    self._decoder.clear()
                    self._ignored("a frame of the driver broke off")
                continue
            data = os.read(self._master, _READ_SIZE)
            if not self._awaited():
                self._awaited_at = looked_at
                self._decoder.clear()
                self._ignored("the driver must have given up waiting for us")
                continue
            # The driver takes back what it sent before it expects an answer.
            self._send(data)
            if items := self._decoder.feed(data):
                self._answer(items[-1])

    def _answer(self, item: bytes | Signal) -> None:
        answer = self._execute(item)
        awaited, looked_at = self._awaited(), self._now()
        if self._master in self._ready(0):
            self._ignored("an answer came too late: the driver has sent another command")
        elif awaited:
            self._send(self._slot.moved() + answer)
        else:
            self._awaited_at = looked_at
            self._ignored("an answer came too late: the driver waits for it no more")

    def _ready(self, timeout_ms: int) -> set[int]:
        return {fd for fd, _ in self._poll.poll(timeout_ms)}

    def _awaited(self) -> bool:
        """Tell whether the driver still waits; if it does, it is to hear from us now."""
        now = self._now()
        if now - self._awaited_at > _GIVES_UP_S:
            return False
        self._awaited_at = now
        return True

    def _execute(self, item: bytes | Signal) -> bytes:
        """Do what a message asks for; return what to send."""
        self._line.tell = self._crossed if self._events else tell_nobody
        if item is Signal.RESEND:
            self._ignored("the driver asked for an answer again")
            return self._sent
        if item is Signal.DAMAGED:
            self._ignored("a frame of the driver came damaged")
            return NAK_FRAME
        assert isinstance(item, bytes)
        if not self._spoken:
            self._spoken = True
            self._say(SerialCcidConnected(self.reader, self.path))
        with self._patience:
            self._sent = encode(self._slot.answer(item))
        return self._sent

    def _ask_for_time(self) -> None:
        if self._awaited():
            self._say(SerialCcidWaiting(self.reader, self.path))
            # Where the answer was faster, the driver skips this byte before its next one.
            self._send(TIME_REQUEST)

    def _send(self, data: bytes) -> None:
        try:
            os.write(self._master, data)
        except BlockingIOError:
            self._ignored("nobody reads the line; what was sent is lost")

    def _ignored(self, reason: str) -> None:
        self._say(SerialCcidIgnored(self.reader, self.path, reason))

    def _crossed(self, protocol: str, to_card: bool, raw: bytes, text: str, harm: str) -> None:
        # Without the bytes: whether they are secret is known when the command is whole.
        self._say(TpduEvent(self._device, protocol, to_card, text, b"", len(raw), harm))

    def _say(self, event: Event) -> None:
        if self._events:
            self._events.emit(event)
