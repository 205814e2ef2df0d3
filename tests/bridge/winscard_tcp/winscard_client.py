# SPDX-License-Identifier: Apache-2.0
"""What our winscard.dll does, in Python: one connection to live by and one to call on."""

import socket

from vreader.bridge.winscard_tcp import wire
from vreader.bridge.winscard_tcp.functions import FUNCTIONS

NUMBER = {function.name: number for number, function in enumerate(FUNCTIONS)}


def dial(door, *, token=None, client=0, magic=wire.MAGIC, version=wire.VERSION):
    """Say hello; return the connection and the client's number."""
    connection = socket.create_connection(("127.0.0.1", door.port), 20)
    token = door.token if token is None else token
    connection.sendall(wire.HELLO.pack(magic, version, token, client))
    said = connection.recv(wire.WELCOME.size)
    if not said:
        connection.close()
        raise EOFError
    code, number = wire.WELCOME.unpack(said)
    assert code == 0
    return connection, number


class Client:
    def __init__(self, door):
        self.door = door
        self.life, self.number = dial(door)
        self.calls, _ = dial(door, client=self.number)

    def __call__(self, name, *values):
        """Return the code, and the results where that is 0."""
        return ask(self.calls, name, *values)

    def close(self):
        self.calls.close()
        self.life.close()


def send(connection, raw):
    connection.sendall(wire.LENGTH.pack(len(raw)) + raw)


def receive(connection):
    """Return a message; EOFError when there is none any more."""
    raw = b""
    while len(raw) < 4 or len(raw) < 4 + int.from_bytes(raw[:4], "little"):
        part = connection.recv(65536)
        if not part:
            raise EOFError
        raw += part
    return raw[4:]


def ask(connection, name, *values):
    number = NUMBER[name]
    function = FUNCTIONS[number]
    send(connection, wire.LENGTH.pack(number) + wire.write(function.parameters, values))
    raw = receive(connection)
    code = int.from_bytes(raw[:4], "little")
    return code, (wire.read(function.results, raw[4:]) if not code else [])
