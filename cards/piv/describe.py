# SPDX-License-Identifier: Apache-2.0
"""What a PIV command means, for traces, and which of its bytes nobody may see.

Works on one C-APDU alone: a link of a chain is judged by its header, and where its data cannot be
understood without the links before it, all of it is secret. Reads, never executes, never raises.
"""

from collections.abc import Callable

from cards.piv.tables import (
    ALGORITHM_NAMES,
    BIT_GROUP,
    DECIPHER_SLOTS,
    DISCOVERY,
    MANAGEMENT,
    MANAGEMENT_AID,
    OBJECTS,
    PAIRING_CODE,
    PIV_AID,
    PRINTED,
    RSA_BITS,
)
from cards.platform.parsing import Span, data_span
from vreader.card import Description
from vreader.iso7816 import Tlv, TlvError

_APPLICATIONS = {PIV_AID: "PIV", MANAGEMENT_AID: "Yubico management"}
_REFERENCES = {
    0x00: "global PIN",
    0x80: "PIV PIN",
    0x81: "PUK",
    0x96: "primary finger",
    0x97: "secondary finger",
    0x98: "pairing code",
}
# Objects that hold a secret: a YubiKey's printed information may be its management key.
_SECRET_OBJECTS = (PRINTED, PAIRING_CODE)
# How PUT DATA of an object in its own tag starts.
_OWN_TAGS = {bytes((DISCOVERY,)): DISCOVERY, BIT_GROUP.to_bytes(2, "big"): BIT_GROUP}
_CHAINING = 0x10


def describe(c_apdu: bytes, aid: bytes) -> Description:
    """Explain ``c_apdu``, sent while the application ``aid`` (full or truncated) is selected."""
    raw = bytes(c_apdu)
    if len(raw) < 4:
        return Description("")
    everything = data_span(raw)
    data = raw[everything[0][0] : everything[0][1]] if everything else b""
    ins, p1 = raw[1], raw[2]
    if ins == 0xA4 and p1 == 0x04:
        return Description(f"SELECT {_application(data)}")
    if ins == 0xC0:
        return Description("GET RESPONSE")
    if aid and MANAGEMENT_AID.startswith(aid):
        return _management(raw, everything)
    explain = _COMMANDS.get(ins)
    if explain is None:
        return Description("")
    found = explain(raw, data, everything)
    if raw[0] & _CHAINING:
        return found._replace(text=f"{found.text} (link)")
    return found


def _application(data: bytes) -> str:
    for aid, name in _APPLICATIONS.items():
        if data and aid.startswith(data):
            return name
    return data.hex().upper() or "nothing"


def _object_name(tag: int) -> str:
    known = OBJECTS.get(tag)
    return known.name if known else f"{tag:X}"


def _reference(number: int) -> str:
    return _REFERENCES.get(number) or f"{number:02X}"


def _algorithm(number: int) -> str:
    return ALGORITHM_NAMES.get(number) or f"algorithm {number:02X}"


def _tag_list(data: bytes) -> tuple[int, int] | None:
    """Return the tag in ``5C len tag`` and where it ends, or None when that is not there."""
    try:
        tlv, end = Tlv.read(data, 0)
    except TlvError:
        return None
    if tlv.tag != 0x5C or not 1 <= len(tlv.value) <= 3:
        return None
    return int.from_bytes(tlv.value, "big"), end


def _is_whole(data: bytes) -> bool:
    """Tell whether ``data`` is one data object and nothing more."""
    try:
        return Tlv.read(data, 0)[1] == len(data)
    except TlvError:
        return False


def _inner_tags(data: bytes) -> dict[int, bytes]:
    """Return the data objects in a template; none of a link, which holds a part of it."""
    try:
        return {tlv.tag: tlv.value for tlv in Tlv.read(data, 0)[0].children()}
    except TlvError:
        return {}


def _verify(raw: bytes, data: bytes, everything: Span) -> Description:
    reference = _reference(raw[3])
    if raw[2] == 0xFF:
        return Description(f"VERIFY {reference}, log out", everything)
    if not everything:
        return Description(f"VERIFY {reference}, ask for status")
    return Description(f"VERIFY {reference}", everything)


