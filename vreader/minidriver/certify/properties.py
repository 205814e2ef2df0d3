# SPDX-License-Identifier: Apache-2.0
"""Part D: properties of the card and of containers."""

from functools import partial

from vreader.minidriver.abi.codes import CacheMode, KeyImport, KeySpec
from vreader.minidriver.abi.files import CARD_ID, CARD_ID_SIZE
from vreader.minidriver.abi.pins import Role, SecretPurpose, SecretType
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_INFO,
)
from vreader.minidriver.certify.bench import ROOM, Bench
from vreader.minidriver.certify.check import Part, page, refused, require
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD, Win32

PART = Part("D", "Properties")

_INVALID, _UNSUPPORTED = SCARD.E_INVALID_PARAMETER, SCARD.E_UNSUPPORTED_FEATURE
_GET, _SET = page("CardGetProperty"), page("CardSetProperty")
_P, _C = CardProperty, ContainerProperty
_MANDATORY = (_P.READ_ONLY, _P.CACHE_MODE, _P.X509_ENROLLMENT, _P.GUID, _P.LIST_PINS)


def _number(raw: bytes) -> int:
    require(len(raw) == 4, f"a DWORD has {len(raw)} bytes")
    return int.from_bytes(raw, "little")


@PART.check(_GET, "property.free-space")
def free_space(bench: Bench) -> None:
    """The property "Free Space" is what CardQueryFreeSpace returns."""
    raw = bench.get(_P.FREE_SPACE, 0, CARD_FREE_SPACE_INFO())
    told = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
    require(raw == told.encode(), f"{raw.hex(' ')} differs from {told}")


@PART.check(_GET, "property.capabilities")
def capabilities(bench: Bench) -> None:
    """The property "Capabilities" is what CardQueryCapabilities returns."""
    raw = bench.get(_P.CAPABILITIES, 0, CARD_CAPABILITIES())
    told = bench.md.CardQueryCapabilities(CARD_CAPABILITIES())
    require(raw == told.encode(), f"{raw.hex(' ')} differs from {told}")


@PART.check(_GET, "property.key-sizes")
def key_sizes(bench: Bench) -> None:
    """The property "Key Sizes" is what CardQueryKeySizes returns."""
    spec = bench.spec(*KeySpec)
    raw = bench.get(_P.KEY_SIZES, spec, CARD_KEY_SIZES())
    told = bench.md.CardQueryKeySizes(spec, 0, CARD_KEY_SIZES())
    require(raw == told.encode(), f"{raw.hex(' ')} differs from {told}")


@PART.check(_GET, "property.mandatory property.read-only property.enrollment")
def mandatory(bench: Bench) -> None:
    """Properties that are not optional can be got, and BOOL is a BOOL."""
    for name in _MANDATORY:
        raw = bench.get(name)
        if name in (_P.READ_ONLY, _P.X509_ENROLLMENT):
            require(_number(raw) in (0, 1), f"{name} is {raw.hex(' ')}")


@PART.check(_GET, "property.cache-mode")
def cache_mode(bench: Bench) -> None:
    """The property "Cache Mode" is global, session only or none."""
    mode = _number(bench.get(_P.CACHE_MODE))
    require(mode in tuple(CacheMode), f"it is {mode}")


@PART.check(_GET, "property.guid")
def guid(bench: Bench) -> None:
    """The property "Card Identifier" is the 16 bytes of the file cardid."""
    raw = bench.get(_P.GUID)
    require(raw == bench.md.CardReadFile(None, CARD_ID, 0), "it is not what cardid says")
    require(len(raw) == CARD_ID_SIZE, f"it has {len(raw)} bytes")


@PART.check(_GET, "property.serial property.length")
def serial(bench: Bench) -> None:
    """The property "Card Serial Number" has bytes, whose number is the length written."""
    raw = bench.maybe(_P.SERIAL_NO)
    require(0 < len(raw) < ROOM, f"it has {len(raw)} bytes")
    error = refused(lambda: bench.md.CardGetProperty(_P.SERIAL_NO, b"", 0))
    require(error.length in (None, len(raw)), f"the length written was {error.length}")


