# SPDX-License-Identifier: Apache-2.0
from vreader.host.win32 import TEXTS, text_of
from vreader.wdm.status import WIN32


def test_every_error_a_status_becomes_has_words():
    assert {*WIN32.values(), 317} <= TEXTS.keys()
    assert all(text.endswith(".") for text in TEXTS.values())


def test_others_have_their_number():
    assert text_of(1112) == "No media in drive."
    assert text_of(99999) == "Error 99999."
