# SPDX-License-Identifier: Apache-2.0
"""What one logical channel of a PIV card must not do for another."""

import pytest

SELECT = "A4040009A00000030800001000"
ALGORITHM = 0x03


@pytest.fixture
def client(make):
    client = make("neutral")
    assert client.raw("0070000001") == "019000"
    assert client.raw("01" + SELECT).endswith("9000")
    return client


def _step(client, channel, content):
    body = bytes.fromhex(content)
    template = bytes((0x7C, len(body))) + body
    raw = bytes((channel, 0x87, ALGORITHM, 0x9B, len(template))) + template + b"\0"
    return client.card.transmit(raw)


def test_a_challenge_is_not_answered_by_the_encryption_of_another_channel(client):
    challenge = _step(client, 0, "8100")[4:-2]
    length = f"{len(challenge):02X}"
    encrypted = _step(client, 1, f"81{length}{challenge.hex()}8200")[4:-2]
    assert len(encrypted) == len(challenge)
    answer = _step(client, 0, f"82{length}{encrypted.hex()}")
    assert answer.hex() == "6982"
    assert client.raw("00DB3FFF095C035FC10153020101") == "6982"


def test_a_channel_does_not_share_the_pin_of_another(client):
    assert client.raw("0020008008313233343536FFFF") == "9000"
    assert client.raw("01CB3FFF055C035FC10900") == "6982"
    assert client.raw("01200080") == "63C3"