@PART.check(_GET, "property.pin-info pin.types pin.purposes pin.secure-entry")
def pin_info(bench: Bench) -> None:
    """The property "PIN Information" is a PIN_INFO with a known type, purpose and flags."""
    raw = bench.get(_P.PIN_INFO, Role.USER, PIN_INFO())
    require(len(raw) == PIN_INFO.layout().size, f"it has {len(raw)} bytes")
    info = PIN_INFO.decode(raw)
    require(info.dwVersion == PIN_INFO().dwVersion, f"its version is {info.dwVersion}")
    require(info.PinType in tuple(SecretType), f"its type is {info.PinType}")
    require(info.PinPurpose in tuple(SecretPurpose), f"its purpose is {info.PinPurpose}")
    require(not info.dwFlags & ~1, f"its flags are {info.dwFlags:#x}")


@PART.check(_GET, "property.strength-verify property.strength-change property.strength-unblock")
def strength(bench: Bench) -> None:
    """The properties "PIN Strength …" say plain text, session PINs, or both."""
    for name in (_P.PIN_STRENGTH_VERIFY, _P.PIN_STRENGTH_CHANGE, _P.PIN_STRENGTH_UNBLOCK):
        value = _number(bench.maybe(name, Role.USER))
        require(not value & ~3, f"{name} is {value:#x}")


@PART.check(
    _GET, "property.authenticated pin.ex-verify pin.state-per-card read-only.CardAuthenticateEx"
)
def authenticated(bench: Bench) -> None:
    """The property "Authenticated State" shows who is authenticated."""
    state = _number(bench.maybe(_P.AUTHENTICATED_STATE))
    require(not state & 2, f"before the user is authenticated it is {state:#x}")
    bench.need("CardAuthenticateEx")
    bench.md.CardAuthenticateEx(Role.USER, 0, bench.pin)
    state = _number(bench.get(_P.AUTHENTICATED_STATE))
    require(state & 2, f"with the user authenticated it is {state:#x}")


@PART.check(_GET, "property.key-import injection.announced")
def key_import(bench: Bench) -> None:
    """The property "Key Import Support" has known bits."""
    value = _number(bench.maybe(_P.KEY_IMPORT_SUPPORT))
    require(not value & ~sum(KeyImport), f"it is {value:#x}")


@PART.check(_GET, "property.parent-window property.context-string read-only.CardSetProperty")
def write_only(bench: Bench) -> None:
    """The properties "Parent Window" and "PIN Context String" can be set and not read."""
    bench.need("CardSetProperty")
    bench.md.CardSetProperty(_P.PARENT_WINDOW, bytes(8), 0)
    bench.md.CardSetProperty(_P.PIN_CONTEXT_STRING, "logon\0".encode("utf-16-le"), 0)
    for name in (_P.PARENT_WINDOW, _P.PIN_CONTEXT_STRING):
        refused(partial(bench.get, name), _INVALID, _UNSUPPORTED)


@PART.check(_GET, "property.get-unsupported")
def get_unknown(bench: Bench) -> None:
    """An unknown property cannot be got."""
    refused(lambda: bench.get("No Such Property"), _INVALID, _UNSUPPORTED)


@PART.check(_SET, "property.set-unsupported")
def set_unknown(bench: Bench) -> None:
    """An unknown property cannot be set."""
    bench.need("CardSetProperty")
    refused(lambda: bench.md.CardSetProperty("No Such Property", b"\0", 0), _UNSUPPORTED)


@PART.check(_SET, "property.set-read-only property.pin-list")
def set_read_only(bench: Bench) -> None:
    """A property that is only to be read cannot be set."""
    bench.need("CardSetProperty")
    codes = (_UNSUPPORTED, SCARD.W_SECURITY_VIOLATION)
    for name in (_P.FREE_SPACE, _P.CAPABILITIES, _P.LIST_PINS, _P.AUTHENTICATED_STATE):
        refused(partial(bench.md.CardSetProperty, name, bytes(4), 0), *codes)


@PART.check(_GET, "property.short-buffer")
def short_buffer(bench: Bench) -> None:
    """A short buffer is ERROR_INSUFFICIENT_BUFFER, and the length is written."""
    for name in (_P.GUID, _P.CACHE_MODE):
        size = len(bench.get(name))
        error = refused(
            partial(bench.md.CardGetProperty, name, b"\0", 0), Win32.INSUFFICIENT_BUFFER
        )
        require(error.length == size, f"of {size} bytes {error.length} were asked for")


