# SPDX-License-Identifier: Apache-2.0
"""A request of a check's, under way or answered, and the complaints about its answer."""

import threading
from typing import TYPE_CHECKING

from vreader.certify.check import Failed
from vreader.host.device import Request
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import NTSTATUS

if TYPE_CHECKING:
    from vreader.certify.bench import Bench


def told(data: bytes) -> str:
    """Return bytes for a complaint; of long ones the beginning and the length."""
    if not data:
        return "nothing"
    text = data[:16].hex(" ").upper()
    return text if len(data) <= 16 else f"{text} … ({len(data)} bytes)"


def name_of(code: int) -> str:
    """Return what an I/O control code is called."""
    try:
        return Ioctl(code).name.removeprefix("SMARTCARD_")
    except ValueError:
        return f"I/O control code {code:08X}"


class Sent:
    """A request under way, or answered.

    Attributes:
        what: the request in words, for complaints.
        answer: status and output once it is complete.
        request: to cancel it.
    """

    request: Request

    def __init__(self, bench: "Bench", what: str) -> None:
        self._bench = bench
        self.what = what
        self.answer: tuple[NTSTATUS, bytes] | None = None

    def told(self, status: NTSTATUS, output: bytes) -> None:
        """Take the answer; called by the I/O manager."""
        with self._bench.changed:
            self.answer = (status, output)
            self._bench.changed.notify_all()

    def must_pend(self) -> None:
        """Complain unless it is still under way."""
        self._bench.raise_crash()
        if self.answer is not None:
            raise Failed(f"{self.what} was completed {self.answer[0]!s}, it should pend")

    def must_be(self, status: NTSTATUS, output: bytes | None = None) -> bytes:
        """Wait; complain about another status, or other output where ``output`` is given."""
        found, data = self.wait()
        if found is not status:
            raise Failed(f"{self.what}: {found!s}, expected {status!s}")
        if output is not None and data != output:
            raise Failed(f"{self.what} returned {told(data)}, expected {told(output)}")
        return data

    def must_be_one_of(self, *statuses: NTSTATUS) -> NTSTATUS:
        """Wait; complain about a status that is none of these."""
        found, _ = self.wait()
        if found not in statuses:
            expected = " or ".join(map(str, statuses))
            raise Failed(f"{self.what}: {found!s}, expected {expected}")
        return found

    def must_fail(self) -> None:
        """Wait; complain about success."""
        if self.wait()[0] is NTSTATUS.SUCCESS:
            raise Failed(f"{self.what} succeeded, it should fail")

    def wait(self) -> tuple[NTSTATUS, bytes]:
        """Wait for the answer, so long and no longer."""
        bench = self._bench

        def over() -> bool:
            # Not before what happens meanwhile has happened, on whatever thread the card works.
            return self.answer is not None and bench.happening in (0, threading.get_ident())

        with bench.changed:
            bench.changed.wait_for(lambda: over() or bench.crash is not None, bench.patience_s)
        bench.raise_crash()
        if self.answer is None:
            raise Failed(f"{self.what} did not complete")
        return self.answer
