# SPDX-License-Identifier: Apache-2.0
from vreader.minidriver.abi import ctype, structs
from vreader.minidriver.abi.properties import (
    CARD_PROPERTIES,
    CONTAINER_PROPERTIES,
    CardProperty,
    ContainerProperty,
)

SIMPLE = {"DWORD", "BOOL", "BYTE", "PIN_ID", "PIN_SET", "bytes", "HWND", "WCHAR"}


def test_every_property_is_described():
    assert set(CARD_PROPERTIES) == set(CardProperty)
    assert set(CONTAINER_PROPERTIES) == set(ContainerProperty)


def test_a_value_is_simple_or_a_structure():
    known = (*CARD_PROPERTIES.values(), *CONTAINER_PROPERTIES.values())
    for found in known:
        assert found.value in SIMPLE or hasattr(structs, found.value)


def test_structures_of_card_properties_are_the_same_on_both_architectures():
    for found in CARD_PROPERTIES.values():
        if found.value not in SIMPLE:
            struct = getattr(structs, found.value)
            assert struct.layout(ctype.Abi.X64) == struct.layout(ctype.Abi.X86)