@PART.check(_GET, "property.algorithms")
def algorithms(bench: Bench) -> None:
    """The properties "Algorithms", "Padding Schemes" and "Chaining Modes" cannot be set."""
    bench.need("CardSetProperty")
    codes = (_UNSUPPORTED, SCARD.W_SECURITY_VIOLATION)
    for name in (_P.ENUM_ALGORITHMS, _P.PADDING_SCHEMES, _P.CHAINING_MODES):
        refused(partial(bench.md.CardSetProperty, name, bytes(4), 0), *codes)


_CONTAINER_GET, _CONTAINER_SET = page("CardGetContainerProperty"), page("CardSetContainerProperty")


@PART.check(_CONTAINER_GET, "property.container-info")
def container_info(bench: Bench) -> None:
    """The property "Container Info" is what CardGetContainerInfo returns."""
    bench.need("CardGetContainerProperty")
    container = bench.key(*KeySpec).container
    got = bench.md.CardGetContainerProperty(container, _C.INFO, bytes(ROOM), 0)
    told = bench.md.CardGetContainerInfo(container, 0, ContainerInfo())
    require(isinstance(got, ContainerInfo) and got[1:] == told[1:], "they differ")


@PART.check(_CONTAINER_GET, "property.container-pin read-only.CardGetContainerProperty")
def container_pin(bench: Bench) -> None:
    """The property "PIN Identifier" is a PIN of the card."""
    bench.need("CardGetContainerProperty")
    container = bench.key(*KeySpec).container
    raw = bench.md.CardGetContainerProperty(container, _C.PIN_IDENTIFIER, bytes(ROOM), 0)
    require(isinstance(raw, bytes), "it is no number")
    pin = _number(raw if isinstance(raw, bytes) else b"")
    pins = _number(bench.get(_P.LIST_PINS))
    require(pins >> pin & 1 or pin == 0, f"it is {pin}, and there are {pins:#x}")


@PART.check(_CONTAINER_GET, "property.container-unsupported")
def container_unknown(bench: Bench) -> None:
    """An unknown property of a container cannot be got."""
    bench.need("CardGetContainerProperty")
    container = bench.key(*KeySpec).container
    refused(
        lambda: bench.md.CardGetContainerProperty(container, "No Such", bytes(ROOM), 0),
        _INVALID,
        _UNSUPPORTED,
    )


@PART.check(_CONTAINER_GET, "property.container-short")
def container_short(bench: Bench) -> None:
    """A buffer that is too short for a property of a container is refused."""
    bench.need("CardGetContainerProperty")
    container = bench.key(*KeySpec).container
    error = refused(
        lambda: bench.md.CardGetContainerProperty(container, _C.PIN_IDENTIFIER, b"\0", 0),
        Win32.INSUFFICIENT_BUFFER,
    )
    require(error.length == 4, f"of 4 bytes {error.length} were asked for")


@PART.check(_CONTAINER_SET, "property.container-set property.container-set-unsupported")
def container_set(bench: Bench) -> None:
    """The property "Container Info" cannot be set."""
    bench.need("CardSetContainerProperty")
    container = bench.key(*KeySpec).container
    bench.user()
    refused(
        lambda: bench.md.CardSetContainerProperty(container, _C.INFO, bytes(24), 0),
        _INVALID,
        _UNSUPPORTED,
        SCARD.W_SECURITY_VIOLATION,
    )


@PART.check(_CONTAINER_SET, "property.container-set-index")
def container_set_index(bench: Bench) -> None:
    """Setting a property of a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    bench.need("CardSetContainerProperty")
    bench.writable()
    container = bench.free_container()
    bench.user()
    pin = int(Role.USER).to_bytes(4, "little")
    refused(
        lambda: bench.md.CardSetContainerProperty(container, _C.PIN_IDENTIFIER, pin, 0),
        SCARD.E_NO_KEY_CONTAINER,
    )


@PART.check(_CONTAINER_SET, "property.container-ecdh")
def container_ecdh(bench: Bench) -> None:
    """The property "Associated ECDH Key" is an index or unsupported."""
    bench.need("CardGetContainerProperty")
    container = bench.key(*KeySpec).container
    try:
        raw = bench.md.CardGetContainerProperty(container, _C.ASSOCIATED_ECDH_KEY, bytes(ROOM), 0)
    except MinidriverError as error:
        require(error.code in (_INVALID, _UNSUPPORTED), f"it returned {error}")
    else:
        require(isinstance(raw, bytes) and len(raw) == 1, "it is no BYTE")
