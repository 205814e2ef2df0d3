# SPDX-License-Identifier: Apache-2.0
"""The keys of a GIDS card: container *i* has its key in EF B081 + *i*, a second one in B0A1 + *i*.

The key map tells which containers have keys, and where: an EF that it gives to another container is
left alone, another one is taken. A new key is made before the one that it replaces goes, so that a
full card loses none. A container may have a key for signatures and one for key exchange; where the
second one goes is an assumption, recorded cards have one each. Key agreement is not among what a
GIDS key does.
"""

from contextlib import suppress
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vreader.cardfs import EXCHANGE, NO_FILE, SIGNATURE, KeyMapEntry
from vreader.iso7816 import Tlv
from vreader.minidriver.abi.blobs import BlobError, PrivateKey, PublicKey, decode_private
from vreader.minidriver.abi.codes import CreateContainer, KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_CAPABILITIES, CARD_KEY_SIZES
from vreader.minidriver.drivers import gids_card as gids
from vreader.minidriver.drivers.base import CardKey, CardMinidriver, plain_signature
from vreader.minidriver.drivers.gids_files import MAX_CONTAINERS
from vreader.minidriver.rules.base import require
from vreader.winscard.codes import SCARD

RSA_BITS: Final = {0x06: 1024, 0x07: 2048, 0x08: 3072, 0x09: 4096}
EC_BITS: Final = {0x0C: 256, 0x0D: 384, 0x0E: 521}
_ALGORITHM_OF: Final = {bits: number for number, bits in (RSA_BITS | EC_BITS).items()}
_ECDSA: Final = {256: KeySpec.ECDSA_P256, 384: KeySpec.ECDSA_P384, 521: KeySpec.ECDSA_P521}
_CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {
    256: ec.SECP256R1,
    384: ec.SECP384R1,
    521: ec.SECP521R1,
}
_FIRST_KEY, _SECOND_KEY, _LAST_KEY = 0xB081, 0xB0A1, 0xB0FF
_NO_FILES: Final = frozenset({0, NO_FILE})
# Generate, put and use with the user's PIN; everyone may read the public half.
_RULES: Final = bytes.fromhex("8F10101000")
_SIGNING: Final = (gids.RAW_SIGNATURE, gids.PKCS1_SIGNATURE)
_DECIPHERING: Final = (gids.RAW_DECIPHER, gids.OAEP_DECIPHER, gids.PKCS1_DECIPHER)


class GidsKeys(CardMinidriver):
    """The functions for containers, and what a GIDS key does."""

    _card: gids.GidsCard

    def CardQueryCapabilities(self, info: CARD_CAPABILITIES | None) -> CARD_CAPABILITIES:
        """See Minidriver: the host compresses certificates, the card generates keys."""
        return CARD_CAPABILITIES(1, False, True)

    def CardQueryKeySizes(
        self, key_spec: int, flags: int, info: CARD_KEY_SIZES | None
    ) -> CARD_KEY_SIZES:
        """See Minidriver; SCARD_E_INVALID_PARAMETER for key agreement."""
        spec = _known(key_spec)
        if spec.is_rsa:
            return CARD_KEY_SIZES(1, 1024, 2048, 4096, 1024)
        return CARD_KEY_SIZES(1, spec.bits, spec.bits, spec.bits, 1)

    # ------------------------------------------------------------------ making and deleting

    def CardCreateContainer(
        self, container: int, flags: int, key_spec: int, key_size: int, key_data: bytes | None
    ) -> None:
        """See Minidriver. A key for the other use stays."""
        spec = _known(key_spec)
        private = _private(key_data or b"", spec) if flags == CreateContainer.KEY_IMPORT else None
        bits = private.key_size if private else spec.bits or key_size or RSA_BITS[7]
        algorithm = _ALGORITHM_OF.get(bits)
        if algorithm is None or spec.is_rsa is not (algorithm in RSA_BITS):
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        if container >= MAX_CONTAINERS:
            raise MinidriverError(SCARD.E_WRITE_TOO_MANY)
        entries = self._card.key_map()
        entries += [_FREE] * (container + 1 - len(entries))
        kind = EXCHANGE if spec.is_exchange else SIGNATURE
        replaced, file_id, entry = _placed(entries, container, algorithm, kind)
        self._card.delete_file(file_id)  # left behind by somebody who did not come to an end
        try:
            self._card.create(_fcp(file_id, algorithm, kind))
            if private is None:
                self._card.generate(file_id & 0xFF, algorithm)
            else:
                self._card.import_key(file_id & 0xFF, _der(private))
            entries[container] = entry
            self._card.put_key_map(entries)
        except MinidriverError:
            with suppress(MinidriverError):
                self._card.delete_file(file_id)
            raise
        if replaced not in _NO_FILES:
            self._card.delete_file(replaced)

    def CardCreateContainerEx(
        self,
        container: int,
        flags: int,
        key_spec: int,
        key_size: int,
        key_data: bytes | None,
        pin_id: int,
    ) -> None:
        """See Minidriver: keys are the user's."""
        self._pin_info(pin_id)
        if pin_id != Role.USER:
            raise MinidriverError(SCARD.W_SECURITY_VIOLATION)
        self.CardCreateContainer(container, flags, key_spec, key_size, key_data)

    def CardDeleteContainer(self, container: int, reserved: int) -> None:
        """See Minidriver."""
        entries = self._card.key_map()
        entry = _entry(entries, container)
        entries[container] = _FREE
        for file_id in _files(entry):
            self._card.delete_file(file_id)
        self._card.put_key_map(entries)

    # ------------------------------------------------------------------ for the base class

    def _keys(self, container: int) -> list[CardKey]:
        entry = _entry(self._card.key_map(), container)
        found = [_key(entry.algorithm, entry.key_type, entry.file_id)]
        if entry.second_file not in _NO_FILES:
            found.append(_key(entry.second_algorithm, entry.second_type, entry.second_file))
        return found

    def _public(self, key: CardKey) -> PublicKey:
        parts = self._card.public(key.reference)
        try:
            if key.spec.is_rsa:
                e, n = (int.from_bytes(parts[tag], "big") for tag in (0x82, 0x81))
                return rsa.RSAPublicNumbers(e, n).public_key()
            curve = _CURVES[key.bits]()
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, parts[0x86])
        except (KeyError, ValueError):
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None

    def _pin_of(self, container: int) -> int:
        return Role.USER

    def _sign_block(self, key: CardKey, block: bytes) -> bytes:
        return self._card.sign(key.reference, gids.RAW_SIGNATURE | key.algorithm, block)

    def _sign_hash(self, key: CardKey, value: bytes) -> bytes:
        found = self._card.sign(key.reference, gids.RAW_SIGNATURE | key.algorithm, value)
        return plain_signature(found, key.width)

    def _decrypt(self, key: CardKey, data: bytes) -> bytes:
        found = self._card.decipher(key.reference, gids.RAW_DECIPHER | key.algorithm, data)
        return found.rjust(key.width, b"\0")


