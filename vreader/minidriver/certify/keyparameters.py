# SPDX-License-Identifier: Apache-2.0
"""Part C, continued: parameters of containers and keys."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from vreader.minidriver.abi.codes import BUFFER_SIZE_ONLY, PADDING_INFO_PRESENT, KeySpec
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import NotApplicable, page, refused, require
from vreader.minidriver.certify.parameters import PART, refuse
from vreader.minidriver.values import DecryptInfo, Pkcs1, SigningInfo
from vreader.winscard.codes import SCARD

_INVALID = SCARD.E_INVALID_PARAMETER
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE
_FLAGS = "a flag that is not documented"
refuse(
    "create-flags",
    "CardCreateContainer",
    "parameter.create-flags",
    "neither or both of generating and importing",
    lambda b: b.md.CardCreateContainer(b.free_container(), 0, b.spec(*KeySpec), 1024, None),
    _UNSUPPORTED,
    write=True,
)
refuse(
    "create-key-spec",
    "CardCreateContainer",
    "parameter.create-key-spec",
    "a key specification that is not defined",
    lambda b: b.md.CardCreateContainer(b.free_container(), 1, 99, 1024, None),
    write=True,
)
refuse(
    "import-null",
    "CardCreateContainer",
    "parameter.import-without-key",
    "importing without a key",
    lambda b: b.md.CardCreateContainer(b.free_container(), 2, b.spec(*KeySpec), 0, None),
    _UNSUPPORTED,
    write=True,
)
refuse(
    "curve-size",
    "CardCreateContainer",
    "parameter.ecc-size",
    "a size for a curve that is generated",
    lambda b: b.md.CardCreateContainer(
        b.free_container(), 1, b.spec(*(s for s in KeySpec if not s.is_rsa)), 1024, None
    ),
    _UNSUPPORTED,
    write=True,
)
refuse(
    "delete-reserved",
    "CardDeleteContainer",
    "container.delete-reserved",
    "a reserved parameter that is not zero",
    lambda b: b.md.CardDeleteContainer(b.key(*KeySpec).container, 1),
    write=True,
)


def _sign(bench: Bench, **changes: Any) -> None:  # noqa: ANN401 - members of SigningInfo
    key = bench.key(*KeySpec)
    bench.user()
    info = SigningInfo(key.container, key.spec, bytes(20), flags=PADDING_INFO_PRESENT)
    bench.md.CardSignData(info._replace(padding=Pkcs1(), padding_type=2, **changes))


refuse(
    "sign-flags",
    "CardSignData",
    "parameter.bad-flag",
    _FLAGS,
    lambda b: _sign(b, flags=BUFFER_SIZE_ONLY | 4),
)


@PART.check(page("CardSignData"), "parameter.sign-padding-type")
def sign_padding_type(bench: Bench) -> None:
    """CardSignData: a padding that is not defined for signatures is refused."""
    key = bench.key(KeySpec.SIGNATURE, KeySpec.KEYEXCHANGE)
    bench.user()
    info = SigningInfo(
        key.container, key.spec, bytes(20), 0x8004, PADDING_INFO_PRESENT, Pkcs1(), 16
    )
    refused(lambda: bench.md.CardSignData(info), _INVALID, _UNSUPPORTED)


@PART.check(page("CardRSADecrypt"), "parameter.decrypt-padding-type")
def decrypt_padding_type(bench: Bench) -> None:
    """CardRSADecrypt: a padding that is not defined for decryption is refused."""
    bench.need("CardRSADecrypt")
    key = bench.key(KeySpec.KEYEXCHANGE)
    bench.user()
    if not isinstance(key.public, rsa.RSAPublicKey):
        raise NotApplicable("the card has no RSA key")
    cipher = key.public.encrypt(b"secret", PKCS1v15())[::-1]
    info = DecryptInfo(key.container, key.spec, cipher, Pkcs1(), 4)
    refused(lambda: bench.md.CardRSADecrypt(info), _INVALID, _UNSUPPORTED)


@PART.check(
    page("CardSignData"),
    "parameter.sign-key-spec parameter.key-spec-unsupported",
    silent="OpenSC answers for a specification without a key as for an invalid one.",
)
def sign_key_spec(bench: Bench) -> None:
    """CardSignData: a key specification that no key of the container has is refused."""
    key = bench.key(*KeySpec)
    bench.user()
    other = KeySpec.ECDSA_P521 if key.spec is not KeySpec.ECDSA_P521 else KeySpec.ECDSA_P384
    require(bench.public(key.container, other) is None, "the container has that key")
    info = SigningInfo(key.container, other, bytes(20))
    codes = (_INVALID, _UNSUPPORTED, SCARD.E_NO_KEY_CONTAINER)
    refused(lambda: bench.md.CardSignData(info), *codes)
