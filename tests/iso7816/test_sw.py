# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.iso7816.sw import SW


def test_every_status_word_is_a_member():
    for value in range(0x10000):
        sw = SW(value)
        assert sw == value
        assert sw.to_bytes2() == value.to_bytes(2, "big")
        assert sw is SW(value)
        assert isinstance(sw, SW)


def test_members_without_a_standard_name_do_not_show_up_in_lists():
    before = len(SW)
    assert SW(0x6FAB).name == "SW_6FAB"
    assert len(SW) == before
    assert SW(0x6FAB) not in list(SW)


def test_standard_names_win():
    assert SW(0x9000) is SW.OK
    assert SW(0x6A82) is SW.FILE_NOT_FOUND


@pytest.mark.parametrize("value", [-1, 0x10000, "9000", None, 1.5])
def test_what_is_not_a_status_word(value):
    with pytest.raises(ValueError):
        SW(value)


@pytest.mark.parametrize("left", range(16))
def test_retries(left):
    assert SW.retries(left) == 0x63C0 + left
    assert SW.retries(left).retries_left == left


@pytest.mark.parametrize("left", [-1, 16])
def test_retries_that_do_not_fit(left):
    with pytest.raises(ValueError):
        SW.retries(left)


@pytest.mark.parametrize("value", [0x9000, 0x6300, 0x63BF, 0x63D0, 0x6983])
def test_other_words_count_no_retries(value):
    assert SW(value).retries_left is None


def test_more():
    assert SW.more(1) == 0x6101
    assert SW.more(255) == 0x61FF
    assert SW.more(256) == 0x6100
    assert SW.more(4000) == 0x6100


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0x9000, "9000 OK"),
        (0x6A82, "6A82 FILE_NOT_FOUND"),
        (0x63C2, "63C2 2 tries left"),
        (0x6110, "6110 more data"),
        (0x6FAB, "6FAB"),
    ],
)
def test_text(value, text):
    assert str(SW(value)) == text
