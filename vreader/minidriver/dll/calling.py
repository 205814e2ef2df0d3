# SPDX-License-Identifier: Apache-2.0
"""How a call of a context is made in the DLL's process, and what its result becomes."""

from typing import Protocol, TypeVar

from vreader.minidriver.abi.carddata import CARD_DATA
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.dll.frame import UNTOUCHED, Frame, Place, Result

S = TypeVar("S", bound=Struct)


class Caller(Protocol):
    """Who makes a call in the DLL's process."""

    def call(self, context: int, name: str, at: int, frame: Frame) -> Result:
        """Make a call of a context's function; ``at`` is its place in CARD_DATA."""


class Calling:
    """The words that the functions are made of."""

    _caller: Caller
    _number: int

    def _call(
        self,
        name: str,
        frame: Frame,
        *,
        attempts: Place | None = None,
        length: Place | None = None,
    ) -> Result:
        result = self._caller.call(
            self._number, name, CARD_DATA.layout().offsets[f"pfn{name}"], frame
        )
        if result.code:
            raise MinidriverError(
                result.code, attempts=_told(result, attempts), length=_told(result, length)
            )
        return result

    def _fill(self, name: str, frame: Frame, info: S | None, kind: type[S]) -> S:
        place = None if info is None else frame.buffer(info.encode())
        frame.address(place)
        result = self._call(name, frame)
        return kind() if place is None else kind.decode(result.data(place))

    def _property(self, name: str, frame: Frame, buffer: bytes | None, flags: int) -> bytes:
        """Make a call that ends with a buffer, its length, the length wanted and flags."""
        place = frame.maybe(buffer)
        frame.address(place)
        frame.number(len(buffer or b""))
        length = frame.dword()
        frame.number(flags)
        result = self._call(name, frame, length=length)
        return b"" if place is None else result.data(place)[: result.dword(length)]


def _told(result: Result, place: Place | None) -> int | None:
    if place is None or (value := result.dword(place)) == UNTOUCHED:
        return None
    return value
