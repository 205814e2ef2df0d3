# SPDX-License-Identifier: Apache-2.0
"""Part B: the versions of structures."""

from vreader.minidriver.abi.blobs import encode_public
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.files import CARD_ID
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import CardWin32
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_INFO,
)
from vreader.minidriver.certify.bench import ROOM, SIGNING, Bench
from vreader.minidriver.certify.check import NotApplicable, Part, page, refused, require
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    SigningInfo,
)

PART = Part("B", "Versions of structures")

_MISMATCH = CardWin32.REVISION_MISMATCH
_ECDH = (KeySpec.ECDHE_P256, KeySpec.ECDHE_P384, KeySpec.ECDHE_P521)

for _name, _function, _row, _call in (
    (
        "capabilities",
        "CardQueryCapabilities",
        "version.capabilities",
        lambda b: b.md.CardQueryCapabilities(CARD_CAPABILITIES(2)),
    ),
    (
        "file-info",
        "CardGetFileInfo",
        "version.file-info",
        lambda b: b.md.CardGetFileInfo(None, CARD_ID, CARD_FILE_INFO(2)),
    ),
    (
        "free-space",
        "CardQueryFreeSpace",
        "version.free-space",
        lambda b: b.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO(2)),
    ),
    (
        "key-sizes",
        "CardQueryKeySizes",
        "version.key-sizes",
        lambda b: b.md.CardQueryKeySizes(b.spec(*KeySpec), 0, CARD_KEY_SIZES(2)),
    ),
):
    PART.refusal(
        _name,
        f"A structure newer than version 1 is refused by {_function}",
        page(_function),
        f"{_row} version.structures",
        _call,
        _MISMATCH,
    )


@PART.check(page("CardGetContainerInfo"), "version.container-info")
def container_info(bench: Bench) -> None:
    """CONTAINER_INFO newer than version 1 is refused."""
    container = bench.key(*KeySpec).container
    refused(lambda: bench.md.CardGetContainerInfo(container, 0, ContainerInfo(2)), _MISMATCH)


@PART.check("WDK Smart Card Minidriver Versions", "version.default-1")
def version_zero(bench: Bench) -> None:
    """Version 0 in a structure means version 1."""
    bench.md.CardQueryCapabilities(CARD_CAPABILITIES(0))
    info = bench.md.CardGetFileInfo(None, CARD_ID, CARD_FILE_INFO(0))
    require(info.dwVersion in (0, 1), f"the version became {info.dwVersion}")


@PART.check(page("CardSignData"), "version.signing-info")
def signing_info(bench: Bench) -> None:
    """CARD_SIGNING_INFO of version 3 is refused."""
    key = bench.key(*SIGNING)
    bench.user()
    info = SigningInfo(key.container, key.spec, bytes(20), version=3)
    refused(lambda: bench.md.CardSignData(info), _MISMATCH)


@PART.check(page("CardRSADecrypt"), "version.decrypt-info")
def decrypt_info(bench: Bench) -> None:
    """A host of version 7 gets no decryption with an older CARD_RSA_DECRYPT_INFO."""
    bench.need("CardRSADecrypt")
    if bench.md.version < 7:
        raise NotApplicable("the minidriver has no version 7")
    key = bench.key(KeySpec.KEYEXCHANGE)
    bench.user()
    info = DecryptInfo(key.container, key.spec, b"\1" + bytes(_width(key.public)), version=1)
    refused(lambda: bench.md.CardRSADecrypt(info), _MISMATCH)


def _width(public: object) -> int:
    return int(getattr(public, "key_size", 1024)) // 8 - 1


@PART.check(page("CardRSADecrypt"), "version.decrypt-info-old-host")
def decrypt_info_old_host(bench: Bench) -> None:
    """A host of version 6 gets a decryption with version 1, padding and all."""
    bench.need("CardRSADecrypt")
    if bench.settings.minimum_version > 6:
        raise NotApplicable("the minidriver serves no host of version 6")
    key = bench.key(KeySpec.KEYEXCHANGE)
    bench.user()
    cipher = b"\1" + bytes(_width(key.public))
    info = DecryptInfo(key.container, key.spec, cipher, version=1)
    plain = bench.acquire(version=6).CardRSADecrypt(info)
    require(plain == cipher, "one to any power is not one")


@PART.check(page("CardConstructDHAgreement"), "version.dh-info")
def dh_info(bench: Bench) -> None:
    """CARD_DH_AGREEMENT_INFO of version 1 is refused."""
    bench.need("CardConstructDHAgreement")
    key = bench.key(*_ECDH)
    bench.user()
    info = DhAgreementInfo(key.container, encode_public(key.public, key.spec), version=1)
    refused(lambda: bench.md.CardConstructDHAgreement(info), _MISMATCH)


@PART.check(page("CardDeriveKey"), "version.derive-info")
def derive_info(bench: Bench) -> None:
    """CARD_DERIVE_KEY of version 3 is refused."""
    bench.need("CardDeriveKey")
    info = DeriveKeyInfo("HASH", 0, version=3)
    refused(lambda: bench.md.CardDeriveKey(info), _MISMATCH)


@PART.check(page("CardGetProperty"), "version.pin-info")
def pin_info(bench: Bench) -> None:
    """PIN_INFO of a version other than 6 is refused."""
    bench.maybe(CardProperty.PIN_INFO, Role.USER, PIN_INFO())
    older = PIN_INFO(dwVersion=5).encode().ljust(ROOM, b"\0")
    name = CardProperty.PIN_INFO
    refused(lambda: bench.md.CardGetProperty(name, older, Role.USER), _MISMATCH)
