# SPDX-License-Identifier: Apache-2.0
"""Part M: key agreement and derivation, computed again with our half of the key."""

import hmac
from hashlib import new
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vreader.minidriver.abi.blobs import encode_public
from vreader.minidriver.abi.codes import BUFFER_SIZE_ONLY, Kdf, KeySpec
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Failed, NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.signing import ready
from vreader.minidriver.values import DeriveKeyInfo, DhAgreementInfo, KdfParameter
from vreader.winscard.codes import SCARD

PART = Part("M", "Key agreement")

_AGREE, _DERIVE = page("CardConstructDHAgreement"), page("CardDeriveKey")
_DESTROY = page("CardDestroyDHAgreement")
_ECDHE = (KeySpec.ECDHE_P256, KeySpec.ECDHE_P384, KeySpec.ECDHE_P521)
# Numbers of BCryptBuffer.BufferType (bcrypt.h).
_ALGORITHM, _PREPEND, _APPEND, _KEY, _LABEL, _SEED = 0, 1, 2, 3, 4, 5
_ALGORITHM_ID, _PARTY_U, _PARTY_V = 8, 9, 10


class _Agreement:
    """A key of the card's, one of ours, and the secret that both know."""

    def __init__(self, bench: Bench, *specs: KeySpec) -> None:
        bench.need("CardConstructDHAgreement", "CardDeriveKey", "CardDestroyDHAgreement")
        bench.spec(*(specs or _ECDHE))
        self.bench = bench
        self.key = ready(bench, *(specs or _ECDHE))
        if not isinstance(self.key.public, ec.EllipticCurvePublicKey):
            raise Failed("the key is not on a curve")
        self.card = self.key.public
        self.renew()

    def renew(self) -> None:
        """Take another key of ours."""
        self.ours = ec.generate_private_key(self.card.curve)
        self.secret = self.ours.exchange(ec.ECDH(), self.card)

    def agree(self, **changes: Any) -> int:  # noqa: ANN401 - members of DhAgreementInfo
        blob = encode_public(self.ours.public_key(), self.key.spec)
        info = DhAgreementInfo(self.key.container, blob)._replace(**changes)
        return self.bench.md.CardConstructDHAgreement(info)

    def derive(
        self, kdf: str, *parameters: tuple[int, bytes], index: int | None = None, flags: int = 0
    ) -> bytes | int:
        index = self.agree() if index is None else index
        given = tuple(KdfParameter(*one) for one in parameters)
        return self.bench.md.CardDeriveKey(DeriveKeyInfo(kdf, index, given, flags))


