# SPDX-License-Identifier: Apache-2.0
import socket

import pytest

from vreader.bridge.vpcd.dial import explain, parse_address, tcp_dial
from vreader.errors import UsageError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:35963", "localhost", 35963),
        ("localhost", "localhost", 35963),
        ("10.0.0.1:1", "10.0.0.1", 1),
        ("[::1]:65535", "::1", 65535),
        ("[::1]", "::1", 35963),
    ],
)
def test_addresses(text, host, port):
    assert parse_address(text) == (host, port)


@pytest.mark.parametrize(
    "text", ["", ":1", "a:0", "a:65536", "a:b", "a:", "a:-1", "a:²", "a:99999999"]
)
def test_bad_addresses_say_what_to_write(text):
    with pytest.raises(UsageError) as error:
        parse_address(text)
    assert "HOST:PORT" in error.value.hint


def test_dial_gives_a_blocking_connection(driver):
    with driver.dial() as sock, driver.accept():
        assert sock.gettimeout() is None


def test_nobody_listens_is_said_with_the_remedy(driver):
    port = driver.port
    driver.listener.close()
    with pytest.raises(ConnectionRefusedError) as error:
        tcp_dial("127.0.0.1", port)()
    reason, hint = explain(error.value, f"localhost:{port}")
    assert reason == f"nobody listens at localhost:{port}"
    assert "apt install pcscd vsmartcard-vpcd" in hint


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "host"),
        (TimeoutError("timed out"), "does not take"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
        (OSError("odd"), "odd"),
    ],
)
def test_every_error_becomes_one_line(error, words):
    reason, hint = explain(error, "there:1")
    assert words in reason
    assert "\n" not in reason + hint
