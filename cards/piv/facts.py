# SPDX-License-Identifier: Apache-2.0
"""What ``vreader card info`` tells about a PIV card. No secret is among it."""

from collections.abc import Iterator

from cards.piv.build import piv_state
from cards.piv.device import read_script
from cards.piv.state import PivState
from cards.piv.tables import (
    ALGORITHM_NAMES,
    ATTESTATION,
    CHUID,
    USER_SLOTS,
    certificate_tag,
)
from cards.platform import Pin
from vreader.card import Card
from vreader.iso7816 import Tlv, TlvError


def facts(card: Card) -> list[tuple[str, str]]:
    """Return (label, value) lines."""
    return list(_facts(piv_state(card)))


def _facts(state: PivState) -> Iterator[tuple[str, str]]:
    if state.profile.version is not None:
        yield "firmware", "{}.{}.{}".format(*state.profile.version)
        yield "serial", str(state.serial)
        yield "touch", read_script(state.device.touch_script)
        if not state.device.piv_enabled:
            yield "PIV", "turned off"
        if state.device.locked:
            yield "configuration", "locked"
    if guid := _guid(state):
        yield "GUID", guid
    yield "PIN", _tries(state.pin)
    yield "PUK", _tries(state.puk)
    if (shared := state.global_pin) is not None:
        yield "global PIN", _tries(shared)
    key = state.management_key
    default = ", the default one" if state.management_key_is_default else ""
    yield "management key", ALGORITHM_NAMES[key.algorithm] + default
    for slot in (*USER_SLOTS, ATTESTATION):
        record, certificate = state.key(slot), state.object(certificate_tag(slot))
        if record is None and certificate is None:
            continue
        told = "no key" if record is None else ALGORITHM_NAMES[record.algorithm]
        yield f"slot {slot:02x}", told + (", " + _subject(certificate) if certificate else "")


def _tries(pin: Pin) -> str:
    return f"{pin.tries_left} of {pin.tries_max} tries left" if not pin.blocked else "blocked"


def _guid(state: PivState) -> str:
    try:
        found = {tlv.tag: tlv.value for tlv in Tlv.iter(state.object(CHUID) or b"")}
    except TlvError:
        return ""
    return found.get(0x34, b"").hex()


def _subject(value: bytes) -> str:
    from cards.piv.certificates import read_certificate_object
    from cards.platform.certificates import told

    try:
        return told(read_certificate_object(value))
    except ValueError:
        return "an object that is no certificate"
