# SPDX-License-Identifier: Apache-2.0
from vreader.minidriver.abi.structs import (
    CARD_CACHE_FILE_FORMAT,
    CONTAINER_MAP_RECORD,
    PIN_CACHE_POLICY,
    PIN_INFO,
)


def test_a_record_of_the_container_map():
    record = CONTAINER_MAP_RECORD("abc", 3, 0, 2048, 0)
    raw = bytes.fromhex("610062006300") + bytes(74) + bytes.fromhex("0300 0008 0000")
    assert record.encode() == raw
    assert CONTAINER_MAP_RECORD.decode(raw) == record


def test_the_longest_name_of_a_container_leaves_room_for_its_end():
    assert CONTAINER_MAP_RECORD("x" * 39).encode()[76:80] == b"x\0\0\0"


def test_cardcf_after_a_container_changed():
    assert CARD_CACHE_FILE_FORMAT().encode() == bytes(6)
    assert CARD_CACHE_FILE_FORMAT(0, 0, 1, 0).encode() == bytes.fromhex("000001000000")
    assert CARD_CACHE_FILE_FORMAT.decode(bytes.fromhex("000200000300 ffffffff")) == (
        CARD_CACHE_FILE_FORMAT(0, 2, 0, 3)
    )


def test_pin_info_has_its_policy_inside():
    info = PIN_INFO(6, 0, 5, 6, 4, PIN_CACHE_POLICY(6, 1, 300), 1)
    assert info.encode().hex() == (
        "06000000 00000000 05000000 06000000 0400000006000000 01000000 2c010000 01000000".replace(
            " ", ""
        )
    )
