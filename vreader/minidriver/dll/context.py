# SPDX-License-Identifier: Apache-2.0
"""One context of a minidriver DLL: every Card* function as a call in the other process."""

from vreader.minidriver.abi.carddata import CARD_DATA
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.properties import ContainerProperty
from vreader.minidriver.abi.structs import CARD_CAPABILITIES, CONTAINER_INFO
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.dll.calling import Caller
from vreader.minidriver.dll.files import DllFiles
from vreader.minidriver.dll.frame import Frame, Place, Result
from vreader.minidriver.dll.keyinjection import DllKeyInjection
from vreader.minidriver.dll.keys import DllKeys
from vreader.minidriver.dll.pins import DllPins
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.values import ContainerInfo


class DllMinidriver(DllPins, DllFiles, DllKeys, DllKeyInjection, Minidriver):
    """A context of a DLL.

    Args:
        caller: makes the calls.
        number: of the context.
        data: what the host filled in.
        card_data: the structure as CardAcquireContext left it.
        no_card: acquired without a card.
    """

    def __init__(
        self, caller: Caller, number: int, data: CardData, card_data: CARD_DATA, no_card: bool
    ) -> None:
        super().__init__(data, card_data.dwVersion, no_card=no_card)
        self._caller = caller
        self._number = number
        self._table = frozenset(
            function.name
            for function in FUNCTIONS
            if function.since <= self.version and getattr(card_data, function.member)
        )

    def table(self) -> frozenset[str]:
        """Return the names of the functions that are not NULL."""
        return self._table

    # ------------------------------------------------------------------ context, containers

    def CardDeleteContext(self) -> None:
        """See Minidriver."""
        self._call("CardDeleteContext", Frame())

    def CardQueryCapabilities(self, info: CARD_CAPABILITIES | None) -> CARD_CAPABILITIES:
        """See Minidriver."""
        return self._fill("CardQueryCapabilities", Frame(), info, CARD_CAPABILITIES)

    def CardCreateContainer(
        self, container: int, flags: int, key_spec: int, key_size: int, key_data: bytes | None
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(container, flags, key_spec, key_size)
        frame.address(frame.given(key_data))
        self._call("CardCreateContainer", frame)

    def CardCreateContainerEx(
        self,
        container: int,
        flags: int,
        key_spec: int,
        key_size: int,
        key_data: bytes | None,
        pin_id: int,
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(container, flags, key_spec, key_size)
        frame.address(frame.given(key_data))
        frame.number(pin_id)
        self._call("CardCreateContainerEx", frame)

    def CardDeleteContainer(self, container: int, reserved: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(container, reserved)
        self._call("CardDeleteContainer", frame)

    def CardGetContainerInfo(
        self, container: int, flags: int, info: ContainerInfo | None
    ) -> ContainerInfo:
        """See Minidriver."""
        frame = Frame()
        frame.number(container, flags)
        struct = CONTAINER_INFO(dwVersion=info.version if info else 1)
        place = None if info is None else frame.struct(struct)
        frame.address(place)
        if place is not None:
            _read_keys(frame, place)
        result = self._call("CardGetContainerInfo", frame)
        return ContainerInfo() if place is None else _keys(result, place)

    # ------------------------------------------------------------------ properties

    def CardGetContainerProperty(
        self, container: int, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes | ContainerInfo:
        """See Minidriver."""
        frame = Frame()
        frame.number(container)
        frame.text(name)
        place = frame.maybe(buffer)
        frame.address(place)
        frame.number(len(buffer or b""))
        length = frame.dword()
        frame.number(flags)
        keys = (
            name == ContainerProperty.INFO
            and place is not None
            and len(buffer or b"") >= CONTAINER_INFO.layout().size
        )
        if keys and place is not None:
            _read_keys(frame, place)
        result = self._call("CardGetContainerProperty", frame, length=length)
        if keys and place is not None:
            return _keys(result, place)
        return b"" if place is None else result.data(place)[: result.dword(length)]

    def CardSetContainerProperty(
        self, container: int, name: str | None, data: bytes | None, flags: int
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(container)
        frame.text(name)
        frame.data(data)
        frame.number(flags)
        self._call("CardSetContainerProperty", frame)

    def CardGetProperty(self, name: str | None, buffer: bytes | None, flags: int) -> bytes:
        """See Minidriver."""
        frame = Frame()
        frame.text(name)
        return self._property("CardGetProperty", frame, buffer, flags)

    def CardSetProperty(self, name: str | None, data: bytes | None, flags: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.text(name)
        frame.data(data)
        frame.number(flags)
        self._call("CardSetProperty", frame)


def _read_keys(frame: Frame, place: Place) -> None:
    struct = CONTAINER_INFO()
    frame.read_member(place, struct, "pbSigPublicKey", "cbSigPublicKey")
    frame.read_member(place, struct, "pbKeyExPublicKey", "cbKeyExPublicKey")


def _keys(result: Result, place: Place) -> ContainerInfo:
    version = CONTAINER_INFO.decode(result.data(place)).dwVersion
    return ContainerInfo(version, result.read(0) or None, result.read(1) or None)
