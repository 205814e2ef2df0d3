# SPDX-License-Identifier: Apache-2.0
"""A real pcscd of one's own, for as long as a world lasts, next to the system's or without one.

pcscd takes its listening socket from us (socket activation) and has a slot for each reader: of the
vpcd driver, which we dial, or of libccid's driver at the other end of a serial line of ours. A
supervisor process shuts it into namespaces where the machine allows that, hands us connections to
its slots, and leaves nothing behind however we end. Clients use ``socket_path`` as
``PCSCLITE_CSOCK_NAME``. What a card answers is no business of this module: a VpcdDoor is given one
of ``dials``.
"""

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.wire import MAX_MINOR, READER_SLOTS, ReaderBits, ReaderState
from vreader.bridge.vpcd.dial import Dial
from vreader.bridge.vpcd.installation import TWIN, VPCD, find_installation, plan_readers
from vreader.bridge.vpcd.supervising import NoNamespaces, Supervisor
from vreader.bridge.vpcd.supervisor import LOG_NAME, SOCKET_NAME, Config
from vreader.errors import VreaderError
from vreader.privatedir import parent_directory

START_TIMEOUT_S = 10.0
# pcscd opens its readers before it answers anybody, and those that failed never again.
START_ATTEMPTS = 3
SETTLE_S = 0.25
LOOK_S = 0.25
POLL_S = 0.01
LOG_LINES = 5
ANSWER_TIMEOUT_S = 0.5
# pcscd looks for cards every 0.4 s; who has not counted one by then counts from somewhere else.
COUNTED_S = 2.0
_TWIN_DEVICE = "GemPCTwin"  # as libccid's driver calls it


