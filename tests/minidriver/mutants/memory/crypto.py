# SPDX-License-Identifier: Apache-2.0
"""Signatures, decryption, key agreement."""

import hmac
from hashlib import new

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from memory.base import Base, invalid, may
from vreader.minidriver.abi.blobs import BlobError, decode_public
from vreader.minidriver.abi.codes import BUFFER_SIZE_ONLY, PADDING_INFO_PRESENT, Kdf, Padding
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.winscard.codes import SCARD

DIGEST_INFO = {
    0x8003: "3020300c06082a864886f70d020505000410",
    0x8004: "3021300906052b0e03021a05000414",
    0x800C: "3031300d060960864801650304020105000420",
    0x800D: "3041300d060960864801650304020205000430",
    0x800E: "3051300d060960864801650304020305000440",
}
SIZES = {0x8003: 16, 0x8004: 20, 0x800C: 32, 0x800D: 48, 0x800E: 64, 0x8008: 36}
NAMES = {"SHA1": 0x8004, "SHA256": 0x800C, "SHA384": 0x800D, "SHA512": 0x800E}
HASHES = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}
HASHES |= {"SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}


def power(key, number):
    """Return a number under the private key."""
    n = key.private_numbers()
    one, two = pow(number, n.dmp1, n.p), pow(number, n.dmq1, n.q)
    return two + (one - two) * n.iqmp % n.p * n.q


def digest_info(algorithm, data):
    """Return data with its DigestInfo."""
    if not algorithm:
        return data
    if algorithm not in SIZES:
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
    invalid(len(data) != SIZES[algorithm])
    return bytes.fromhex(DIGEST_INFO.get(algorithm, "")) + data


def width(key):
    """Return the bytes of a number of the key."""
    return -(-key.key_size // 8)


class Crypto(Base):
    """The functions that use keys."""

    def private(self, index, key_spec):
        """Return the card and a key that its PIN allows to use."""
        card = self.open()
        container = self.container(card, index)
        keys = dict(container.keys.values())
        invalid(key_spec not in keys)
        may(card, {container.pin})
        return card, keys[key_spec]

    def CardSignData(self, info):
        _, key = self.private(info.container, info.key_spec)
        size = width(key) if isinstance(key, rsa.RSAPrivateKey) else 2 * width(key)
        if info.flags & BUFFER_SIZE_ONLY:
            return size
        if isinstance(key, ec.EllipticCurvePrivateKey):
            known = {20: hashes.SHA1, 32: hashes.SHA256, 48: hashes.SHA384, 64: hashes.SHA512}
            invalid(len(info.data) not in known)
            der = key.sign(info.data, ec.ECDSA(Prehashed(known[len(info.data)]())))
            return b"".join(n.to_bytes(width(key), "big") for n in decode_dss_signature(der))
        return self._sign(key, info)[::-1]

    def _sign(self, key, info):
        algorithm = info.hash_alg
        if info.flags & PADDING_INFO_PRESENT:
            if info.padding_type == Padding.NONE:
                invalid(len(info.data) != width(key))
                return power(key, int.from_bytes(info.data, "little")).to_bytes(width(key), "big")
            if info.padding_type == Padding.PSS:
                used = HASHES[info.padding.algorithm]
                pss = padding.PSS(padding.MGF1(used), info.padding.salt)
                return key.sign(info.data, pss, Prehashed(used))
            algorithm = NAMES[info.padding.algorithm] if info.padding.algorithm else 0
        data = digest_info(algorithm, info.data)
        invalid(len(data) > width(key) - 11)
        block = b"\0\1" + b"\xff" * (width(key) - len(data) - 3) + b"\0" + data
        return power(key, int.from_bytes(block, "big")).to_bytes(width(key), "big")

    def CardRSADecrypt(self, info):
        _, key = self.private(info.container, info.key_spec)
        invalid(len(info.data) != width(key))
        number = int.from_bytes(info.data, "little")
        block = power(key, number).to_bytes(width(key), "big")
        if info.version < 2 or info.padding_type == Padding.NONE:
            return block[::-1]
        if info.padding_type == Padding.OAEP:
            used = HASHES[info.padding.algorithm]
            oaep = padding.OAEP(padding.MGF1(used), used, info.padding.label)
            return key.decrypt(info.data[::-1], oaep)
        invalid(block[:2] != b"\0\2" or 0 not in block[2:])
        return block[block.index(0, 2) + 1 :]

    def CardConstructDHAgreement(self, info):
        self.container(self.open(), info.container)
        try:
            public, spec = decode_public(info.public_key)
        except BlobError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        card, key = self.private(info.container, spec)
        index = max(card.secrets, default=0) + 1
        card.secrets[index] = key.exchange(ec.ECDH(), public)
        return index

    def CardDestroyDHAgreement(self, secret, flags):
        card = self.open()
        invalid(secret not in card.secrets)
        del card.secrets[secret]

    def CardDeriveKey(self, info):
        card = self.open()
        invalid(info.secret not in card.secrets)
        given = {one.kind: one.value for one in info.parameters}
        key = self._derive(info.kdf, card.secrets[info.secret], given)
        return len(key) if info.flags & BUFFER_SIZE_ONLY else key

    def _derive(self, kdf, secret, given):
        name = given.get(0, "SHA1\0".encode("utf-16-le")).decode("utf-16-le").rstrip("\0").lower()
        data = given.get(1, b"") + secret + given.get(2, b"")
        if kdf == Kdf.HASH:
            return new(name, data).digest()
        if kdf == Kdf.HMAC:
            return hmac.digest(given.get(3, b""), data, name)
        if kdf == Kdf.TLS_PRF:
            return prf(secret, given[4] + given[5])
        if kdf == Kdf.SP80056A_CONCAT:
            other = given.get(8, b"") + given.get(9, b"") + given.get(10, b"")
            return new(name, b"\0\0\0\1" + secret + other).digest()
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)


def prf(secret, seed):
    """TLS 1.0."""
    half = -(-len(secret) // 2)
    found = []
    for name, part in (("md5", secret[:half]), ("sha1", secret[-half:])):
        stream, chain = b"", seed
        while len(stream) < 48:
            chain = hmac.digest(part, chain, name)
            stream += hmac.digest(part, chain + seed, name)
        found.append(stream[:48])
    return bytes(a ^ b for a, b in zip(*found, strict=True))
