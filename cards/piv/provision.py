# SPDX-License-Identifier: Apache-2.0
"""Make a new card usable: generate keys on it and write self-signed certificates."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cards.piv.build import piv_state
from cards.piv.keys import KeyRecord, Origin, generate
from cards.piv.state import PivState
from cards.piv.tables import KEY_HISTORY, RETIRED, USER_SLOTS, Algorithm, certificate_tag
from vreader.card import Card
from vreader.errors import UsageError
from vreader.iso7816 import Tlv

ALGORITHMS = {
    "rsa1024": Algorithm.RSA1024,
    "rsa2048": Algorithm.RSA2048,
    "p256": Algorithm.P256,
    "p384": Algorithm.P384,
}
DEFAULT_SLOTS = ("9a:p256",)
DEFAULT_SUBJECT = "CN=vreader"
VALID_DAYS = 3650


def provision(card: Card, options: Mapping[str, Sequence[str]]) -> None:
    """Generate a key and write a self-signed certificate for each slot that is asked for.

    Args:
        card: a card of this kind, not in use.
        options: ``slot`` holds any number of ``9a:p256`` (one by default), ``subject`` one
            distinguished name as in RFC 4514.

    Raises:
        UsageError: an option, a slot, an algorithm or the name cannot be used; nothing is changed.
    """
    for key in options:
        if key not in ("slot", "subject"):
            raise UsageError(
                f"a piv card cannot be provisioned with {key!r}", hint="use slot and subject"
            )
    state = piv_state(card)
    wanted = [_slot(text) for text in options.get("slot") or DEFAULT_SLOTS]
    subject = (options.get("subject") or (DEFAULT_SUBJECT,))[-1]
    from cryptography import x509

    from cards.piv.certificates import certificate_object, self_signed

    try:
        name = x509.Name.from_rfc4514_string(subject)
    except ValueError as error:
        raise UsageError(
            f"subject {subject!r} is not a distinguished name", hint="for example CN=alice,O=Test"
        ) from error
    now = datetime.now(UTC).replace(microsecond=0)
    for slot, algorithm in wanted:
        record = KeyRecord.make(slot, algorithm, Origin.GENERATED, generate(algorithm))
        certificate = self_signed(
            record, name, now - timedelta(days=1), now + timedelta(days=VALID_DAYS)
        )
        state.put_key(slot, record)
        state.put_object(certificate_tag(slot), certificate_object(certificate))
    _announce_retired(state)
    state.area.commit()


def _slot(text: str) -> tuple[int, Algorithm]:
    slot, _, algorithm = text.lower().partition(":")
    numbers = {f"{number:02x}": number for number in USER_SLOTS}
    if slot not in numbers or algorithm not in ALGORITHMS:
        raise UsageError(
            f"slot {text!r} cannot be provisioned",
            hint="write slot:algorithm, for example 9a:p256; slots 9a 9c 9d 9e 82-95, "
            "algorithms " + " ".join(ALGORITHMS),
        )
    return numbers[slot], ALGORITHMS[algorithm]


def _announce_retired(state: PivState) -> None:
    """Write the key history: some clients look at retired slots only when it counts them."""
    used = [i for i, slot in enumerate(RETIRED, 1) if state.key(slot) is not None]
    if used:
        history = (Tlv(0xC1, bytes((used[-1],))), Tlv(0xC2, b"\0"), Tlv(0xFE))
        state.put_object(KEY_HISTORY, b"".join(map(bytes, history)))
