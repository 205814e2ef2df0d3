# SPDX-License-Identifier: Apache-2.0
"""RSA paddings of PKCS #1 (RFC 8017) by hand, for cards and hosts that have only the raw operation.

Names of hashes are CNG's. Everything is big endian here but for what the two callbacks of a host,
CspPadData and CspUnpadData, take and return. That is little endian, as RSA is everywhere at this
interface: no page says so, but open minidrivers reverse what CspPadData returns before the raw
operation, and give CspUnpadData what they have reversed (CanoKey, SmartCard-HSM).
"""

import hashlib
import os
from hmac import compare_digest
from typing import Final

from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, Calg, Padding
from vreader.minidriver.abi.returncodes import NTE, CardWin32, MinidriverError
from vreader.minidriver.values import DecryptInfo, Oaep, PaddingInfo, Pkcs1, Pss, SigningInfo
from vreader.winscard.codes import SCARD

HASHES: Final[dict[str, str]] = {
    "MD5": "md5",
    "SHA1": "sha1",
    "SHA256": "sha256",
    "SHA384": "sha384",
    "SHA512": "sha512",
}
ALG_IDS: Final[dict[str, int]] = {
    "MD5": Calg.MD5,
    "SHA1": Calg.SHA1,
    "SHA256": Calg.SHA_256,
    "SHA384": Calg.SHA_384,
    "SHA512": Calg.SHA_512,
}
_NAMES: Final = {number: name for name, number in ALG_IDS.items()}
_DIGEST_INFO: Final[dict[str, bytes]] = {
    "MD5": bytes.fromhex("3020300C06082A864886F70D020505000410"),
    "SHA1": bytes.fromhex("3021300906052B0E03021A05000414"),
    "SHA256": bytes.fromhex("3031300D060960864801650304020105000420"),
    "SHA384": bytes.fromhex("3041300D060960864801650304020205000430"),
    "SHA512": bytes.fromhex("3051300D060960864801650304020305000440"),
}


def digest(algorithm: str, data: bytes) -> bytes:
    """Hash; NTE_BAD_ALGID for a hash that nobody knows."""
    if algorithm not in HASHES:
        raise MinidriverError(NTE.BAD_ALGID)
    return hashlib.new(HASHES[algorithm], data, usedforsecurity=False).digest()


def hash_name(alg_id: int) -> str | None:
    """Return CNG's name for an ALG_ID; None for 0 and for the two hashes of TLS 1.0.

    SCARD_E_UNSUPPORTED_FEATURE for any other.
    """
    if alg_id in (0, Calg.SSL3_SHAMD5):
        return None
    if alg_id not in _NAMES:
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
    return _NAMES[alg_id]


def pad(data: bytes, width: int, info: PaddingInfo | None) -> bytes:
    """Pad a hash for a signature; SCARD_E_INVALID_PARAMETER where it does not fit."""
    if isinstance(info, Pss):
        return _pss(data, width, info)
    algorithm = info.algorithm if isinstance(info, Pkcs1) else None
    if algorithm is not None:
        if algorithm not in _DIGEST_INFO or len(data) != len(digest(algorithm, b"")):
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        data = _DIGEST_INFO[algorithm] + data
    if len(data) > width - 11:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
    return b"\0\1" + b"\xff" * (width - 3 - len(data)) + b"\0" + data


def _pss(data: bytes, width: int, info: Pss) -> bytes:
    algorithm = info.algorithm or ""
    size = len(digest(algorithm, b""))
    if len(data) != size or width < size + info.salt + 2:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
    salt = os.urandom(info.salt)
    check = digest(algorithm, bytes(8) + data + salt)
    block = bytes(width - size - info.salt - 2) + b"\1" + salt
    masked = bytearray(_xor(block, _mgf1(algorithm, check, len(block))))
    masked[0] &= 0x7F  # a modulus of 8 * width bits
    return bytes(masked) + check + b"\xbc"


def unpad(block: bytes, padding_type: int, info: PaddingInfo | None) -> bytes:
    """Remove the padding of what was decrypted; NTE_BAD_DATA where there is none."""
    if padding_type == Padding.NONE:
        return block
    if padding_type == Padding.OAEP and isinstance(info, Oaep):
        return _unpad_oaep(block, info)
    end = block.find(b"\0", 2)
    if padding_type != Padding.PKCS1 or block[:2] != b"\0\2" or end < 10:
        raise MinidriverError(NTE.BAD_DATA)
    return block[end + 1 :]


def _unpad_oaep(block: bytes, info: Oaep) -> bytes:
    algorithm = info.algorithm or ""
    label = digest(algorithm, info.label)
    size = len(label)
    if len(block) < 2 * size + 2 or block[0]:
        raise MinidriverError(NTE.BAD_DATA)
    masked_seed, masked = block[1 : size + 1], block[size + 1 :]
    seed = _xor(masked_seed, _mgf1(algorithm, masked, size))
    data = _xor(masked, _mgf1(algorithm, seed, len(masked)))
    end = data.find(b"\1", size)
    if end < 0 or any(data[size:end]) or not compare_digest(data[:size], label):
        raise MinidriverError(NTE.BAD_DATA)
    return data[end + 1 :]


def _mgf1(algorithm: str, seed: bytes, length: int) -> bytes:
    found = b""
    counter = 0
    while len(found) < length:
        found += digest(algorithm, seed + counter.to_bytes(4, "big"))
        counter += 1
    return found[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


# ---------------------------------------------------------------------- a host's callbacks


def csp_pad(info: SigningInfo, width: int) -> bytes:
    """Do what CspPadData does: pad as the information says, without any as PKCS #1.

    Returns:
        ``width`` bytes, little endian.

    Raises:
        MinidriverError: SCARD_E_INVALID_PARAMETER, SCARD_E_UNSUPPORTED_FEATURE.
    """
    if info.data is None:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
    if not info.flags & PADDING_INFO_PRESENT:
        return pad(info.data, width, Pkcs1(hash_name(info.hash_alg)))[::-1]
    if info.padding_type not in (Padding.PKCS1, Padding.PSS):
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
    if info.padding_type == Padding.PSS and not isinstance(info.padding, Pss):
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
    return pad(info.data, width, info.padding)[::-1]


def csp_unpad(info: DecryptInfo, *, oaep: bool) -> bytes:
    """Do what CspUnpadData does: remove PKCS #1 padding, and OAEP under the KSP.

    Args:
        info: with what the raw operation gave, little endian.
        oaep: whether OAEP is known.

    Returns:
        What was encrypted, little endian.

    Raises:
        MinidriverError: ERROR_REVISION_MISMATCH for version 1, SCARD_E_INVALID_PARAMETER, and
            NTE_BAD_DATA where there is no such padding.
    """
    if (info.version or 1) < 2:
        raise MinidriverError(CardWin32.REVISION_MISMATCH)
    known = (Padding.PKCS1, Padding.OAEP) if oaep else (Padding.PKCS1,)
    if info.data is None or info.padding_type not in known:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
    return unpad(info.data[::-1], info.padding_type, info.padding)[::-1]
