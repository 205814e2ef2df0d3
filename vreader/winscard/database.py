# SPDX-License-Identifier: Apache-2.0
r"""The database of reader names and groups: ``Calais\Readers`` of the registry.

A reader that Plug and Play brings is known by its system name without an entry. An entry gives it a
further name, or puts it into groups: its key is the name, ``Device`` the system name, ``Groups``
the groups (SDK "Smart Card Database Management Functions"). Which readers are there is the
manager's affair.
"""

from collections.abc import Collection, Iterable

from vreader.registry import Key, Registry, Value
from vreader.registry.names import fold, is_key_name
from vreader.winscard.codes import SCARD, ScardError

READERS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\Readers"
ALL_READERS = "SCard$AllReaders"
DEFAULT_READERS = "SCard$DefaultReaders"
_LOCAL_READERS, _SYSTEM_READERS = "SCard$LocalReaders", "SCard$SystemReaders"
_UNCHANGEABLE = frozenset(map(fold, (ALL_READERS, _LOCAL_READERS, _SYSTEM_READERS)))


class ReaderDatabase:
    """Further names and groups of readers, kept in a registry.

    Every function may raise ScardError: UNKNOWN_READER for a name without a reader, INVALID_VALUE
    for one that cannot be a name.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._unlisted: set[str] = set()

    # ------------------------------------------------------------------ names

    def device(self, name: str) -> str | None:
        """Return the system name behind an introduced name, or None."""
        key = self._find(name)
        return _text(key, "Device") if key is not None else None

    def introduce(self, name: str, device: str, present: Collection[str]) -> None:
        """SCardIntroduceReader: give a reader a further name.

        Args:
            name: the new one; DUPLICATE_READER when it is taken.
            device: the reader's system name; it need not be plugged in.
            present: system names of the readers there are.
        """
        if self._find(name) is not None or fold(name) in map(fold, present):
            raise ScardError(SCARD.E_DUPLICATE_READER)
        if not device:
            raise ScardError(SCARD.E_INVALID_VALUE)
        self._create(name, device)

    def forget(self, name: str, present: Collection[str]) -> None:
        """SCardForgetReader: drop a name; a reader's system name is not listed any more."""
        if self._find(name) is not None:
            self._registry.delete(f"{READERS}\\{name}")
        elif fold(name) in map(fold, present):
            self._unlisted.add(fold(name))
        else:
            raise ScardError(SCARD.E_UNKNOWN_READER)

    def left(self, name: str) -> None:
        """List the system name of a reader that has left again when it comes back."""
        self._unlisted.discard(fold(name))

    def names(self, device: str) -> list[str]:
        """Return every name under which a reader is listed, its system name first."""
        system = fold(device)
        introduced = [
            key.name
            for key in self._entries()
            if fold(_text(key, "Device")) == system != fold(key.name)
        ]
        return introduced if system in self._unlisted else [device, *introduced]

    # ------------------------------------------------------------------ groups

    def is_in(self, name: str, groups: Iterable[str]) -> bool:
        """Whether the reader called ``name`` is in one of ``groups``; unknown ones are ignored."""
        asked = {fold(group.rstrip("\0")) for group in groups}  # winscard.h ends its own with one
        return fold(ALL_READERS) in asked or not asked.isdisjoint(map(fold, self._groups(name)))

    def groups(self) -> list[str]:
        """SCardListReaderGroups: the default group, and those that have readers."""
        found = {fold(DEFAULT_READERS): DEFAULT_READERS}
        for key in self._entries():
            for group in _texts(key, "Groups"):
                found.setdefault(fold(group), group)
        return list(found.values())

    def introduce_group(self, group: str) -> None:
        """SCardIntroduceReaderGroup: check the name; a group exists once a reader is in it."""
        _changeable(group)

    def forget_group(self, group: str) -> None:
        """SCardForgetReaderGroup: take every reader out of it."""
        _changeable(group)
        for key in self._entries():
            self._set_groups(key, [g for g in _texts(key, "Groups") if fold(g) != fold(group)])

    def add_to_group(self, name: str, group: str, present: Collection[str]) -> None:
        """SCardAddReaderToGroup."""
        _changeable(group)
        key = self._entry(name, present)
        groups = _texts(key, "Groups")
        if fold(group) not in map(fold, groups):
            self._set_groups(key, [*groups, group])

    def remove_from_group(self, name: str, group: str, present: Collection[str]) -> None:
        """SCardRemoveReaderFromGroup; a group without readers is forgotten."""
        _changeable(group)
        key = self._entry(name, present)
        self._set_groups(key, [g for g in _texts(key, "Groups") if fold(g) != fold(group)])

    # ------------------------------------------------------------------ entries

    def _entries(self) -> list[Key]:
        readers = self._registry.find(READERS)
        return readers.subkeys("created") if readers is not None else []

    def _find(self, name: str) -> Key | None:
        return self._registry.find(f"{READERS}\\{name}") if is_key_name(name) else None

    def _create(self, name: str, device: str) -> Key:
        if not is_key_name(name):
            raise ScardError(SCARD.E_INVALID_VALUE)
        key = self._registry.create(f"{READERS}\\{name}")
        key.set("Device", Value.sz(device))
        self._set_groups(key, [DEFAULT_READERS])
        return key

    def _entry(self, name: str, present: Collection[str]) -> Key:
        """Return the entry of a name, made where a reader that is there has none."""
        key = self._find(name)
        if key is None:
            if fold(name) not in map(fold, present):
                raise ScardError(SCARD.E_UNKNOWN_READER)
            key = self._create(name, name)
        return key

    def _groups(self, name: str) -> list[str]:
        key = self._find(name)
        return _texts(key, "Groups") if key is not None else [DEFAULT_READERS]

    def _set_groups(self, key: Key, groups: list[str]) -> None:
        key.set("Groups", Value.multi_sz(groups))


def _changeable(group: str) -> None:
    """Refuse what can be no group of one's own."""
    if not group or "\0" in group or fold(group) in _UNCHANGEABLE:
        raise ScardError(SCARD.E_INVALID_VALUE)


def _text(key: Key, name: str) -> str:
    value = key.find_value(name)
    text = value.decoded if value is not None else ""
    return text if isinstance(text, str) else ""


def _texts(key: Key, name: str) -> list[str]:
    value = key.find_value(name)
    texts = value.decoded if value is not None else []
    return texts if isinstance(texts, list) else []
