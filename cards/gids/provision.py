# SPDX-License-Identifier: Apache-2.0
"""Gives a new GIDS card keys and certificates, filed as Windows and OpenSC look for them.

Container *i* of the container map has key reference 81 + *i* in EF B081 + *i*, an entry in the key
map, and its certificate in ``mscp/kxcNN`` (or ``kscNN`` of a key that only signs).
"""

import uuid
from typing import TYPE_CHECKING, NamedTuple

from cards.gids import tables
from cards.gids.build import gids_state, key_file
from cards.gids.keys import KeyRecord, from_cryptography, generate
from cards.gids.state import GidsState
from cards.platform import provisioning
from vreader import cardfs as fs
from vreader.card import Card
from vreader.errors import UsageError

if TYPE_CHECKING:
    from cryptography import x509

DEFAULT_SLOT = "kx:rsa2048"
MAX_CONTAINERS = 32
ALGORITHMS = {
    **{f"rsa{bits}": number for number, bits in tables.RSA_BITS.items()},
    **{f"p{bits}": number for number, bits in tables.EC_BITS.items()},
}
_TABLE = (tables.USER_CREATE_DELETE_DIR, fs.FILE_TABLE)
_KEY_MAP = (tables.USER_CREATE_DELETE_DIR, fs.KEY_MAP)
_CARD_CF = (tables.EVERYONE_READ_USER_WRITE, fs.CARD_CF)
_CONTAINERS = (tables.EVERYONE_READ_USER_WRITE, fs.CONTAINER_MAP)


class Wish(NamedTuple):
    """One key that is asked for.

    Attributes:
        signature: it only signs.
        algorithm: of a key that is to be generated.
        record: a key from outside instead.
        certificate: its certificate; None for one that is to be made.
    """

    signature: bool
    algorithm: int = 0
    record: KeyRecord | None = None
    certificate: "x509.Certificate | None" = None


def provision(card: Card, options: provisioning.Provisioning) -> None:
    """Give the card the keys that are asked for, generated or from files, and certificates.

    Args:
        card: a ready made card, not in use.
        options: see ``PROVISIONING`` of the kind.

    Raises:
        UsageError: an option cannot be used, or the card is full or blank; nothing is changed.
    """
    from cards.platform.certificates import Issuer, Usage

    state = gids_state(card)
    issuer = Issuer.of(options)
    wishes = [_wish(text) for text in options.get("slot", ())] + _imported(options)
    if not wishes and state.object(*_TABLE) is None:
        return  # a blank card stays as a factory makes it
    try:
        for wish in wishes or [_wish(DEFAULT_SLOT)]:
            _demand_room(state)
            record = wish.record or generate(wish.algorithm)
            usage = Usage.SIGNATURE if wish.signature else Usage.EXCHANGE
            certificate = wish.certificate or issuer.certify(record.to_cryptography(), usage)
            add_container(state, record, certificate, signature=wish.signature)
        if not state.fits:
            raise UsageError("the card has no room for all of this", hint="ask for fewer keys")
    except BaseException:
        _forget(card)
        raise
    state.area.commit()


def _use(text: str) -> tuple[bool, str]:
    """Cut ``kx:`` or ``sign:`` off; return whether the key only signs, and the rest."""
    for prefix, signature in (("kx:", False), ("sign:", True)):
        if text.lower().startswith(prefix):
            return signature, text[len(prefix) :]
    return False, text


def _wish(text: str) -> Wish:
    signature, algorithm = _use(text)
    if algorithm.lower() not in ALGORITHMS:
        raise UsageError(
            f"slot {text!r} cannot be provisioned",
            hint="write kx:ALGORITHM or sign:ALGORITHM, algorithms " + " ".join(ALGORITHMS),
        )
    return Wish(signature, ALGORITHMS[algorithm.lower()])


def _imported(options: provisioning.Provisioning) -> list[Wish]:
    """Read the keys in files; a certificate finds its key by the public part."""
    from cards.platform import keyfiles

    password = provisioning.password(options)
    wishes: list[Wish] = []
    for text in options.get("import-key", ()):
        signature, name = _use(text)
        key = keyfiles.load_key(provisioning.located(options, name), password)
        wishes.append(Wish(signature, record=_taken(key, name)))
    for name in options.get("import-cert", ()):
        found = keyfiles.load_certificate(provisioning.located(options, name))
        at = next((i for i, wish in enumerate(wishes) if _belong(wish, found)), None)
        if at is None:
            raise UsageError(
                f"the certificate in {name} belongs to none of the imported keys",
                hint="give its key with --import-key, or both in one file with --pfx",
            )
        wishes[at] = wishes[at]._replace(certificate=found)
    for text in options.get("pfx", ()):
        signature, name = _use(text)
        path = provisioning.located(options, name)
        key, found = keyfiles.load_pfx(path, password)
        keyfiles.check_pair(key, found, name)
        wishes.append(Wish(signature, record=_taken(key, name), certificate=found))
    return wishes


