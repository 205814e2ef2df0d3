# SPDX-License-Identifier: Apache-2.0
"""Part J: the life of containers, and what cmapfile says of them."""

from functools import cache, partial

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vreader.minidriver.abi.blobs import PrivateKey, decode_public, encode_private, encode_public
from vreader.minidriver.abi.codes import CreateContainer, KeySpec
from vreader.minidriver.abi.pins import MAX_PINS, Role, pins_of
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.certify.bench import ROOM, SIGNING, Bench, Key
from vreader.minidriver.certify.check import NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.signing import verify
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD

PART = Part("J", "Containers")

_INVALID, _UNSUPPORTED = SCARD.E_INVALID_PARAMETER, SCARD.E_UNSUPPORTED_FEATURE
_NONE = SCARD.E_NO_KEY_CONTAINER
_CREATE, _EX = page("CardCreateContainer"), page("CardCreateContainerEx")
_INFO = page("CardGetContainerInfo")
_RSA = (KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE)
CURVES = tuple(spec for spec in KeySpec if not spec.is_rsa)
_EC_CURVE = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_TOO_SMALL = 504


@cache
def made(spec: KeySpec, bits: int) -> PrivateKey:
    """Return a private key of ours."""
    if spec.is_rsa:
        return rsa.generate_private_key(65537, bits)
    return ec.generate_private_key(_EC_CURVE[spec.bits])


def sizes_of(bench: Bench, spec: KeySpec) -> CARD_KEY_SIZES:
    """Return what CardQueryKeySizes tells of a key specification."""
    return bench.md.CardQueryKeySizes(spec, 0, CARD_KEY_SIZES())


def ready(bench: Bench) -> int:
    """Log in as the user of a card that can be written; return a free container."""
    bench.writable()
    bench.user()
    return bench.free_container()


@PART.check(_INFO, "container.info-index")
def info_missing(bench: Bench) -> None:
    """An index without a container is SCARD_E_NO_KEY_CONTAINER."""
    refused(lambda: bench.md.CardGetContainerInfo(99, 0, ContainerInfo()), _NONE, _INVALID)
    if not bench.read_only:
        free = bench.free_container()
        refused(lambda: bench.md.CardGetContainerInfo(free, 0, ContainerInfo()), _NONE)


@PART.check(_INFO, "container.info container.rsa-blob read-only.CardGetContainerInfo")
def rsa_blob(bench: Bench) -> None:
    """An RSA key is a PUBLICKEYBLOB in the place of its use."""
    _blob(bench, *_RSA)


@PART.check(_INFO, "container.ecc-blob")
def ecc_blob(bench: Bench) -> None:
    """A key on a curve is a BCRYPT_ECCKEY_BLOB in the place of its use."""
    _blob(bench, *CURVES)


def _blob(bench: Bench, *specs: KeySpec) -> None:
    bench.spec(*specs)
    key = bench.key(*specs)
    info = bench.md.CardGetContainerInfo(key.container, 0, ContainerInfo())
    blob = info.exchange if key.spec.is_exchange else info.signature
    require(blob == encode_public(key.public, key.spec), "the BLOB has more than the key")
    for other, exchange in ((info.signature, False), (info.exchange, True)):
        fits = not other or decode_public(other)[1].is_exchange is exchange
        require(fits, "the key stands in the place of another use")


@PART.check(_CREATE, "container.generate container.generate-data-ignored")
def generate(bench: Bench) -> None:
    """Generating makes a new key; pbKeyData is ignored."""
    container = ready(bench)
    spec = bench.spec(*_RSA, *CURVES)
    size = sizes_of(bench, spec).dwMinimumBitlen if spec.is_rsa else 0
    flags = CreateContainer.KEY_GEN
    bench.md.CardCreateContainer(container, flags, spec, size, b"ignored")
    public = bench.public(container, spec)
    require(public is not None, "the container has no such key")
    require(public is None or public.key_size == (size or spec.bits), "the size is another")


