# SPDX-License-Identifier: Apache-2.0

import pytest

from vreader.bridge.pcsclite.events import ClientEvent


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ClientEvent(7, "connected"), "client 7 connected"),
        (ClientEvent(7, "dropped", "no command"), "client 7 dropped: no command"),
        (ClientEvent(0, "left"), "a client left"),
    ],
)  # fmt: skip
def test_in_words(event, text):
    assert str(event) == text
