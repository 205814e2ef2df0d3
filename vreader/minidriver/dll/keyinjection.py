# SPDX-License-Identifier: Apache-2.0
"""The functions of secure key injection of a minidriver DLL (version 7)."""

from vreader.minidriver.abi.injection import CARD_ENCRYPTED_DATA
from vreader.minidriver.dll.calling import Calling
from vreader.minidriver.dll.frame import POINTER, Frame, Place, Result
from vreader.minidriver.values import PaddingInfo


class DllKeyInjection(Calling):
    """Calls them in the other process."""

    def MDImportSessionKey(
        self, blob_type: str | None, algorithm: str | None, data: bytes | None
    ) -> int:
        """See KeyInjection."""
        frame = Frame()
        frame.text(blob_type, algorithm)
        handle = _handle(frame)
        frame.data(data)
        return _number(self._call("MDImportSessionKey", frame), handle)

    def CardImportSessionKey(
        self,
        container: int,
        padding: PaddingInfo | None,
        blob_type: str | None,
        algorithm: str | None,
        data: bytes | None,
        flags: int,
    ) -> int:
        """See KeyInjection."""
        frame = Frame()
        frame.number(container)
        frame.address(frame.padding(padding))
        frame.text(blob_type, algorithm)
        handle = _handle(frame)
        frame.data(data)
        frame.number(flags)
        return _number(self._call("CardImportSessionKey", frame), handle)

    def CardGetSharedKeyHandle(self, data: bytes | None) -> tuple[bytes, int]:
        """See KeyInjection."""
        frame = Frame()
        frame.data(data)
        frame.memory()
        handle = _handle(frame)
        result = self._call("CardGetSharedKeyHandle", frame)
        return result.read() or b"", _number(result, handle)

    def CardGetAlgorithmProperty(
        self, algorithm: str | None, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes:
        """See KeyInjection."""
        frame = Frame()
        frame.text(algorithm, name)
        return self._property("CardGetAlgorithmProperty", frame, buffer, flags)

    def CardGetKeyProperty(
        self, key: int, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes:
        """See KeyInjection."""
        frame = Frame()
        frame.number(key)
        frame.text(name)
        return self._property("CardGetKeyProperty", frame, buffer, flags)

    def CardSetKeyProperty(
        self, key: int, name: str | None, data: bytes | None, flags: int
    ) -> None:
        """See KeyInjection."""
        frame = Frame()
        frame.number(key)
        frame.text(name)
        frame.data(data)
        frame.number(flags)
        self._call("CardSetKeyProperty", frame)

    def CardDestroyKey(self, key: int) -> None:
        """See KeyInjection."""
        frame = Frame()
        frame.number(key)
        self._call("CardDestroyKey", frame)

    def CardProcessEncryptedData(
        self, key: int, function: str | None, data: list[bytes] | None, size: int, flags: int
    ) -> bytes:
        """See KeyInjection."""
        frame = Frame()
        frame.number(key)
        frame.text(function)
        frame.address(None if data is None else _pieces(frame, data))
        frame.number(len(data or ()))
        place = frame.buffer(bytes(size)) if size else None
        frame.address(place)
        frame.number(size)
        length = frame.dword()
        frame.number(flags)
        result = self._call("CardProcessEncryptedData", frame, length=length)
        return b"" if place is None else result.data(place)[: result.dword(length)]


def _handle(frame: Frame) -> Place:
    place = frame.buffer(bytes(POINTER))
    frame.address(place)
    return place


def _number(result: Result, place: Place) -> int:
    return int.from_bytes(result.data(place), "little")


def _pieces(frame: Frame, data: list[bytes]) -> Place:
    step = CARD_ENCRYPTED_DATA.layout().size
    array = frame.buffer(
        b"".join(CARD_ENCRYPTED_DATA(cbEncryptedData=len(piece)).encode() for piece in data)
    )
    for number, piece in enumerate(data):
        frame.point(array, number * step, frame.given(piece))
    return array
