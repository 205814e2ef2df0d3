# SPDX-License-Identifier: Apache-2.0
"""Non-volatile memory: transactions, areas, and what a model says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.platform import Nvm, NvmError
from cards.platform.nvm import MemoryBackend, PowerLost, open_nvm
from vreader.card import MemoryStore


class Broken(MemoryBackend):
    def write(self, changes):
        raise NvmError("no")


def test_changes_are_seen_at_once_and_undone_by_rollback():
    nvm = Nvm(MemoryBackend())
    area = nvm.area("a")
    area.put("k", b"1")
    assert area.get("k") == b"1"
    assert nvm.empty
    nvm.commit()
    assert not nvm.empty
    area.put("k", b"2")
    area.delete("k")
    assert area.get("k") is None
    nvm.rollback()
    assert area.get("k") == b"1"


def test_areas_do_not_see_each_other():
    nvm = Nvm(MemoryBackend())
    nvm.area("a").put("k", b"1")
    assert nvm.area("b").get("k") is None
    assert nvm.area("b").names() == []


def test_names_are_sorted_and_filtered():
    area = Nvm(MemoryBackend()).area("a")
    for name in ("o.2", "o.1", "p"):
        area.put(name, b"")
    area.commit()
    area.delete("p")
    assert area.names() == ["o.1", "o.2"]
    assert area.names("o.2") == ["o.2"]


def test_a_failed_commit_stays_open_until_rolled_back():
    nvm = Nvm(Broken())
    nvm.area("a").put("k", b"1")
    with pytest.raises(NvmError):
        nvm.commit()
    assert nvm.area("a").get("k") == b"1"
    nvm.rollback()
    nvm.commit()
    assert nvm.area("a").get("k") is None


def test_memory_store_is_new_every_time():
    nvm = open_nvm(MemoryStore(), "toy")
    nvm.area("a").put("k", b"1")
    nvm.commit()
    assert open_nvm(MemoryStore(), "toy").empty


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.binary(max_size=3))),
            st.sampled_from(["commit", "rollback"]),
        )
    )
)
def test_against_a_dict(steps):
    nvm = Nvm(MemoryBackend())
    area = nvm.area("x")
    stable, now = {}, {}
    for step in steps:
        match step:
            case "commit":
                nvm.commit()
                stable = dict(now)
            case "rollback":
                nvm.rollback()
                now = dict(stable)
            case key, None:
                area.delete(key)
                now.pop(key, None)
            case key, value:
                area.put(key, value)
                now[key] = value
        assert {k: area.get(k) for k in area.names()} == now


@pytest.mark.parametrize(("where", "kept"), [("before", None), ("after", b"1")])
def test_power_lost_at_the_commit(where, kept):
    nvm = Nvm(MemoryBackend())
    area = nvm.area("a")
    nvm.tear(where)
    nvm.commit()  # there is nothing to lose
    area.put("k", b"1")
    with pytest.raises(PowerLost):
        nvm.commit()
    nvm.rollback()
    assert area.get("k") == kept
    nvm.tear("")
    area.put("k", b"2")
    nvm.commit()
    assert area.get("k") == b"2"
