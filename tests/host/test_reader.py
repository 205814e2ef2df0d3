# SPDX-License-Identifier: Apache-2.0
"""Names, inserting and removing, sleeping, unplugging."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError, VreaderError
from vreader.host.reader import split_reader_name
from vreader.smclib.states import CardState


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Yubico YubiKey CCID 00 00", ("Yubico", "YubiKey CCID")),
        ("Virtual Reader", ("Virtual", "Reader")),
        ("Virtual", ("Virtual", "")),
        ("Virtual Reader 0A 1F", ("Virtual", "Reader")),
        ("Reader 00 00 00 00", ("Reader", "00 00")),
        ("Reader ab 00", ("Reader", "ab 00")),
        ("x" * 32 + " " + "y" * 32, ("x" * 32, "y" * 32)),
        ("aa " + "bb " * 15 + "c", ("aa bb bb bb bb bb", "bb bb bb bb bb bb bb bb bb bb c")),
        ("Lecteur à carte", ("Lecteur", "à carte")),
    ],
)
def test_a_name_splits_into_two_attributes(name, parts):
    assert split_reader_name(name) == parts


@pytest.mark.wdk("name.attribute-string")
@given(st.text(max_size=80))
def test_any_name_splits_or_is_refused(name):
    try:
        vendor, ifd_type = split_reader_name(name)
    except UsageError:
        return
    assert vendor
    assert max(len(vendor.encode()), len(ifd_type.encode())) <= 32


def test_insert_and_remove_and_what_may_go_wrong(make_host, make_card):
    reader = make_host(None).add_reader()
    first, second = make_card(), make_card()
    assert reader.card is None
    with pytest.raises(VreaderError, match="is empty") as caught:
        reader.remove()
    assert caught.value.hint
    reader.insert(first)
    assert reader.card is first
    assert reader.state is CardState.SWALLOWED
    with pytest.raises(VreaderError, match="holds a card already") as caught:
        reader.insert(second)
    assert caught.value.hint
    assert reader.card is first
    reader.remove()
    assert reader.state is CardState.ABSENT
    assert first.log == ["off"]
    reader.insert(second)
    assert reader.card is second


def test_an_unplugged_reader_takes_no_card(make_host, make_card):
    reader = make_host(None).add_reader()
    reader.insert(make_card())
    reader.unplug()
    reader.unplug()
    assert reader.card is None
    with pytest.raises(VreaderError, match="has been unplugged") as caught:
        reader.insert(make_card())
    assert caught.value.hint
    with pytest.raises(VreaderError, match="is empty"):
        reader.remove()
    reader.sleep()
    reader.wake()
    assert reader.card is None


def test_sleep_and_wake(make_host, make_card):
    reader = make_host(None).add_reader()
    reader.insert(make_card())
    reader.sleep()
    reader.remove()
    assert reader.state is CardState.SWALLOWED
    reader.wake()
    assert reader.state is CardState.ABSENT


@pytest.mark.wdk("rm.name.attributes")
def test_the_resource_manager_names_readers(make_host):
    host = make_host()
    assert [host.add_reader("Some Reader").name for _ in range(2)] == [
        "Some Reader 00 00",
        "Some Reader 01 00",
    ]
    assert make_host(None).add_reader("Some Reader").name == "Some Reader"