@PART.check(_CREATE, "container.generate-size")
def generate_size(bench: Bench) -> None:
    """A size that the card does not have is refused."""
    container = ready(bench)
    spec = bench.spec(*_RSA)
    refused(
        lambda: bench.md.CardCreateContainer(container, 1, spec, _TOO_SMALL, None),
        _INVALID,
        _UNSUPPORTED,
    )


@PART.check(page("CardQueryCapabilities"), "container.keygen-capability")
def keygen_capability(bench: Bench) -> None:
    """The capability fKeyGen says whether keys are generated."""
    container = ready(bench)
    spec = bench.spec(*KeySpec)
    if bench.md.CardQueryCapabilities(CARD_CAPABILITIES()).fKeyGen:
        bench.generate(container, spec)
    else:
        refused(lambda: bench.generate(container, spec), _UNSUPPORTED)


def _import(bench: Bench, spec: KeySpec) -> None:
    container = ready(bench)
    if not bench.settings.key_import:
        raise NotApplicable("the settings say that no keys are imported")
    bits = sizes_of(bench, spec).dwDefaultBitlen
    private = made(spec, bits)
    blob = encode_private(private, spec)
    bench.md.CardCreateContainer(container, CreateContainer.KEY_IMPORT, spec, bits, blob)
    public = bench.public(container, spec)
    told = public.public_numbers() if public else None
    require(told == private.public_key().public_numbers(), "the public key is another")
    if public is not None and spec in SIGNING:
        verify(bench, Key(container, spec, public))


@PART.check(_CREATE, "container.import-rsa")
def import_rsa(bench: Bench) -> None:
    """An RSA PRIVATEKEYBLOB is imported."""
    _import(bench, bench.spec(*_RSA))


@PART.check(_CREATE, "container.import-ecc")
def import_ecc(bench: Bench) -> None:
    """A private BCRYPT_ECCKEY_BLOB is imported."""
    _import(bench, bench.spec(*CURVES))


