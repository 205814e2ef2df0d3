# SPDX-License-Identifier: Apache-2.0
"""New keys for a card: made on it, or made by the host and brought there; what policy allows."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vreader.minidriver.abi.blobs import BlobError, PrivateKey, encode_private
from vreader.minidriver.abi.codes import CreateContainer, KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.abi.structs import CARD_KEY_SIZES
from vreader.minidriver.host.basecsp import BaseCsp

_EXPONENT: Final = 65537
_CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {
    256: ec.SECP256R1,
    384: ec.SECP384R1,
    521: ec.SECP521R1,
}


def generate(csp: BaseCsp, name: str, spec: KeySpec, bits: int, pin_id: int) -> int:
    """Make a key on the card, or for it where it makes none; return the container's index.

    Raises:
        MinidriverError: NTE_BAD_LEN, NTE_BAD_ALGID for a curve under the CSP;
            NTE_NOT_SUPPORTED where the card makes no keys and RequireOnCardPrivateKeyGen forbids
            that the host does.
    """
    size = _size(csp, spec, bits)
    if csp.containers.capabilities().fKeyGen:
        return _create(csp, name, spec, size, CreateContainer.KEY_GEN, None, pin_id)
    if csp.policy.on_card_only:
        raise MinidriverError(NTE.NOT_SUPPORTED)
    blob = encode_private(_make_key(spec, size), spec)
    return _create(csp, name, spec, size, CreateContainer.KEY_IMPORT, blob, pin_id)


def bring(csp: BaseCsp, name: str, spec: KeySpec, key: PrivateKey, pin_id: int) -> int:
    """Import a private key; return the container's index.

    Raises:
        MinidriverError: NTE_PERM where no policy allows it, NTE_BAD_KEY for a key that is none for
            that specification, NTE_BAD_LEN for a size the card does not have.
    """
    if not csp.policy.may_import(spec):
        raise MinidriverError(NTE.PERM)
    try:
        blob = encode_private(key, spec)
    except BlobError:
        raise MinidriverError(NTE.BAD_KEY) from None
    size = _size(csp, spec, key.key_size)
    return _create(csp, name, spec, size, CreateContainer.KEY_IMPORT, blob, pin_id)


def _size(csp: BaseCsp, spec: KeySpec, bits: int) -> int:
    """Return how many bits a new key has."""
    if not spec.is_rsa:
        if not csp.ksp:
            raise MinidriverError(NTE.BAD_ALGID)
        if bits not in (0, spec.bits):
            raise MinidriverError(NTE.BAD_LEN)
        return spec.bits
    sizes = csp.session.call("CardQueryKeySizes", spec, 0, CARD_KEY_SIZES())

    def possible(size: int) -> bool:
        if not sizes.dwMinimumBitlen <= size <= sizes.dwMaximumBitlen:
            return False
        step = sizes.dwIncrementalBitlen
        return (size - sizes.dwMinimumBitlen) % step == 0 if step else True

    if not bits:
        bits = csp.policy.key_bits
        return bits if possible(bits) else int(sizes.dwDefaultBitlen)
    if not possible(bits):
        raise MinidriverError(NTE.BAD_LEN)
    return bits


def _create(
    csp: BaseCsp,
    name: str,
    spec: KeySpec,
    bits: int,
    flags: int,
    blob: bytes | None,
    pin_id: int,
) -> int:
    size = 0 if blob is None and not spec.is_rsa else bits

    def make(index: int) -> None:
        if pin_id == Role.USER:
            csp.session.call("CardCreateContainer", index, flags, spec, size, blob)
        else:
            csp.session.call("CardCreateContainerEx", index, flags, spec, size, blob, pin_id)

    return create_key(csp, name, spec, bits, make)


def create_key(
    csp: BaseCsp, name: str, spec: KeySpec, bits: int, make: Callable[[int], None]
) -> int:
    """Find a place for a new key, have it made there, return the container's index.

    Args:
        csp: of the card.
        name: of the container; a new GUID for none.
        spec: what the key is for.
        bits: its size.
        make: makes it, in the container of that index.
    """
    csp.files.writable()
    csp.pins.require(Role.USER, always=not csp.ksp)
    name = name or str(uuid4())
    index = csp.containers.place(name, spec)
    csp.containers.create(index, name, spec, bits, make)
    return index


def _make_key(spec: KeySpec, bits: int) -> PrivateKey:
    if spec.is_rsa:
        return rsa.generate_private_key(_EXPONENT, bits)
    return ec.generate_private_key(_CURVES[spec.bits]())
