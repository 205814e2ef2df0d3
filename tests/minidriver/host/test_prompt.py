# SPDX-License-Identifier: Apache-2.0
"""Texts of prompts, those of the registry too."""

import pytest
from host_desk import CARD_NAME

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import SecretPurpose
from vreader.minidriver.host.prompt import DEFAULT_TEXTS, purpose_text
from vreader.registry import Value
from vreader.winscard.cardtypes import PROMPTS, SMART_CARDS

ALL = [(int(purpose), f"en-US,en {purpose};de-DE,de {purpose}") for purpose in SecretPurpose]


def test_every_purpose_has_its_text():
    texts = {purpose_text(purpose) for purpose in SecretPurpose}
    assert texts == set(DEFAULT_TEXTS.values())
    assert len(texts) == len(SecretPurpose)
    assert purpose_text(99) == DEFAULT_TEXTS[SecretPurpose.PRIMARY_CARD]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en-US", "en 1"), ("DE-de", "de 1"), ("fr-FR", "en 1")],
)
def test_the_registrys_text_of_a_language(language, expected):
    assert purpose_text(1, ALL, language) == expected


def test_the_registry_replaces_all_texts_or_none():
    assert purpose_text(1, ALL[:-1]) == DEFAULT_TEXTS[SecretPurpose.DIGITAL_SIGNATURE]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("en-US,one;en-US,two", "one"),
        ('en-US,"a;b"', '"a'),
        ("en-US,a, b", "a, b"),
        ("no language", None),
        ("", None),
    ],
)
def test_how_a_text_is_read(text, expected):
    overrides = [*ALL, (1, text)]
    assert purpose_text(1, overrides) == (expected or DEFAULT_TEXTS[1])


def test_the_registrys_texts_reach_the_prompt(desk):
    key = desk.host.registry.create(rf"{SMART_CARDS}\{CARD_NAME}")
    for purpose, text in ALL:
        key.set(f"{PROMPTS + purpose:08X}", Value.sz(text))
    desk.open(language="de-DE").generate(KeySpec.ECDSA_P256)
    assert desk.prompt.requests[0].purpose == "de 5"
