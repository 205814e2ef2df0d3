# SPDX-License-Identifier: Apache-2.0
"""The embedded door: libpcsclite programs reach our resource manager through a UNIX socket.

One thread accepts, one thread serves each connection with blocking calls. A peer that sends
rubbish, stops in the middle of a message or dies is dropped, its context released; nobody else
notices. The door translates and waits; what a call means is the resource manager's affair.
"""

import os
import socket
import threading
import time
from collections.abc import Callable

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.session import Session
from vreader.bridge.unix import bind_private, remove_socket
from vreader.errors import VreaderError
from vreader.host import Host
from vreader.winscard.manager import ResourceManager
from vreader.winscard.model import ReaderStatus

MAX_CLIENTS = 512
PAUSE_S = 0.05


class PcscliteDoor:
    """Serves libpcsclite's protocol 4.4, 4.5 and 4.6 on a UNIX socket.

    Args:
        host: the computer whose readers are offered; it must have a resource manager.
        path: the socket, at most 107 bytes; made with mode 0600. Its directory should be private.
        reader_slots: how many slots clients of 4.4 and 4.5 expect; asked when one first needs it.

    Raises:
        VreaderError: the path is too long or in use.
    """

    def __init__(
        self, host: Host, path: str, reader_slots: Callable[[], int] = lambda: wire.READER_SLOTS
    ) -> None:
        if host.rm is None:
            raise VreaderError("this host has no resource manager to offer")
        self.host = host
        self.rm: ResourceManager = host.rm
        self.path = path
        self._reader_slots = reader_slots
        self._old_slots: int | None = None
        self._slots: list[str | None] = []
        self._reader_events = 0
        self._sessions: set[Session] = set()
        self._lock = threading.Lock()
        self._looked = threading.Condition()
        self._untold = 0  # changes that waiting clients are still to be told of
        self._closed = False
        self._socket = bind_private(path)
        self._inode = _inode(path)
        host.run(self._assign_slots)
        self._stop_listening = host.run(self.rm.add_listener, self._changed)
        self._thread = threading.Thread(target=self._accept, name="pcsclite door", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ readers as slots

    def _assign_slots(self) -> None:
        """Give each reader a slot it keeps as long as it lives; holes are filled first."""
        if self._reader_events == self.rm.reader_events:
            return  # none has come or gone since
        self._reader_events = self.rm.reader_events
        names = set(self.rm.readers)
        self._slots = [name if name in names else None for name in self._slots]
        for name in self.rm.readers:
            if name not in self._slots:
                if None in self._slots:
                    self._slots[self._slots.index(None)] = name
                else:
                    self._slots.append(name)

    def _statuses(self) -> list[ReaderStatus | None]:
        readers = self.rm.readers
        return [readers[n].status if n is not None and n in readers else None for n in self._slots]

    def slot_count(self, minor: int) -> int:
        """Return how many records a client of this version is sent; it may only ever grow."""
        if minor < 6:
            if self._old_slots is None:
                self._old_slots = self._reader_slots()
            return self._old_slots
        return max(wire.READER_SLOTS, len(self._slots))

    def states(self, count: int) -> bytes:
        """Return a state array of ``count`` records."""
        with self.host.lock:
            statuses = self._statuses()
        return wire.pack_states([None if s is None else _state(s) for s in statuses], count)

    def _changed(self) -> None:
        """Hear of a change, under the host's lock: signal the waiting clients without it."""
        self._assign_slots()
        with self._looked:
            self._untold += 1
        self.host.io.queue_work(self._signal_all, lambda _nothing: None)

    def _signal_all(self) -> None:
        try:
            for session in self.sessions():
                session.changed()
        finally:
            with self._looked:
                self._untold -= 1
                self._looked.notify_all()

    def looked(self) -> None:
        """Hear that a client has looked at the readers that it was told had changed."""
        with self._looked:
            self._looked.notify_all()

    def wait_until_looked(self, timeout_s: float) -> bool:
        """Wait until every client that waited for a change has seen what has come of it.

        Between two changes after which all is as before, a client that waits thus sees the first.
        False for one that has not looked in time: it may be stopped.
        """
        with self._looked:
            return self._looked.wait_for(
                lambda: not self._untold and not any(s.to_look for s in self.sessions()), timeout_s
            )

    # ------------------------------------------------------------------ clients

    def sessions(self) -> list[Session]:
        """Return the connections there are now."""
        with self._lock:
            return list(self._sessions)

    def cancel(self, context: int) -> bool:
        """End the wait of the connection that has ``context``; False when there is none."""
        for session in self.sessions():
            found = session.context
            if found is not None and found.id == context:
                session.cancel()
                return True
        return False

    def left(self, session: Session) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._sessions.discard(session)
        self.looked()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closed:
                    return
                time.sleep(PAUSE_S)  # no descriptors left, or the peer gave up: others will come
                continue
            try:
                self._admit(connection)
            except (OSError, RuntimeError):
                connection.close()  # it has gone already, or there are no threads left

    def _admit(self, connection: socket.socket) -> None:
        session = Session(self, connection)
        with self._lock:
            if self._closed or len(self._sessions) >= MAX_CLIENTS:
                connection.close()
                return
            session.start()
            self._sessions.add(session)

    def close(self) -> None:
        """Close the socket and end every connection; each context is released first."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self.host.run(self._stop_listening)
        if _inode(self.path) == self._inode:  # else somebody has put another one there
            remove_socket(self.path)
        # shutdown wakes the accepting thread; close alone would not.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        sessions = self.sessions()
        for session in sessions:
            session.hang_up()  # all of them first: one may wait for another to let go of a card
        for session in sessions:
            session.stop()


def _state(status: ReaderStatus) -> wire.ReaderState:
    return wire.ReaderState(
        status.name,
        status.event_counter,
        wire.STATE_BITS[status.state],
        status.sharing,
        status.atr,
        wire.protocols_to_wire(status.protocol),
    )


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - pathlib is slow to import
    except OSError:
        return 0