def _change(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description(f"CHANGE REFERENCE DATA {_reference(raw[3])}", everything)


def _reset_retry(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description(f"RESET RETRY COUNTER {_reference(raw[3])}", everything)


def _get_data(raw: bytes, data: bytes, everything: Span) -> Description:
    found = _tag_list(data)
    if found is None:
        # Rather too little of a trace than the protected management key.
        return Description("GET DATA", (), secret_reply=True)
    return Description(f"GET DATA {_object_name(found[0])}", (), found[0] in _SECRET_OBJECTS)


def _put_data(raw: bytes, data: bytes, everything: Span) -> Description:
    found = _tag_list(data)
    if found is None or data[found[1] : found[1] + 1] != b"\x53":
        for start_bytes, own in _OWN_TAGS.items():
            if data.startswith(start_bytes) and _is_whole(data):
                # Still hidden: the last link of another object may look the same.
                return Description(f"PUT DATA {_object_name(own)}", everything)
        # A later link, whose object is not known here.
        return Description("PUT DATA", everything)
    tag, end = found
    if tag not in _SECRET_OBJECTS or not everything:
        return Description(f"PUT DATA {_object_name(tag)}")
    ((start, stop),) = everything
    return Description(f"PUT DATA {_object_name(tag)}", ((start + end, stop),))


def _general_authenticate(raw: bytes, data: bytes, everything: Span) -> Description:
    algorithm, reference = _algorithm(raw[2]), raw[3]
    text = f"GENERAL AUTHENTICATE {reference:02X} {algorithm}"
    found = _inner_tags(data)
    if reference == MANAGEMENT:
        return Description(text + _management_step(found))
    if 0x85 in found:
        return Description(f"{text} key agreement", (), secret_reply=True)
    # The last link of a chain does not tell whether it signs or agrees; RSA cannot agree.
    unclear = not found and raw[2] not in RSA_BITS
    return Description(text, (), secret_reply=reference in DECIPHER_SLOTS or unclear)


def _management_step(found: dict[int, bytes]) -> str:
    if found.get(0x80) == b"":
        return " get witness"
    if found.get(0x80):
        return " mutual"
    if found.get(0x81) == b"":
        return " get challenge"
    return " external" if found.get(0x82) else ""


def _generate(raw: bytes, data: bytes, everything: Span) -> Description:
    number = _inner_tags(data).get(0x80, b"")
    algorithm = f" {_algorithm(number[0])}" if len(number) == 1 else ""
    return Description(f"GENERATE ASYMMETRIC KEY PAIR {raw[3]:02X}{algorithm}")


def _import(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description(f"IMPORT KEY {raw[3]:02X} {_algorithm(raw[2])}", everything)


def _set_management_key(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description("SET MANAGEMENT KEY", everything)


def _metadata(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description(f"GET METADATA {_REFERENCES.get(raw[3]) or f'{raw[3]:02X}'}")


def _attest(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description(f"ATTEST {raw[2]:02X}")


def _move(raw: bytes, data: bytes, everything: Span) -> Description:
    if raw[2] == 0xFF:
        return Description(f"DELETE KEY {raw[3]:02X}")
    return Description(f"MOVE KEY {raw[3]:02X} to {raw[2]:02X}")


def _write_config(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description("WRITE CONFIG", everything)  # it may hold a lock code


def _management(raw: bytes, everything: Span) -> Description:
    """Explain a command of the management application."""
    match raw[1]:
        case 0x1C:
            return _write_config(raw, b"", everything)
        case 0x1D:
            return Description(f"READ CONFIG page {raw[2]}")
        case 0x1F:
            return Description("DEVICE RESET")
    return Description("")


def _retries(raw: bytes, data: bytes, everything: Span) -> Description:
    return Description(f"SET PIN RETRIES {raw[2]} {raw[3]}")


def _plain(text: str) -> Callable[[bytes, bytes, Span], Description]:
    return lambda raw, data, everything: Description(text)


_COMMANDS: dict[int, Callable[[bytes, bytes, Span], Description]] = {
    0x1C: _write_config,  # where it is not known which application is selected
    0x20: _verify,
    0x24: _change,
    0x2C: _reset_retry,
    0x47: _generate,
    0x87: _general_authenticate,
    0xCB: _get_data,
    0xDB: _put_data,
    0xF6: _move,
    0xF7: _metadata,
    0xF8: _plain("GET SERIAL"),
    0xF9: _attest,
    0xFA: _retries,
    0xFB: _plain("RESET"),
    0xFD: _plain("GET VERSION"),
    0xFE: _import,
    0xFF: _set_management_key,
}
