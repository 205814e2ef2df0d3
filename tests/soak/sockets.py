# SPDX-License-Identifier: Apache-2.0
"""The two UNIX sockets as surfaces: libpcsclite's protocol and the control socket."""

import json
import os
import random
import socket
import tempfile
from pathlib import Path

from mutate import Mutator
from surfaces import SELECT_PIV, Surface, drain, new_piv_card, random_apdu, send_all

from vreader.bridge.control import MAX_LINE
from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.pcsclite.wire import Command
from vreader.winscard.codes import SCARD

READER = "Virtual Reader 00 00"
SHARED, DIRECT = 2, 3
T0_OR_T1 = 3
RESET = 1


def transaction(path: str) -> None:
    """Do what a well-behaved program does."""
    with PcscClient(path, timeout_s=10) as client:
        client.establish()
        card, protocol = _connect(client)
        client.begin(card)
        answer = client.transmit(card, protocol, SELECT_PIV)
        assert answer[-2:] == b"\x90\x00", answer.hex()
        client.end(card)
        client.disconnect(card)
        client.release()


def _connect(client: PcscClient) -> tuple[int, int]:
    """Connect; where somebody left the card in RAW, as anybody may, reset it first."""
    try:
        return client.connect(READER, SHARED, T0_OR_T1)
    except PcscError as error:
        if error.code != SCARD.E_PROTO_MISMATCH:
            raise
    card, _ = client.connect(READER, DIRECT, 0)
    return card, client.reconnect(card, SHARED, T0_OR_T1, RESET)


class Pcsclite(Surface):
    """Messages to the embedded door; a case is what one client sends, then it hangs up.

    Handle numbers start anew for each case, so that good ones can be guessed: the context is 1,
    the first card handle 2.
    """

    name = "pcsclite"
    CONTEXT, CARD = 1, 2

    def open(self) -> None:
        from vreader.bridge.pcsclite.server import PcscliteDoor
        from vreader.host import Host

        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        self._last_id = 0
        self._host = self.stack.enter_context(Host(new_id=self._new_id))
        self._host.events.subscribe(self.hear)
        self._host.add_reader(READER).insert(new_piv_card())
        self._path = str(Path(directory, "s"))
        door = PcscliteDoor(self._host, self._path)
        self.stack.callback(door.close)

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        chance = mutator.chance
        parts = []
        minor = chance.choice((4, 5, 6))
        if chance.random() < 0.95:
            parts = [
                message(Command.VERSION, wire.VERSION.pack(4, minor, 0)),
                message(Command.ESTABLISH_CONTEXT, wire.ESTABLISH_CONTEXT.pack(2, 0, 0)),
                self._connect(mutator),
            ]
            # Whatever another case left the card in, it can be used from here.
            reset = wire.RECONNECT.pack(self.CARD, SHARED, T0_OR_T1, RESET, 0, 0)
            parts.append(message(Command.RECONNECT, reset))
            sizes = (2, 16, len(SELECT_PIV), 0, 0, wire.MAX_DATA, 0)
            select = wire.TRANSMIT.pack(self.CARD, *sizes)
            parts.append(message(Command.TRANSMIT, select) + SELECT_PIV)
        parts += [self._message(mutator, minor) for _ in range(chance.randint(1, 15))]
        stream = b"".join(parts)
        if chance.random() < 0.2:
            stream = mutator.mutate(stream, parts)
        return stream, len(parts)

    def _connect(self, mutator: Mutator) -> bytes:
        chance = mutator.chance
        name = wire.encode_name(READER) if chance.random() < 0.95 else mutator.noise(128)
        share, protocols = chance.choice((1, 2, 3, 3, 3, 3)), chance.choice((0, 1, 2, 3, 4, 7))
        body = wire.CONNECT.pack(self.CONTEXT, name[:128], share, protocols, 0, 0, 0)
        return message(Command.CONNECT, body)

    def _message(self, mutator: Mutator, minor: int) -> bytes:
        chance = mutator.chance
        known = [c for c in Command if wire.SINCE_MINOR.get(c, 0) <= minor]
        command = chance.choice((*known, *[Command.TRANSMIT] * 8))
        if command in (Command.DISCONNECT, Command.RELEASE_CONTEXT) and chance.random() < 0.7:
            command = Command.TRANSMIT  # else few messages would meet an open card
        layout = wire.REQUEST[command]
        data = b""
        if command is Command.CONNECT:
            raw = self._connect(mutator)
        elif command is Command.TRANSMIT:
            data = random_apdu(mutator)
            room = chance.choice((wire.MAX_DATA, wire.MAX_DATA, 258, 2, 0))
            sizes = (chance.choice((1, 2, 2, 2, 4)), 16, len(data), 0, 0, room, 0)
            raw = message(command, layout.pack(self._handle(chance), *sizes))
        elif command in (Command.GET_ATTRIB, Command.SET_ATTRIB):
            tag = chance.choice((0x00010100, 0x00090303, 0x00080201, chance.getrandbits(20)))
            length = chance.choice((0, 1, 4, 264, 265))
            body = layout.pack(self._handle(chance), tag, mutator.noise(264), length, 0)
            raw = message(command, body)
        else:
            data = mutator.noise(20) if command is Command.CONTROL else b""
            raw = message(command, self._plain(command, chance, len(data)))
        if chance.random() < 0.03:
            raw = mutator.mutate(raw, [raw])
        return raw + data

    def _handle(self, chance: random.Random) -> int:
        return self.CARD if chance.random() < 0.97 else chance.choice((0, 1, 3, 0x7FFFFFFF))

    def _plain(self, command: Command, chance: random.Random, length: int) -> bytes:
        """Fill a struct of numbers: a good handle first, then what could be a choice."""
        layout = wire.REQUEST[command]
        values = [chance.choice((0, 1, 2, 3, 3, 4)) for _ in layout.format[1:]]
        if command in (Command.RELEASE_CONTEXT, Command.CANCEL):
            values[0] = self.CONTEXT
        elif command is Command.CONTROL:
            code = chance.choice((0x42000D48, 0x310004, 0x313520, chance.getrandbits(32)))
            values = [
                self._handle(chance),
                code,
                length,
                chance.choice((0, 2, wire.MAX_DATA)),
                0,
                0,
            ]
        elif values and command not in (Command.ESTABLISH_CONTEXT, Command.VERSION):
            values[0] = self._handle(chance)
        return layout.pack(*values)

    def play(self, case: bytes) -> str | None:
        self._last_id = 0
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self._path)
            send_all(sock, case)
            drain(sock)
        if self._host.rm.handles or self._host.rm.contexts:
            return "a handle or a context outlived its connection"
        return None

    def innocent(self) -> None:
        transaction(self._path)


