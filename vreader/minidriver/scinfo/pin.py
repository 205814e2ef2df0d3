# SPDX-License-Identifier: Apache-2.0
"""The PIN that a person gives once: a wrong one is never tried again, for a card counts."""

from collections.abc import Callable

from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host.prompt import NoPin, PinRequest, encode_pin
from vreader.winscard.codes import SCARD

Ask = Callable[[PinRequest], "str | None"]


class OnePin:
    """Answers the prompts of providers.

    Args:
        pin: what to answer; None where it must be asked for.
        ask: asks a person, who may give none; nobody is asked without it.

    Attributes:
        problem: why there is no PIN (any more), or empty.
    """

    def __init__(self, pin: str | None = None, ask: Ask | None = None) -> None:
        self.problem = "" if pin is not None or ask is not None else "no PIN was given"
        self._pin = pin
        self._ask = ask

    def __call__(self, request: PinRequest) -> str | NoPin:
        """Answer with the PIN; cancel where there is none or it was wrong."""
        if request.attempts is not None and self._pin is not None:
            self.problem = f"the PIN is wrong; tries left: {request.attempts}"
            self._pin = self._ask = None
        if self._pin is None and self._ask is not None:
            self._pin = self._ask(request)
            self._ask = None
            self.problem = "" if self._pin is not None else "no PIN was given"
        if self._pin is not None and not _possible(self._pin):
            self.problem = "the PIN is empty, or has letters that no card is given"
            self._pin = None
        return NoPin.CANCELLED if self._pin is None else self._pin

    def why(self, error: MinidriverError) -> str:
        """Return why a call failed: for want of a PIN, or by its code."""
        cancelled = error.code is SCARD.W_CANCELLED_BY_USER
        return self.problem if cancelled and self.problem else str(error)


def _possible(pin: str) -> bool:
    """Whether a host could hand over such a PIN at all; no try is lost on another."""
    try:
        return bool(encode_pin(pin))
    except MinidriverError:
        return False
