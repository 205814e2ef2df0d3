# SPDX-License-Identifier: Apache-2.0
"""A reader of a world whose card is a program that connects, and the program, if we start it."""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from vreader.bridge.vpcd.reader_end import ReaderEnd, ReaderEndTiming
from vreader.card import Card
from vreader.errors import VreaderError
from vreader.listenspec import LISTEN, ListenSpec

if TYPE_CHECKING:
    from vreader.world.desk import Place

HOST_VARIABLE, PORT_VARIABLE = "VREADER_VPCD_HOST", "VREADER_VPCD_PORT"
_LOOK_S = 0.02
_END_S = 2.0


class Listening:
    """Puts the card of a program that connects into its reader, and takes it out when it leaves.

    Args:
        place: the reader; its ``card`` is set and cleared here.
        spec: where to listen.

    Raises:
        VreaderError: nobody can listen there.
    """

    def __init__(self, place: "Place", spec: ListenSpec) -> None:
        self._place = place
        self._spec = spec
        self._inside = threading.Event()
        self._program: subprocess.Popen[bytes] | None = None
        self._end = ReaderEnd(
            place.name,
            spec.host,
            spec.port,
            came=self._came,
            left=self._left,
            events=place.reader.events,
            timing=ReaderEndTiming(patience_s=spec.patience_s),
        )

    @property
    def address(self) -> str:
        """Where it listens, as ``HOST:PORT``."""
        return self._end.address

    @property
    def port(self) -> int:
        """The port it listens at."""
        return self._end.port

    @property
    def label(self) -> str:
        """The card program, for lists."""
        return f"{LISTEN}:{self.address}"

    @property
    def warning(self) -> str:
        """What a person may not have meant, or nothing."""
        if not self._end.exposed:
            return ""
        return f"whoever reaches {self.address} can insert a card into {self._place.name}"

    def start(self) -> None:
        """Start the program, where we are told how; raises VreaderError."""
        if not self._spec.command:
            return
        where = {"host": self._end.host, "port": str(self._end.port)}
        words = self._words(where)
        try:
            # It has a session of its own: what is typed at the terminal is not for it. What it
            # says is for people, like all that we say beside the data.
            self._program = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=2,
                env={
                    **os.environ,
                    HOST_VARIABLE: where["host"],
                    PORT_VARIABLE: where["port"],
                },
                start_new_session=True,
            )
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            raise VreaderError(
                f"the card program {words[0]} cannot be started: {error.strerror}",
                hint="install it, or give its full path" if missing else "is it executable?",
            ) from None

    def _words(self, where: dict[str, str]) -> list[str]:
        try:
            words = shlex.split(self._spec.command)
        except ValueError as error:
            raise VreaderError(
                f"command= of {self._place.name} cannot be read: {error}",
                hint="quote it as in a shell; sh -c '…' runs one",
            ) from None
        for name, value in where.items():
            words = [word.replace(f"{{{name}}}", value) for word in words]
        return words

    def wait(self) -> None:
        """Wait for the card, as long as the SPEC says; raises VreaderError when there is none."""
        deadline = time.monotonic() + self._spec.wait_s
        while not self._inside.wait(_LOOK_S if self._program else self._spec.wait_s):
            code = _ended(self._program) if self._program else None
            if code:  # one that has ended well may have left another process behind
                ended = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
                raise VreaderError(
                    f"the card program {ended} before its card was in {self._place.name}",
                    hint=f"it has to connect to {self.address}; {{port}} in command= is the port",
                )
            if time.monotonic() >= deadline:
                if not self._spec.wait_s:
                    return
                raise VreaderError(
                    f"no card program connected to {self.address} within {self._spec.wait_s:g} s",
                    hint="does it connect to this port? wait=SECONDS says how long to wait",
                )

    def settle(self) -> None:
        """Return when a program that has hung up is also out of the reader."""
        self._end.settle()

    def expect(self, timeout_s: float) -> bool:
        """Wait until the card of a program is in the reader; False if none is in time."""
        return self._inside.wait(timeout_s)

    def check_command(self) -> None:
        """Raise VreaderError where the program is not ours to start."""
        if not self._spec.command:
            raise VreaderError(
                f"the card in {self._place.name} is a program that somebody else has started",
                hint="start that one again; the reader takes the next one that connects",
            )

    def end(self) -> None:
        """End the program, if it is ours, and the connection; the card is out on return.

        It may not run any more, and need not have been started.
        """
        program, self._program = self._program, None
        if program is None:
            self._end.hang_up()
            return
        # It may have ended and left others of its group behind, whose number is its own until
        # it is waited for.
        _signal(program, signal.SIGTERM)
        self._end.hang_up("its program is ended")
        deadline = time.monotonic() + _END_S
        while _ended(program) is None and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        _signal(program, signal.SIGKILL)  # those that did not listen
        program.wait()

    def close(self) -> None:
        """End everything. May be called twice."""
        self._end.close()
        self.end()

    # ------------------------------------------------------------------ in the connection's thread

    def _came(self, card: Card) -> None:
        self._place.card = card
        try:
            self._place.reader.insert(card)
        except BaseException:
            self._place.card = None
            raise
        self._inside.set()

    def _left(self, card: Card) -> None:
        self._inside.clear()
        if self._place.card is card:
            self._place.card = None
        if self._place.reader.card is card:
            # The reader may have noticed by itself meanwhile.
            with contextlib.suppress(VreaderError):
                self._place.reader.remove()


def _ended(program: "subprocess.Popen[bytes]") -> int | None:
    """Return how a program ended, as Popen has it, or None; it stays to be waited for."""
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    found = os.waitid(os.P_PID, program.pid, how)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _signal(program: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to a program and to what it has started."""
    with contextlib.suppress(OSError):
        os.killpg(program.pid, number)