def _taken(key: object, name: str) -> KeyRecord:
    try:
        return from_cryptography(key)
    except ValueError as error:
        raise UsageError(f"the key in {name} cannot be imported", hint=str(error)) from error


def _belong(wish: Wish, certificate: "x509.Certificate") -> bool:
    assert wish.record is not None, "a key from a file"
    return wish.record.to_cryptography().public_key() == certificate.public_key()


def _demand_room(state: GidsState) -> None:
    """Refuse before a key is generated what would be refused afterwards."""
    table, containers = state.object(*_TABLE), state.object(*_CONTAINERS)
    if table is None or containers is None:
        raise UsageError(
            "the card has no file system yet", hint="use gids:windows, or gids-tool --initialize"
        )
    if len(containers) >= MAX_CONTAINERS * fs.RECORD_SIZE:
        raise UsageError("the card has no room for another key", hint="make a new card")


def add_container(
    state: GidsState,
    record: KeyRecord,
    certificate: "x509.Certificate | None",
    *,
    signature: bool = False,
) -> int:
    """Add a container with a key and its certificate, and return its index; not committed.

    Raises:
        UsageError: the card is blank, full, or its files cannot be read.
    """
    _demand_room(state)
    try:
        table = fs.decode_file_table(state.object(*_TABLE) or b"")
        containers = fs.decode_container_map(state.object(*_CONTAINERS) or b"")
        key_map = fs.decode_key_map(state.object(*_KEY_MAP) or b"\x01")
        counters = fs.CardCf.read(state.object(*_CARD_CF) or b"")
    except ValueError as error:
        raise UsageError(
            f"the card's file system cannot be used: {error}", hint="make a new card"
        ) from error
    index = len(containers)
    file = key_file(tables.FIRST_KEY + index, record.algorithm, signature=signature)
    if state.file(file.file_id) is not None:
        raise UsageError("the card has no room for another key", hint="make a new card")
    bits = {**tables.RSA_BITS, **tables.EC_BITS}[record.algorithm]
    containers.append(
        fs.Container(
            str(uuid.uuid4()),
            fs.VALID if any(c.flags & fs.DEFAULT for c in containers) else fs.VALID | fs.DEFAULT,
            bits if signature else 0,
            0 if signature else bits,
        )
    )
    unused = [fs.KeyMapEntry(0, 0, 0, valid=False)] * (index - len(key_map))
    purpose = fs.SIGNATURE if signature else fs.EXCHANGE
    key_map = [*key_map[:index], *unused, fs.KeyMapEntry(record.algorithm, purpose, file.file_id)]
    state.create_file(file)
    state.put_key(file, record)
    state.put_object(*_CONTAINERS, fs.encode_container_map(containers))
    state.put_object(*_KEY_MAP, fs.encode_key_map(key_map))
    if certificate is not None:
        _add_certificate(state, table, index, certificate, signature=signature)
    changed = counters.changed(containers=1, files=1 if certificate is not None else 0)
    state.put_object(*_CARD_CF, bytes(changed))
    return index


def _add_certificate(
    state: GidsState,
    table: list[fs.FileEntry],
    index: int,
    certificate: "x509.Certificate",
    *,
    signature: bool,
) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    folder = tables.EVERYONE_READ_USER_WRITE
    used = {entry.object_tag for entry in table}
    tag = next((t for t in range(fs.FIRST_FREE_OBJECT, fs.LAST_OBJECT + 1) if t not in used), None)
    if tag is None:
        raise UsageError("the card has no room for another certificate", hint="make a new card")
    try:
        content = fs.compress_certificate(certificate.public_bytes(Encoding.DER))
    except ValueError as error:
        raise UsageError(str(error), hint="use a smaller certificate") from error
    state.put_object(folder, tag, content)
    name = fs.certificate_file(index, signature=signature)
    entries = [*table, fs.FileEntry(fs.MSCP, name, tag, folder)]
    state.put_object(*_TABLE, fs.encode_file_table(entries))


def _forget(card: Card) -> None:
    from cards.platform import AppletCard

    assert isinstance(card, AppletCard), "gids_state has seen that"
    card.nvm.rollback()