@PART.check(_CREATE, "container.import-bad")
def import_bad(bench: Bench) -> None:
    """Data that is no key, half of one, or one of another kind makes no container."""
    container = ready(bench)
    spec = bench.spec(*KeySpec)
    bits = sizes_of(bench, spec).dwDefaultBitlen
    blob = encode_private(made(spec, bits), spec)
    kind = KeySpec.ECDSA_P256 if spec.is_rsa else KeySpec.KEYEXCHANGE
    another = encode_private(made(kind, 1024), kind)
    for data in (b"no key", blob[: len(blob) // 2], another):
        refused(partial(bench.md.CardCreateContainer, container, 2, spec, bits, data))
        refused(lambda: bench.md.CardGetContainerInfo(container, 0, ContainerInfo()), _NONE)


@PART.check(_CREATE, "container.overwrite")
def overwrite(bench: Bench) -> None:
    """A key of the same use is overwritten."""
    container = ready(bench)
    spec = bench.spec(*CURVES, *_RSA)
    bench.generate(container, spec)
    first = bench.public(container, spec)
    bench.generate(container, spec)
    second = bench.public(container, spec)
    require(first and second, "the container is gone")
    require(first != second, "the key is the same as before")


@PART.check(_CREATE, "container.two-keys")
def two_keys(bench: Bench) -> None:
    """Making an exchange key leaves the signature key."""
    container = ready(bench)
    if not set(_RSA) <= set(bench.specs):
        raise NotApplicable("the card has not both kinds of RSA keys")
    for spec in (KeySpec.SIGNATURE, KeySpec.KEYEXCHANGE):
        bench.generate(container, spec)
    require(bench.public(container, KeySpec.SIGNATURE), "the signature key is gone")


@PART.check(page("CardDeleteContainer"), "container.delete")
def delete(bench: Bench) -> None:
    """A deleted container is gone, the others stay, and its index can be used again."""
    container = ready(bench)
    spec = bench.spec(*KeySpec)
    bench.generate(container, spec)
    behind = bench.free_container()
    bench.generate(behind, spec)
    others = [key for key in bench.keys(*KeySpec) if key.container != container]
    bench.md.CardDeleteContainer(container, 0)
    refused(lambda: bench.md.CardGetContainerInfo(container, 0, ContainerInfo()), _NONE)
    require(list(bench.keys(*KeySpec)) == others, "another container is not what it was")
    bench.generate(container, spec)


@PART.check(page("CardDeleteContainer"), "container.delete-missing")
def delete_missing(bench: Bench) -> None:
    """Deleting a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    container = ready(bench)
    refused(lambda: bench.md.CardDeleteContainer(container, 0), _NONE)


@PART.check(_CREATE, "container.too-many", silent="Any code is accepted.")
def too_many(bench: Bench) -> None:
    """An index beyond the greatest number of containers is refused."""
    ready(bench)
    most = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO()).dwMaxKeyContainers
    if most > 0xFF:
        raise NotApplicable("the card takes every index")
    refused(lambda: bench.generate(most, bench.spec(*KeySpec)))


@PART.check(page("CardQueryFreeSpace"), "file.free-space-moves")
def takes_one(bench: Bench) -> None:
    """A new container takes one of the free ones."""
    container = ready(bench)
    before = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO()).dwKeyContainersAvailable
    if before == 0xFFFFFFFF:
        raise NotApplicable("the card does not tell its free containers")
    bench.generate(container, bench.spec(*KeySpec))
    after = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO()).dwKeyContainersAvailable
    require(after == before - 1, f"{before} free containers became {after}")


@PART.check(_EX, "container.ex-admin", silent="The code is OpenSC's; another is accepted.")
def ex_admin(bench: Bench) -> None:
    """A container under the administrator's PIN is refused."""
    bench.need("CardCreateContainerEx")
    container = ready(bench)
    _ex_refused(bench, container, Role.ADMIN)


@PART.check(_EX, "container.ex-pin-range")
def ex_pin_range(bench: Bench) -> None:
    """A container under a PIN that the card does not have is refused."""
    bench.need("CardCreateContainerEx")
    container = ready(bench)
    there = pins_of(int.from_bytes(bench.get(CardProperty.LIST_PINS), "little"))
    missing = [pin for pin in range(MAX_PINS) if pin > Role.ADMIN and pin not in there]
    if not missing:
        raise NotApplicable("the card has every PIN")
    _ex_refused(bench, container, missing[-1])


def _ex_refused(bench: Bench, container: int, pin: int) -> None:
    spec = bench.spec(*CURVES, *_RSA)
    size = sizes_of(bench, spec).dwMinimumBitlen if spec.is_rsa else 0
    refused(
        lambda: bench.md.CardCreateContainerEx(container, 1, spec, size, None, pin),
        _INVALID,
        _UNSUPPORTED,
        SCARD.W_SECURITY_VIOLATION,
    )


@PART.check(_EX, "container.ex-property")
def ex_property(bench: Bench) -> None:
    """The property "PIN Identifier" of a new container is the PIN it was made under."""
    bench.need("CardCreateContainerEx")
    container = ready(bench)
    spec = bench.spec(*CURVES, *_RSA)
    size = sizes_of(bench, spec).dwMinimumBitlen if spec.is_rsa else 0
    pin = max(role for role in (Role.USER, *bench.settings.pins) if role != Role.ADMIN)
    if pin != Role.USER:
        bench.md.CardAuthenticateEx(pin, 0, bench.secret(pin))
    bench.md.CardCreateContainerEx(container, 1, spec, size, None, pin)
    name = ContainerProperty.PIN_IDENTIFIER
    raw = bench.md.CardGetContainerProperty(container, name, bytes(ROOM), 0)
    require(raw == int(pin).to_bytes(4, "little"), f"it is {raw!r}")