def _name(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le")


def _kdf(bench: Bench, kdf: Kdf) -> None:
    if kdf not in bench.settings.kdfs:
        raise NotApplicable(f"the settings have no KDF {kdf}")


@PART.check(_AGREE, "agree.index")
def several(bench: Bench) -> None:
    """Several secrets can exist at once, each with its index."""
    _kdf(bench, Kdf.HASH)
    first, second = _Agreement(bench), _Agreement(bench)
    one, two = first.agree(), second.agree()
    require(one != two, f"both have the index {one}")
    key = first.derive(Kdf.HASH, (_ALGORITHM, _name("SHA256")), index=one)
    require(key == new("sha256", first.secret).digest(), "the first secret is another now")


@PART.check(_AGREE, "agree.no-container")
def no_container(bench: Bench) -> None:
    """Agreeing with a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    agreement = _Agreement(bench)
    refused(lambda: agreement.agree(container=99), SCARD.E_NO_KEY_CONTAINER)


@PART.check(_AGREE, "agree.bad-point")
def bad_point(bench: Bench) -> None:
    """A public key that is not on the curve is refused."""
    agreement = _Agreement(bench)
    blob = encode_public(agreement.ours.public_key(), agreement.key.spec)
    bad = blob[:-1] + bytes((blob[-1] ^ 1,))
    refused(lambda: agreement.agree(public_key=bad))


@PART.check(_DESTROY, "agree.destroy derive.no-secret")
def destroy(bench: Bench) -> None:
    """A secret that was destroyed cannot be used again."""
    agreement = _Agreement(bench)
    index = agreement.agree()
    bench.md.CardDestroyDHAgreement(index, 0)
    refused(lambda: agreement.derive(Kdf.HASH, index=index))


@PART.check(_DESTROY, "agree.destroy-flags")
def destroy_flags(bench: Bench) -> None:
    """A flag that is not documented is refused when a secret is destroyed."""
    index = _Agreement(bench).agree()
    refused(lambda: bench.md.CardDestroyDHAgreement(index, 1), SCARD.E_INVALID_PARAMETER)


@PART.check(_DESTROY, "agree.destroy-missing")
def destroy_missing(bench: Bench) -> None:
    """Destroying a secret that is not there is refused."""
    _Agreement(bench)
    refused(lambda: bench.md.CardDestroyDHAgreement(77, 0), SCARD.E_INVALID_PARAMETER)


@PART.check(_DERIVE, "derive.hash")
def hash_(bench: Bench) -> None:
    """HASH hashes what is prepended, the secret, what is appended; SHA-1 by default."""
    _kdf(bench, Kdf.HASH)
    agreement = _Agreement(bench)
    for name, given in (("sha1", ()), ("sha256", ((_ALGORITHM, _name("SHA256")),))):
        key = agreement.derive(Kdf.HASH, *given, (_PREPEND, b"before"), (_APPEND, b"after"))
        due = new(name, b"before" + agreement.secret + b"after").digest()
        require(key == due, f"the key by {name} is another")


@PART.check(_DERIVE, "derive.hash agree.index")
def curves(bench: Bench) -> None:
    """A secret of any curve is as long as the field, with leading zeros too."""
    _kdf(bench, Kdf.HASH)
    agreements, missing = [], ""
    for spec in _ECDHE:
        try:
            agreements.append(_Agreement(bench, spec))
        except NotApplicable as reason:
            missing = str(reason)
    if not agreements:
        raise NotApplicable(missing)
    for agreement in agreements:
        while agreement.secret[0] and agreement.key.spec is not KeySpec.ECDHE_P521:
            agreement.renew()
        key = agreement.derive(Kdf.HASH, (_ALGORITHM, _name("SHA256")))
        due = new("sha256", agreement.secret).digest()
        require(key == due, f"the key of AT_{agreement.key.spec.name} is another")


@PART.check(_DERIVE, "derive.hmac")
def hmac_(bench: Bench) -> None:
    """HMAC does so under a key."""
    _kdf(bench, Kdf.HMAC)
    agreement = _Agreement(bench)
    given = ((_ALGORITHM, _name("SHA256")), (_KEY, b"key"), (_PREPEND, b"before"))
    key = agreement.derive(Kdf.HMAC, *given)
    due = hmac.digest(b"key", b"before" + agreement.secret, "sha256")
    require(key == due, "the key is another")


@PART.check(_DERIVE, "derive.tls")
def tls(bench: Bench) -> None:
    """TLS_PRF takes a label and a seed."""
    _kdf(bench, Kdf.TLS_PRF)
    agreement = _Agreement(bench)
    seed = bytes(range(64))
    key = agreement.derive(Kdf.TLS_PRF, (_LABEL, b"master secret"), (_SEED, seed))
    require(key == _prf(agreement.secret, b"master secret" + seed), "the key is another")


def _prf(secret: bytes, seed: bytes) -> bytes:
    """Return the master secret of TLS 1.0 (RFC 2246, 5)."""
    half = -(-len(secret) // 2)
    return bytes(
        a ^ b
        for a, b in zip(
            _p_hash("md5", secret[:half], seed), _p_hash("sha1", secret[-half:], seed), strict=True
        )
    )


def _p_hash(name: str, secret: bytes, seed: bytes) -> bytes:
    found, chain = b"", seed
    while len(found) < 48:
        chain = hmac.digest(secret, chain, name)
        found += hmac.digest(secret, chain + seed, name)
    return found[:48]


@PART.check(_DERIVE, "derive.concat")
def concat(bench: Bench) -> None:
    """SP800_56A_CONCAT is that of NIST SP 800-56A."""
    _kdf(bench, Kdf.SP80056A_CONCAT)
    agreement = _Agreement(bench)
    other = ((_ALGORITHM_ID, b"alg"), (_PARTY_U, b"you"), (_PARTY_V, b"vee"))
    key = agreement.derive(Kdf.SP80056A_CONCAT, (_ALGORITHM, _name("SHA256")), *other)
    due = new("sha256", b"\0\0\0\1" + agreement.secret + b"algyouvee").digest()
    require(key == due, "the key is another")


@PART.check(_DERIVE, "derive.unknown-kdf")
def unknown_kdf(bench: Bench) -> None:
    """A KDF that the card does not know is refused."""
    agreement = _Agreement(bench)
    refused(lambda: agreement.derive("NO SUCH"))


@PART.check(_DERIVE, "derive.size-only")
def size_only(bench: Bench) -> None:
    """CARD_BUFFER_SIZE_ONLY returns the length of the key alone."""
    _kdf(bench, Kdf.HASH)
    agreement = _Agreement(bench)
    told = agreement.derive(Kdf.HASH, (_ALGORITHM, _name("SHA256")), flags=BUFFER_SIZE_ONLY)
    require(told == 32, f"{told!r} was told of 32 bytes")


@PART.check(_AGREE, "agree.destroy-right")
def right(bench: Bench) -> None:
    """Key agreement needs the PIN of the container."""
    agreement = _Agreement(bench)
    bench.logout()
    refused(lambda: agreement.agree(), SCARD.W_SECURITY_VIOLATION)
