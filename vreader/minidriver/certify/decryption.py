# SPDX-License-Identifier: Apache-2.0
"""Part L: decryption with RSA keys."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from vreader.minidriver.abi.codes import KeySpec, Padding
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.signing import ready
from vreader.minidriver.values import DecryptInfo, Oaep, Pkcs1
from vreader.winscard.codes import SCARD

PART = Part("L", "Decryption")

_DECRYPT = page("CardRSADecrypt")
_EITHER = "In which order the bytes of a plain text come back."
_SECRET = b"a secret that comes back"


class _Subject:
    """A key that decrypts, and how to ask for it."""

    def __init__(self, bench: Bench, kind: Padding = Padding.NONE) -> None:
        bench.need("CardRSADecrypt")
        if kind not in bench.settings.paddings:
            raise NotApplicable(f"the settings have no CARD_PADDING_{kind.name}")
        bench.spec(KeySpec.KEYEXCHANGE)
        self.key = ready(bench, KeySpec.KEYEXCHANGE)
        if not isinstance(self.key.public, rsa.RSAPublicKey):
            raise NotApplicable("the card has no RSA key")
        self.public = self.key.public
        self.bench = bench

    def decrypt(self, cipher: bytes, kind: Padding, info: Pkcs1 | Oaep | None = None) -> bytes:
        given = DecryptInfo(self.key.container, self.key.spec, cipher[::-1], info, kind)
        return self.bench.md.CardRSADecrypt(given)


@PART.check(_DECRYPT, "decrypt.raw decrypt.little-endian")
def raw(bench: Bench) -> None:
    """Without padding the block comes back, little endian."""
    subject = _Subject(bench)
    numbers, width = subject.public.public_numbers(), subject.public.key_size // 8
    block = b"\0\2" + b"\x55" * (width - len(_SECRET) - 3) + b"\0" + _SECRET
    cipher = pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(width, "big")
    require(subject.decrypt(cipher, Padding.NONE) == block[::-1], "another block came back")


@PART.check(_DECRYPT, "decrypt.pkcs1 decrypt.unpads-by-host", silent=_EITHER)
def pkcs1(bench: Bench) -> None:
    """With padding PKCS#1 the plain text comes back."""
    subject = _Subject(bench, Padding.PKCS1)
    cipher = subject.public.encrypt(_SECRET, padding.PKCS1v15())
    plain = subject.decrypt(cipher, Padding.PKCS1, Pkcs1())
    require(
        plain in (_SECRET, _SECRET[::-1]),
        f"of {len(_SECRET)} bytes {len(plain)} came back, or others",
    )


@PART.check(_DECRYPT, "decrypt.oaep", silent=_EITHER)
def oaep(bench: Bench) -> None:
    """With padding OAEP hash and label are those of the padding information."""
    subject = _Subject(bench, Padding.OAEP)
    done = 0
    for used, label in ((hashes.SHA256(), b"label"), (hashes.SHA1(), b"")):  # noqa: S303
        cipher = subject.public.encrypt(_SECRET, padding.OAEP(padding.MGF1(used), used, label))
        info = Oaep(used.name.upper(), label)
        try:
            plain = subject.decrypt(cipher, Padding.OAEP, info)
        except MinidriverError as error:
            if error.code == SCARD.E_UNSUPPORTED_FEATURE:
                continue
            raise
        done += 1
        came = f"of {len(_SECRET)} bytes {len(plain)} came back by {info.algorithm}, or others"
        require(plain in (_SECRET, _SECRET[::-1]), came)
    if not done:
        raise NotApplicable("the card has neither SHA-256 nor SHA-1 for OAEP")


@PART.check(_DECRYPT, "decrypt.bad-padding")
def bad_padding(bench: Bench) -> None:
    """Data whose padding is damaged is refused."""
    subject = _Subject(bench, Padding.PKCS1)
    cipher = bytes(subject.public.key_size // 8 - 1) + b"\1"
    refused(lambda: subject.decrypt(cipher, Padding.PKCS1, Pkcs1()))


@PART.check(_DECRYPT, "decrypt.length", silent="Two codes are printed for a length that is wrong.")
def length(bench: Bench) -> None:
    """Data that is not as long as the modulus is refused."""
    subject = _Subject(bench)
    short = b"\1" * (subject.public.key_size // 8 - 1)
    codes = (SCARD.E_INVALID_PARAMETER, SCARD.E_INSUFFICIENT_BUFFER)
    refused(lambda: subject.decrypt(short, Padding.NONE), *codes)


@PART.check(_DECRYPT, "decrypt.no-container")
def no_container(bench: Bench) -> None:
    """Decrypting with a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    subject = _Subject(bench)
    subject.key = subject.key._replace(container=99)
    cipher = b"\1" * (subject.public.key_size // 8)
    refused(lambda: subject.decrypt(cipher, Padding.NONE), SCARD.E_NO_KEY_CONTAINER)
