# SPDX-License-Identifier: Apache-2.0
"""What a GIDS command means, for traces, and which of its bytes nobody may see.

Works on one C-APDU alone: a link of a chain is judged by its header. Reads, never executes, never
raises. Without knowing what is selected, only what no other application has is explained.
"""

from collections.abc import Callable

from cards.gids.tables import AID, AID_PREFIX, ALGORITHM_NAMES, DF, EF_ATR, Padding, Template
from cards.platform.parsing import Span, data_span
from vreader.card import Description
from vreader.iso7816 import Tlv, TlvError

_CHAINING = 0x10
_REFERENCES = {0x00: "PIN", 0x80: "PIN", 0x81: "PUK"}
_KEY_TYPES = {0xA4: "authentication", 0xB6: "signature", 0xB8: "decipher"}
_PADDINGS = {
    Padding.NONE: "raw", Padding.RAW_SIGNATURE: "raw", Padding.OAEP: "OAEP",
    Padding.PKCS1_DECIPHER: "PKCS #1", Padding.PKCS1_SIGNATURE: "PKCS #1",
}  # fmt: skip
_OBJECTS = {
    (0xA000, 0xDF1F): "file table", (0xA000, 0xDF20): "key map", (0xA012, 0xDF20): "cardid",
    (0xA010, 0xDF20): "cardid", (0xA010, 0xDF21): "cardapps", (0xA010, 0xDF22): "cardcf",
    (0xA010, 0xDF23): "cmapfile", (DF, 0x7F71): "PIN status", (DF, 0x7F73): "PUK status",
}  # fmt: skip
# What only GIDS has: named also while it is not known which application is selected.
_UNMISTAKABLE = (0x22, 0x2A, 0x44, 0xE0, 0xE4, 0xE6)


def describe(c_apdu: bytes, aid: bytes) -> Description:
    """Explain ``c_apdu``, sent while the application ``aid`` (full or truncated) is selected."""
    raw = bytes(c_apdu)
    if len(raw) < 4:
        return Description("")
    span = data_span(raw)
    data = raw[span[0][0] : span[0][1]] if span else b""
    if raw[1] == 0xA4 and raw[2] == 0x04:
        ours = len(data) >= 5 and (AID.startswith(data) or data.startswith(AID_PREFIX))
        return Description("SELECT GIDS" if ours else "")
    selected = bool(aid) and (aid.startswith(AID_PREFIX) or AID_PREFIX.startswith(aid))
    explain = _COMMANDS.get(raw[1])
    if explain is None or not (selected or (not aid and raw[1] in _UNMISTAKABLE)):
        return Description("")
    found = explain(raw, data, span)
    if raw[0] & _CHAINING:
        return found._replace(text=f"{found.text} (link)")
    return found


def _select(raw: bytes, data: bytes, span: Span) -> Description:
    return Description(f"SELECT {_file(int.from_bytes(data[:2], 'big'))}")


def _get_data(raw: bytes, data: bytes, span: Span) -> Description:
    file_id = raw[2] << 8 | raw[3]
    tlv = _first(data)
    if tlv is not None and tlv.tag == 0x70:
        return Description("GET DATA public key" + _key_reference(tlv.value))
    if tlv is None or tlv.tag != 0x5C:
        return Description(f"GET DATA {_file(file_id)}")
    if not tlv.value:
        return Description(f"GET DATA {_file(file_id)} all")
    return Description(f"GET DATA {_object(file_id, int.from_bytes(tlv.value, 'big'))}")


def _put_data(raw: bytes, data: bytes, span: Span) -> Description:
    file_id = raw[2] << 8 | raw[3]
    if file_id == DF:
        # Keys are all that is put into the application itself, and a link holds any part of one.
        tlv = _first(data)
        return Description("PUT KEY" + _key_reference(tlv.value if tlv else b""), span)
    try:
        # A link ends in the middle: only its beginning can be read.
        tag = int.from_bytes(data[:2] if data[0] & 0x1F == 0x1F else data[:1], "big")
    except IndexError:
        return Description(f"PUT DATA {_file(file_id)}")
    return Description(f"PUT DATA {_object(file_id, tag)}")


def _create(raw: bytes, data: bytes, span: Span) -> Description:
    tlv = _first(data)
    try:
        found = tlv.find(0x83) if tlv else None
    except TlvError:
        found = None
    name = f" {found.value.hex().upper()}" if found else ""
    return Description(f"CREATE FILE{name}")


def _verify(raw: bytes, data: bytes, span: Span) -> Description:
    if raw[3] == 0x82:
        return Description("VERIFY, deauthenticate", span)
    asked = "" if span else ", ask for status"
    return Description(f"VERIFY {_reference(raw[3])}{asked}", span)