def message(command: Command, body: bytes) -> bytes:
    """Return a request as libpcsclite sends it."""
    return wire.HEADER.pack(len(body), command) + body


class Control(Surface):
    """Lines to the control socket of a world; a case is what one client sends."""

    name = "control"
    SPECS = (
        "piv", "none", "atr:3B80800101", "atr:", "atr:zz", "piv:neutral", "piv,pin=654321", "piv:x",
        "piv,seed=01,serial=5", "piv,state=a.card", "x.py:Card", "x.py", "", ",", ":", "a=b",
        "none,", "atr:3B", "piv,state=", "piv,seed=", "\0", "\ud800", "x" * 300, "x\0.py:A",
        "piv,state=\0",
    )  # fmt: skip

    def open(self) -> None:
        from vreader.world import World

        before = Path.cwd()
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        os.chdir(directory)  # where state files of hostile requests go
        self.stack.callback(os.chdir, before)
        world = self.stack.enter_context(World(("piv", "none")))
        world.host.events.subscribe(self.hear)
        self._path = world.environment["VREADER_CONTROL"]
        self._socket = world.environment["PCSCLITE_CSOCK_NAME"]

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        lines = [self._line(mutator) for _ in range(mutator.chance.randint(1, 10))]
        return b"".join(lines), len(lines)

    def _line(self, mutator: Mutator) -> bytes:
        choice, chance = mutator.chance.choice, mutator.chance.random
        request = {"op": choice(("list", "insert", "remove", "reset", "log", "quit", "x", 1, None))}
        if chance() < 0.7:
            request["reader"] = choice(
                (0, 1, "0", READER, 2, -1, None, [], {}, True, 1e300, "\ud800")
            )
        if chance() < 0.5:
            request["card"] = choice((*self.SPECS, *self.SPECS, 1, [], None))
        raw = json.dumps(request).encode()
        if chance() < 0.4:
            raw = mutator.mutate(raw, [raw])
        if chance() < 0.002:
            raw = choice((b"[" * 60000, b"x" * 65536, b"9" * 60000, b'{"op":' * 9000))
        raw = raw.replace(b"\n", b" ")
        if b"state" in raw and (b"/" in raw or b".." in raw or b"\\u00" in raw):
            raw = b"{}"  # not at the files of whoever runs this
        return raw + b"\n"

    def play(self, case: bytes) -> str | None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self._path)
            send_all(sock, case)
            replies = drain(sock).splitlines()
        for reply in replies:
            told = json.loads(reply)
            if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
                return f"{reply!r} is no reply"
            if not told["ok"] and not told.get("error"):
                return f"{reply!r} does not say what is wrong"
        lines = case.split(b"\n")[:-1]
        too_long = any(len(line) >= MAX_LINE for line in lines)
        if len(replies) < len(lines) and not too_long:
            return f"{len(replies)} replies to {len(lines)} requests"
        return None

    def innocent(self) -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self._path)
            send_all(sock, b'{"op": "remove", "reader": 0}\n'
                           b'{"op": "insert", "reader": 0, "card": "piv"}\n')  # fmt: skip
            last = json.loads(drain(sock).splitlines()[-1])
        assert last["ok"], last
        transaction(self._socket)
