# SPDX-License-Identifier: Apache-2.0
"""What ``vreader card info`` tells about a GIDS card. No secret is among it."""

from collections.abc import Iterator

from cards.gids import tables
from cards.gids.build import gids_state
from cards.gids.profile import DEFAULT_ADMIN_KEY
from cards.gids.state import GidsState
from cards.platform import Pin
from vreader import cardfs as fs
from vreader.card import Card

_LIFE = {
    tables.LifeCycle.CREATION: "not yet activated: everything is allowed",
    tables.LifeCycle.OPERATIONAL: "operational",
    tables.LifeCycle.TERMINATED: "terminated",
}


def facts(card: Card) -> list[tuple[str, str]]:
    """Return (label, value) lines."""
    return list(_facts(gids_state(card)))


def _facts(state: GidsState) -> Iterator[tuple[str, str]]:
    yield "life cycle", _LIFE[state.life_cycle]
    card_id = state.object(tables.EVERYONE_READ_ADMIN_WRITE, fs.CARD_ID)
    if card_id is not None:
        yield "card identifier", card_id.hex()
    for reference in tables.PinRef:
        yield reference.name, _tries(state.pin(reference))
    key = state.admin_key(tables.ADMIN_KEY)
    default = ", the default one" if key == DEFAULT_ADMIN_KEY else ""
    yield "admin key", f"3DES{default}" if key else "none"
    for index, container in enumerate(_containers(state)):
        if container.valid:
            yield f"container {index}", _container(state, index, container)


def _tries(pin: Pin | None) -> str:
    if pin is None:
        return "none"
    return f"{pin.tries_left} of {pin.tries_max} tries left" if not pin.blocked else "blocked"


def _containers(state: GidsState) -> list[fs.Container]:
    raw = state.object(tables.EVERYONE_READ_USER_WRITE, fs.CONTAINER_MAP) or b""
    try:
        return fs.decode_container_map(raw)
    except ValueError:
        return []


def _container(state: GidsState, index: int, container: fs.Container) -> str:
    file = state.file(tables.KEY_FILE_BASE + tables.FIRST_KEY + index)
    record = None if file is None else state.key(file)
    told = [
        container.name,
        "no key" if record is None else tables.ALGORITHM_NAMES[record.algorithm],
    ]
    if container.signature_bits and not container.exchange_bits:
        told.append("signs only")
    if container.flags & fs.DEFAULT:
        told.append("default")
    for signature in (False, True):
        subject = _subject(state, fs.certificate_file(index, signature=signature))
        if subject is not None:
            told.append(subject)
    return ", ".join(told)


def _subject(state: GidsState, name: str) -> str | None:
    raw = state.object(tables.USER_CREATE_DELETE_DIR, fs.FILE_TABLE) or b""
    try:
        entry = fs.find_file(fs.decode_file_table(raw), fs.MSCP, name)
        content = None if entry is None else state.object(entry.file_id, entry.object_tag)
        if content is None:
            return None
        from cards.platform.certificates import told
        from cards.platform.keyfiles import parse_certificate

        return told(parse_certificate(fs.expand_certificate(content)))
    except ValueError:
        return "a file that is no certificate"