class PrivatePcscd:
    """A pcscd with one slot for each of ``readers``.

    Args:
        readers: full reader names, each ending in " 00 00" (or with vpcd " 00 01", to share a
            stanza).
        lines: device file of each reader's serial line, with a GemPC Twin at the other end that
            answers already; then the driver is libccid's, and nobody dials.
        directory: the private directory to make and remove, in a directory that exists; by
            default a new one in the directory for temporary files.
        around: a directory of the caller's that is removed, too, when this pcscd ends, also when
            the caller is killed; it may hold ``directory``.
        isolate: None prefers namespaces, False does without, True insists.
        pcscd: name or path of the daemon.

    Attributes:
        warnings: what a person should know about this pcscd, one line each.
    """

    def __init__(
        self,
        readers: Sequence[str],
        *,
        lines: Sequence[str] = (),
        directory: Path | None = None,
        around: Path | None = None,
        isolate: bool | None = None,
        pcscd: str = "pcscd",
    ) -> None:
        self.warnings: tuple[str, ...] = ()
        self._readers = tuple(readers)
        self._lines = tuple(lines)
        self._wanted_directory = directory
        self._around = around
        self._directory = Path()
        self._isolate = isolate
        self._pcscd = pcscd
        self._places: tuple[tuple[int, int], ...] = ()
        self._slots = READER_SLOTS
        self._minor = MAX_MINOR
        self._supervisor: Supervisor | None = None
        # By reader: a number of movements that pcscd has counted, and whether a card was in then.
        self._counted: dict[str, tuple[int, bool]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def socket_path(self) -> Path:
        """Where PC/SC programs reach it."""
        return self._directory / SOCKET_NAME

    @property
    def dials(self) -> tuple[Dial, ...]:
        """One Dial for each reader, in their order; for the vpcd driver only."""
        return tuple(self._dial(stanza, slot) for stanza, slot in self._places)

    def start(self) -> None:
        """Start it and wait until it has all readers.

        Raises:
            VreaderError: something is missing, or pcscd did not come up; the message quotes its
                last words.
        """
        wanted = TWIN if self._lines else VPCD
        installation = find_installation(self._pcscd, wanted)
        plan = plan_readers(self._readers, installation.max_readers, wanted.slots)
        self._places = plan.places
        self._slots = installation.max_readers
        config = Config(
            command=list(installation.command),
            driver=str(installation.driver),
            names=list(plan.stanzas),
            devices=[f"{line}:{_TWIN_DEVICE}" for line in self._lines],
            slots=wanted.slots,
            directory=""
            if self._wanted_directory is None
            else str(self._wanted_directory.absolute()),
            under=parent_directory(),
            around="" if self._around is None else str(self._around.absolute()),
            hide=[str(installation.drop_directory)],
            isolate=self._isolate is not False,
            parent=os.getpid(),
        )
        self._launch(config)
        try:
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    def wait_until_seen(
        self,
        readers: Sequence[str] | None = None,
        timeout_s: float = START_TIMEOUT_S,
        *,
        hopeless: Callable[[str], object] = lambda name: False,
    ) -> None:
        """Wait until pcscd sees a card in each of ``readers`` (default: in all).

        Args:
            readers: their full names.
            timeout_s: how long.
            hopeless: says of a reader that there is nothing to wait for, if that turns out.

        Raises:
            VreaderError: it did not within ``timeout_s`` seconds.
        """
        wanted = self._readers if readers is None else tuple(readers)

        def seen(states: Mapping[str, ReaderState]) -> bool:
            found = all((name in states and states[name].atr) or hopeless(name) for name in wanted)
            if found:
                for name, state in states.items():
                    present = bool(state.state & ReaderBits.PRESENT)
                    self._counted.setdefault(name, (state.event_counter, present))
            return found

        if not self._wait_for(seen, timeout_s):
            raise self._failure("pcscd does not see the card")

    def wait_until_moved(
        self,
        reader: str,
        *,
        present: bool,
        timeout_s: float = START_TIMEOUT_S,
        hopeless: Callable[[], object] = lambda: False,
    ) -> None:
        """Wait until pcscd says that a card is in ``reader``, mute ones too, or that none is.

        It says so too early after a program has failed to reset a card that has just gone, before
        it has looked itself, and would miss one that comes at once. It counts what it has noticed.

        Args:
            reader: its full name.
            present: what to wait for.
            timeout_s: how long.
            hopeless: says that there is nothing to wait for, if that turns out.

        Raises:
            VreaderError: pcscd did not within ``timeout_s`` seconds.
        """
        bit = ReaderBits.PRESENT if present else ReaderBits.ABSENT
        trusting_at = time.monotonic() + min(COUNTED_S, timeout_s / 2)

        def moved(states: Mapping[str, ReaderState]) -> bool:
            if hopeless():
                return True
            state = states.get(reader)
            if state is None or not state.state & bit:
                return False
            count = state.event_counter
            counted, was_present = self._counted.get(reader, (count, present))
            noticed = was_present ^ bool((count - counted) % 2)
            if noticed is not present and time.monotonic() < trusting_at:
                return False
            self._counted[reader] = (count, present)
            return True

        if not self._wait_for(moved, timeout_s):
            seen = "the card" if present else "that the card has gone"
            raise self._failure(f"pcscd does not see {seen} in {reader} within {timeout_s:g} s")

    def restart(self) -> None:
        """End pcscd as systemd would and start it again, with the same socket and readers."""
        self._counted.clear()
        self._running().ask({"do": "restart"})

    def stop(self) -> None:
        """End it and remove its directory; may be called twice."""
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
            # The supervisor does this; but it may have been killed.
            shutil.rmtree(self._directory, ignore_errors=True)

    def _launch(self, config: Config) -> None:
        why = "as asked"
        if config["isolate"]:
            try:
                self._supervisor = Supervisor(config)
            except NoNamespaces as refusal:
                if self._isolate:
                    raise VreaderError(
                        f"no namespaces for a private pcscd: {refusal}",
                        hint="allow unprivileged user namespaces, or do without",
                    ) from refusal
                why = str(refusal)
        if self._supervisor is None:
            if not self._lines:
                self.warnings = (
                    f"pcscd runs without namespaces ({why}): "
                    "its vpcd driver listens on all network interfaces",
                )
            self._supervisor = Supervisor({**config, "isolate": False})
        self._directory = Path(self._supervisor.directory)

    def _wait_until_up(self) -> None:
        def complete(states: Mapping[str, ReaderState]) -> bool:
            return set(self._readers) <= states.keys()

        for ends in range(START_ATTEMPTS):
            if ends:
                self.restart()
            if self._wait_for(complete, START_TIMEOUT_S, ends):
                return
        raise self._failure("pcscd does not come up with its readers")

    def _wait_for(
        self,
        satisfied: Callable[[Mapping[str, ReaderState]], bool],
        timeout_s: float,
        ends: int | None = None,
    ) -> bool:
        """Ask pcscd for its readers until they satisfy; False when the time is over.

        With ``ends`` it is just starting: it has been ended so often, ending by itself is an error,
        and once it answers there is little to wait for.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                with PcscClient(
                    str(self.socket_path), self._minor, self._slots, timeout_s=ANSWER_TIMEOUT_S
                ) as client:
                    # An offer of more than it speaks costs three lines of log each time.
                    self._minor = client.minor
                    states = client.readers()
                    if ends is not None:
                        deadline = min(deadline, time.monotonic() + SETTLE_S)
                    while not satisfied({state.name: state for state in states}):
                        if (left := deadline - time.monotonic()) <= 0:
                            return False
                        states = client.get_status_change(states, min(left, LOOK_S))
                    return True
            except VreaderError:
                # It does not run at the moment; its supervisor starts it again.
                news = self._running().ask({"do": "status"})[0]
                if ends is not None and news["times"] > ends:
                    raise self._failure(f"pcscd ended at once ({news['ended']})") from None
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_S)

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise VreaderError("the private pcscd is not running", hint="start it first")
        return self._supervisor

    def _failure(self, what: str) -> VreaderError:
        """Make an error of ``what`` and of pcscd's last words."""
        log = self._directory / LOG_NAME
        lines: list[str] = []
        with contextlib.suppress(OSError):
            lines = log.read_text(errors="replace").splitlines()
        # Each line begins with a count of microseconds. What our own offer of a newer protocol left
        # there is no news, nor is what a second start said again.
        lines = [line.lstrip("0123456789 ") for line in lines if "protocol" not in line]
        said = "; ".join(list(dict.fromkeys(lines))[-LOG_LINES:])
        return VreaderError(
            f"{what}, and said: {said}" if said else what,
            hint="see what 'vreader doctor' says, or use --stack embedded",
        )

    def _dial(self, stanza: int, slot: int) -> Dial:
        def dial() -> socket.socket:
            answer, fds = self._running().ask({"do": "dial", "stanza": stanza, "slot": slot})
            if not fds:
                raise OSError(answer["errno"], answer["error"])
            return socket.socket(fileno=fds[0])

        return dial
