# SPDX-License-Identifier: Apache-2.0
"""Connections to the door by hand, where no client would write what a test does."""

import socket

from vreader.bridge.pcsclite import wire


def raw(place):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(place.path)
    return connection


def ask(command, body=b"", size=None):
    return wire.HEADER.pack(len(body) if size is None else size, command) + body
