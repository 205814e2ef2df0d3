# SPDX-License-Identifier: Apache-2.0
"""The keys of a PIV card as Windows is to see them: what a certificate says of its key."""

from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vreader.minidriver.abi.blobs import PublicKey
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.drivers.base import CardKey

AUTHENTICATION, SIGNATURE, CARD_AUTHENTICATION = 0x9A, 0x9C, 0x9E
_RSA: Final = {1024: 0x06, 2048: 0x07, 3072: 0x05, 4096: 0x16}
_EC: Final = {256: 0x11, 384: 0x14}
_CURVES: Final = ("secp256r1", "secp384r1")
_SIGNING_SLOTS: Final = (AUTHENTICATION, SIGNATURE, CARD_AUTHENTICATION)
_SIGNING: Final = {256: KeySpec.ECDSA_P256, 384: KeySpec.ECDSA_P384}
_AGREEING: Final = {256: KeySpec.ECDHE_P256, 384: KeySpec.ECDHE_P384}
CURVE_SPECS: Final = (*_SIGNING.values(), *_AGREEING.values())


class Slot(NamedTuple):
    """A key of the card that has a certificate."""

    key: CardKey
    public: PublicKey
    certificate: bytes


def read_slot(slot: int, der: bytes) -> Slot | None:
    """Return the key of a certificate; None for a key that has no place with Windows."""
    try:
        public = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(public, rsa.RSAPublicKey) and (bits := public.key_size) in _RSA:
        spec = KeySpec.SIGNATURE if slot == SIGNATURE else KeySpec.KEYEXCHANGE
        return Slot(CardKey(spec, bits, slot, _RSA[bits]), public, der)
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES:
        bits = public.key_size
        spec = (_SIGNING if slot in _SIGNING_SLOTS else _AGREEING)[bits]
        return Slot(CardKey(spec, bits, slot, _EC[bits]), public, der)
    return None
