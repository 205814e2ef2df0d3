# SPDX-License-Identifier: Apache-2.0
"""A Windows machine with a reader, and its door."""

import sys
from pathlib import Path

import pytest

from vreader.bridge.winscard_tcp.door import WinscardTcpDoor
from vreader.host import Host
from vreader.winscard.profile import WINDOWS

sys.path.insert(0, str(Path(__file__).parent))

from winscard_client import Client


@pytest.fixture
def host():
    host = Host(WINDOWS)
    yield host
    host.close()


@pytest.fixture
def reader(host):
    return host.add_reader("Door")


@pytest.fixture
def door(host, reader):
    door = WinscardTcpDoor(host)
    yield door
    door.close()


@pytest.fixture
def client(door):
    client = Client(door)
    yield client
    client.close()
