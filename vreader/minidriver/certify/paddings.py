# SPDX-License-Identifier: Apache-2.0
"""Part K, continued: the paddings that a host asks for."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, KeySpec, Padding
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.bench import Bench, Key
from vreader.minidriver.certify.check import Failed, NotApplicable, page, require
from vreader.minidriver.certify.csp import DIGEST_INFO, pkcs1
from vreader.minidriver.certify.signing import (
    HASHES,
    PART,
    any_hash,
    block,
    cng_name,
    digest,
    hashes_of,
    ready,
    sign,
    width_of,
)
from vreader.minidriver.values import Pkcs1, Pss, SigningInfo
from vreader.winscard.codes import SCARD

_SIGN = page("CardSignData")
_RSA = (KeySpec.SIGNATURE, KeySpec.KEYEXCHANGE)
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE


def _padded(key: Key, data: bytes, padding_info: Pkcs1 | Pss | None, kind: int) -> SigningInfo:
    return SigningInfo(key.container, key.spec, data, 0, PADDING_INFO_PRESENT, padding_info, kind)


def _has(bench: Bench, kind: Padding) -> None:
    if kind not in bench.settings.paddings:
        raise NotApplicable(f"the settings have no CARD_PADDING_{kind.name}")


@PART.check(_SIGN, "sign.padding-none", silent="In which order the bytes of the block are.")
def padding_none(bench: Bench) -> None:
    """With padding none a block is signed as it is."""
    _has(bench, Padding.NONE)
    key = ready(bench, *_RSA)
    data = pkcs1(b"as it is", width_of(key))
    got = block(bench, key, _padded(key, data[::-1], None, Padding.NONE))
    require(data in (got, got[::-1]), "another block was signed")


@PART.check(
    _SIGN,
    "sign.padding-none sign.little-endian",
    silent="In which order the bytes of the block are.",
)
def leading_zeros(bench: Bench) -> None:
    """A signature with leading zeros is as long as the modulus."""
    _has(bench, Padding.NONE)
    key = ready(bench, *_RSA)
    if not isinstance(key.public, rsa.RSAPublicKey):
        raise NotApplicable("the card has no RSA key")
    numbers, width = key.public.public_numbers(), width_of(key)
    small = data = 0
    while not 0 < int.from_bytes(data.to_bytes(width, "little"), "big") < numbers.n:
        small += 1  # the block of a signature with leading zeros, less than n in either order
        data = pow((1 << 8 * (width - 2)) - small, numbers.e, numbers.n)
    info = _padded(key, data.to_bytes(width, "little"), None, Padding.NONE)
    block(bench, key, info)


@PART.check(_SIGN, "sign.padding-pkcs1")
def padding_pkcs1(bench: Bench) -> None:
    """With padding PKCS#1 the name of the hash makes the DigestInfo, no name none."""
    _has(bench, Padding.PKCS1)
    key = ready(bench, *_RSA)
    for calg in hashes_of(bench, key):
        data = digest(calg)
        for name, head in ((cng_name(calg), DIGEST_INFO[calg]), (None, b"")):
            got = block(bench, key, _padded(key, data, Pkcs1(name), Padding.PKCS1))
            due = pkcs1(head + data, width_of(key))
            require(got == due, f"{calg.name} does not verify for {name}")


@PART.check(_SIGN, "sign.padding-pss", silent="A salt as long as the hash, as OpenSC demands.")
def padding_pss(bench: Bench) -> None:
    """With padding PSS hash and salt are those of the padding information."""
    _has(bench, Padding.PSS)
    key = ready(bench, *_RSA)
    signed = 0
    for calg in hashes_of(bench, key, head=2):
        data, used = digest(calg), HASHES[calg]
        if 2 * len(data) + 2 > width_of(key):
            continue
        info = Pss(cng_name(calg), len(data))
        try:
            signature = sign(bench, _padded(key, data, info, Padding.PSS))
        except MinidriverError as error:
            if error.code == _UNSUPPORTED:
                continue
            raise
        signed += 1
        pss = padding.PSS(padding.MGF1(used), len(data))
        if isinstance(key.public, rsa.RSAPublicKey):
            try:
                key.public.verify(signature[::-1], data, pss, Prehashed(used))
            except InvalidSignature:
                raise Failed(f"the signature for {calg.name} does not verify") from None
    if not signed:
        raise NotApplicable("the card has no PSS")


@PART.check(_SIGN, "sign.padding-ignored")
def padding_ignored(bench: Bench) -> None:
    """Without CARD_PADDING_INFO_PRESENT the padding information is ignored."""
    key = ready(bench, *_RSA)
    calg = any_hash(bench)
    data = digest(calg)
    pss = Pss(cng_name(calg), len(data))
    info = SigningInfo(key.container, key.spec, data, calg, 0, pss, Padding.PSS)
    due = pkcs1(DIGEST_INFO[calg] + data, width_of(key))
    require(block(bench, key, info) == due, "it does not verify by aiHashAlg")
