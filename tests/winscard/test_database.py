# SPDX-License-Identifier: Apache-2.0
r"""Further names and groups of readers, kept in ``Calais\Readers``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.registry import REG_MULTI_SZ, REG_SZ, Registry, Value
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.database import ALL_READERS, DEFAULT_READERS, READERS, ReaderDatabase

PRESENT = ("Reader 0", "Reader 1")


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def database(registry):
    return ReaderDatabase(registry)


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


@pytest.mark.wdk("rm.name.introduced")
def test_a_further_name_is_a_key_of_the_registry(registry, database):
    database.introduce("Mine", "Reader 0", PRESENT)
    key = registry.open(rf"{READERS}\Mine")
    assert [(name, value.type, value.decoded) for name, value in key.values()] == [
        ("Device", REG_SZ, "Reader 0"),
        ("Groups", REG_MULTI_SZ, [DEFAULT_READERS]),
    ]
    assert database.device("mine") == "Reader 0"
    assert ReaderDatabase(registry).names("Reader 0") == ["Reader 0", "Mine"]
    database.forget("MINE", PRESENT)
    assert database.device("Mine") is None
    assert registry.find(rf"{READERS}\Mine") is None


@pytest.mark.wdk("rm.name.case")
@pytest.mark.parametrize("name", ["mine", "READER 1"])
def test_a_name_that_is_taken(database, name):
    database.introduce("Mine", "Reader 0", PRESENT)
    assert code_of(database.introduce, name, "Reader 0", PRESENT) == SCARD.E_DUPLICATE_READER


@pytest.mark.parametrize("name", ["", "a\\b", "a\0b", "x" * 256])
def test_what_is_no_name(database, name):
    assert code_of(database.introduce, name, "Reader 0", PRESENT) == SCARD.E_INVALID_VALUE
    assert code_of(database.forget, name, PRESENT) == SCARD.E_UNKNOWN_READER
    assert database.device(name) is None


def test_a_device_must_be_named_but_need_not_be_there(database):
    assert code_of(database.introduce, "Mine", "", PRESENT) == SCARD.E_INVALID_VALUE
    database.introduce("Mine", "Reader 7", PRESENT)
    assert database.names("Reader 7") == ["Reader 7", "Mine"]


def test_renaming_a_reader(database):
    """The example of SCardIntroduceReader: introduce the new name, forget the old one."""
    database.introduce("Mine", "Reader 0", PRESENT)
    database.forget("Reader 0", PRESENT)
    assert database.names("Reader 0") == ["Mine"]
    database.left("Reader 0")
    assert database.names("Reader 0") == ["Reader 0", "Mine"]
    assert code_of(database.forget, "Nobody's", PRESENT) == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.groups")
def test_groups(database):
    assert database.groups() == [DEFAULT_READERS]
    database.introduce_group("Office")
    assert database.groups() == [DEFAULT_READERS]  # not before a reader is in it
    database.add_to_group("Reader 0", "Office", PRESENT)
    database.add_to_group("reader 0", "OFFICE", PRESENT)
    assert database.groups() == [DEFAULT_READERS, "Office"]
    assert [database.is_in(name, ["office"]) for name in PRESENT] == [True, False]
    assert all(database.is_in(name, [DEFAULT_READERS]) for name in PRESENT)
    database.remove_from_group("Reader 0", DEFAULT_READERS, PRESENT)
    database.remove_from_group("Reader 1", DEFAULT_READERS, PRESENT)
    assert not any(database.is_in(name, [DEFAULT_READERS, "unknown"]) for name in PRESENT)
    assert all(database.is_in(name, [ALL_READERS]) for name in PRESENT)
    database.forget_group("Office")
    assert database.groups() == [DEFAULT_READERS]
    assert database.names("Reader 0") == ["Reader 0"]  # an entry alone is no further name


@pytest.mark.parametrize(
    "group", ["", "a\0", "SCard$AllReaders", "scard$localreaders", "SCard$SystemReaders"]
)
def test_groups_that_cannot_be_changed(database, group):
    assert code_of(database.introduce_group, group) == SCARD.E_INVALID_VALUE
    assert code_of(database.forget_group, group) == SCARD.E_INVALID_VALUE
    assert code_of(database.add_to_group, "Reader 0", group, PRESENT) == SCARD.E_INVALID_VALUE
    assert code_of(database.remove_from_group, "Reader 0", group, PRESENT) == SCARD.E_INVALID_VALUE


def test_groups_of_nobody(database):
    assert code_of(database.add_to_group, "Nobody's", "G", PRESENT) == SCARD.E_UNKNOWN_READER
    assert code_of(database.remove_from_group, "x\\y", "G", PRESENT) == SCARD.E_UNKNOWN_READER


def test_an_entry_that_somebody_has_spoilt(registry, database):
    key = registry.create(rf"{READERS}\Odd")
    assert database.names("Reader 0") == ["Reader 0"]
    assert not database.is_in("Odd", [DEFAULT_READERS])
    key.set("Device", Value.dword(7))
    key.set("Groups", Value.sz("no list"))
    assert database.device("Odd") == ""
    assert database.groups() == [DEFAULT_READERS]
    database.add_to_group("Odd", "Office", PRESENT)
    assert database.is_in("Odd", ["Office"])


NAMES = st.sampled_from(["A", "a", "B", "Reader 0", "reader 1", "\\", ""]) | st.text(max_size=8)


@given(st.lists(st.tuples(st.integers(0, 5), NAMES, NAMES), max_size=12))
def test_anything_at_all(steps):
    database = ReaderDatabase(Registry())
    for step, one, other in steps:
        call, *arguments = [
            (database.introduce, one, other, PRESENT),
            (database.forget, one, PRESENT),
            (database.add_to_group, one, other, PRESENT),
            (database.remove_from_group, one, other, PRESENT),
            (database.forget_group, one),
            (database.introduce_group, one),
        ][step]
        try:
            call(*arguments)
        except ScardError:
            pass
        assert DEFAULT_READERS in database.groups()
        for device in PRESENT:
            names = database.names(device)
            assert len(names) == len(set(names))