_FREE = KeyMapEntry(0, 0, 0, valid=False)


def _entry(entries: list[KeyMapEntry], container: int) -> KeyMapEntry:
    if container >= len(entries) or not entries[container].valid:
        raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)
    return entries[container]


def _files(entry: KeyMapEntry) -> set[int]:
    """Return the EFs of a container's keys."""
    return {entry.file_id, entry.second_file} - _NO_FILES if entry.valid else set()


def _placed(
    entries: list[KeyMapEntry], container: int, algorithm: int, kind: int
) -> tuple[int, int, KeyMapEntry]:
    """Return the EF of the key that goes, that of a new key, and the container's entry with it."""
    entry = entries[container]
    first = not entry.valid or entry.key_type == kind
    file_id = _free_file(entries, container, first=first)
    if not entry.valid:
        return NO_FILE, file_id, KeyMapEntry(algorithm, kind, file_id)
    if first:
        return entry.file_id, file_id, entry._replace(algorithm=algorithm, file_id=file_id)
    changed = entry._replace(second_algorithm=algorithm, second_type=kind, second_file=file_id)
    return entry.second_file, file_id, changed


def _free_file(entries: list[KeyMapEntry], container: int, *, first: bool) -> int:
    """Return an EF that the map gives to no key, the usual one of the container if it can be."""
    used = {file_id for one in entries for file_id in _files(one)}
    usual = [_FIRST_KEY + container, _SECOND_KEY + container]
    order = usual if first else usual[::-1]
    for file_id in order + list(range(_FIRST_KEY, _LAST_KEY + 1)):
        if file_id not in used:
            return file_id
    raise MinidriverError(SCARD.E_WRITE_TOO_MANY)


def _key(algorithm: int, kind: int, file_id: int) -> CardKey:
    reference = file_id & 0xFF
    if algorithm in RSA_BITS:
        spec = KeySpec.SIGNATURE if kind == SIGNATURE else KeySpec.KEYEXCHANGE
        return CardKey(spec, RSA_BITS[algorithm], reference, algorithm)
    if algorithm in EC_BITS:
        bits = EC_BITS[algorithm]
        return CardKey(_ECDSA[bits], bits, reference, algorithm)
    raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)


def _known(key_spec: int) -> KeySpec:
    spec = KeySpec(key_spec)
    require(spec.is_rsa or not spec.is_exchange)
    return spec


def _private(blob: bytes, spec: KeySpec) -> PrivateKey:
    try:
        private, of = decode_private(blob)
    except BlobError:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
    require(of is spec)
    return private


def _der(private: PrivateKey) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _fcp(file_id: int, algorithm: int, kind: int) -> Tlv:
    """Return what CREATE FILE says of a key: its rights, and what it is for."""
    uses = [(gids.SIGNATURE_TEMPLATE, padding) for padding in _SIGNING]
    if kind == EXCHANGE and algorithm in RSA_BITS:
        uses = [(gids.CONFIDENTIALITY_TEMPLATE, p) for p in _DECIPHERING] + uses
    reference = bytes((file_id & 0xFF,))
    templates = (
        Tlv.of(
            template,
            Tlv(0x80, bytes((padding | algorithm,))),
            Tlv(0x83, reference),
            Tlv(0x95, b"\x40"),
        )
        for template, padding in uses
    )
    return Tlv.of(
        0x62,
        Tlv(0x82, b"\x18"),
        Tlv(0x83, file_id.to_bytes(2, "big")),
        Tlv(0x8C, _RULES),
        Tlv.of(0xA5, *templates),
    )