def _change(raw: bytes, data: bytes, span: Span) -> Description:
    first = ", without the old one" if raw[2] == 1 else ""
    return Description(f"CHANGE REFERENCE DATA {_reference(raw[3])}{first}", span)


def _reset_retry(raw: bytes, data: bytes, span: Span) -> Description:
    by = "admin key" if raw[2] == 2 else "PUK"
    return Description(f"RESET RETRY COUNTER {_reference(raw[3])} by {by}", span)


def _environment(raw: bytes, data: bytes, span: Span) -> Description:
    try:
        found = {tlv.tag: tlv.value for tlv in Tlv.iter(data)}
    except TlvError:
        found = {}
    text = f"MANAGE SECURITY ENVIRONMENT {_KEY_TYPES.get(raw[3], f'{raw[3]:02X}')}"
    algorithm = found.get(0x80, b"")
    if len(algorithm) == 1 and raw[3] != Template.AUTHENTICATION:
        text += f" {_algorithm(algorithm[0])}"
    reference = found.get(0x84) or found.get(0x83) or b""
    return Description(text + (f" key {reference.hex().upper()}" if reference else ""))


def _algorithm(number: int) -> str:
    key = ALGORITHM_NAMES.get(number & 0x0F) or f"algorithm {number & 0x0F:02X}"
    padding = {int(value): name for value, name in _PADDINGS.items()}.get(number & 0xF0)
    return key if padding is None else f"{key} {padding}"


def _operation(raw: bytes, data: bytes, span: Span) -> Description:
    match raw[2], raw[3]:
        case 0x9E, 0x9A:
            return Description("COMPUTE DIGITAL SIGNATURE")
        case 0x80, 0x86:
            return Description("DECIPHER", (), secret_reply=True)
    # Whatever it is, its answer may be.
    return Description("PERFORM SECURITY OPERATION", (), secret_reply=True)


def _generate(raw: bytes, data: bytes, span: Span) -> Description:
    tlv = _first(data)
    try:
        found = {t.tag: t.value for t in tlv.children()} if tlv else {}
    except TlvError:
        found = {}
    number = found.get(0x80, b"")
    algorithm = f" {_algorithm(number[0])}" if len(number) == 1 else ""
    reference = found.get(0x83, b"")
    key = f" key {reference.hex().upper()}" if reference else ""
    return Description(f"GENERATE ASYMMETRIC KEY PAIR{algorithm}{key}".replace(" raw", ""))


def _authenticate(raw: bytes, data: bytes, span: Span) -> Description:
    try:
        tlv = _first(data)
        inner = Tlv.parse_all(tlv.value)[0] if tlv and tlv.value else None
    except TlvError:
        inner = None
    step = ""
    if inner is not None:
        sizes = {(0x81, 0): "get challenge", (0x81, 16): "mutual, challenge", (0x82, 8): "external",
                 (0x82, 40): "mutual"}  # fmt: skip
        step = sizes.get((inner.tag, len(inner.value)), "")
    return Description("GENERAL AUTHENTICATE admin key" + (f", {step}" if step else ""))


def _plain(text: str) -> Callable[[bytes, bytes, Span], Description]:
    return lambda raw, data, span: Description(text)


def _first(data: bytes) -> Tlv | None:
    try:
        return Tlv.read(data, 0)[0]
    except TlvError:
        return None


def _key_reference(header_list: bytes) -> str:
    # The reference comes first, so that it can be read of a cut list too.
    return f" {header_list[2]:02X}" if header_list[:2] == b"\x84\x01" and header_list[2:] else ""


def _file(file_id: int) -> str:
    return {DF: "application", EF_ATR: "EF.ATR"}.get(file_id) or f"EF {file_id:04X}"


def _object(file_id: int, tag: int) -> str:
    return _OBJECTS.get((file_id, tag)) or f"{_file(file_id)} {tag:X}"


def _reference(number: int) -> str:
    return _REFERENCES.get(number) or f"{number:02X}"


_COMMANDS: dict[int, Callable[[bytes, bytes, Span], Description]] = {
    0x20: _verify,
    0x22: _environment,
    0x24: _change,
    0x2A: _operation,
    0x2C: _reset_retry,
    0x44: _plain("ACTIVATE FILE"),
    0x47: _generate,
    0x84: _plain("GET CHALLENGE"),
    0x87: _authenticate,
    0xA4: _select,
    0xC0: _plain("GET RESPONSE"),
    0xCB: _get_data,
    0xDB: _put_data,
    0xE0: _create,
    0xE4: _plain("DELETE FILE"),
    0xE6: _plain("TERMINATE DF"),
}
