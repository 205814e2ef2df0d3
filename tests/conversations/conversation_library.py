# SPDX-License-Identifier: Apache-2.0
"""A program on the real libpcsclite, in a process of its own."""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from conversation_programs import PATIENCE_S, Program, code_of

from vreader.bridge.pcsclite import wire
from vreader.winscard.codes import ScardError


class LibraryProcess:
    """A process that has libpcsclite; ``link`` is where its contexts find their server."""

    def __init__(self, link, blocking):
        environment = dict(os.environ, PCSCLITE_CSOCK_NAME=str(link))
        if not blocking:
            environment["PCSCLITE_NO_BLOCKING"] = "1"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("libpcsclite_program.py"))],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._answers = {}
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.blocking = blocking
        self.alive = True

    def _read(self):
        for line in self._process.stdout:
            number, rv, value = json.loads(line)
            self._answers.pop(number).put((rv, value))

    def call(self, name, *arguments):
        answer = queue.Queue()
        with self._lock:
            self._number += 1
            self._answers[self._number] = answer
            request = json.dumps([self._number, name, arguments]).encode() + b"\n"
            self._process.stdin.write(request)
        rv, value = answer.get(timeout=PATIENCE_S)
        if rv:
            error = ScardError(code_of(rv))
            error.value = value
            raise error
        return value

    def kill(self):
        self.alive = False
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


class LibraryProgram(Program):
    def __init__(self, process, put_back):
        super().__init__()
        self.process = process
        self._put_back = put_back
        self.context = process.call("establish")

    def release(self):
        context, self.context = self.context, 0
        self.process.call("release", context)

    def kill(self):
        self.process.kill()

    def close(self):
        if not self.process.alive:
            return
        try:
            if self.context:
                self.release()
        except (ScardError, queue.Empty):
            self.process.kill()
        else:
            self._put_back(self.process)

    def readers(self):
        return self.process.call("readers", self.context)

    def do_connect(self, reader, share, protocols):
        mask = wire.protocols_to_wire(protocols)
        hcard, active = self.process.call("connect", self.context, reader, share, mask)
        return hcard, wire.protocols_from_wire(active)

    def do_reconnect(self, hcard, share, protocols, initialization):
        mask = wire.protocols_to_wire(protocols)
        active = self.process.call("reconnect", hcard, share, mask, initialization)
        return wire.protocols_from_wire(active)

    def disconnect(self, hcard, disposition=0):
        self.process.call("disconnect", hcard, disposition)

    def begin(self, hcard):
        self.process.call("begin", hcard)

    def end(self, hcard, disposition=0):
        self.process.call("end", hcard, disposition)

    def do_transmit(self, hcard, protocol, apdu, room):
        mask = wire.protocols_to_wire(protocol)
        return bytes.fromhex(self.process.call("transmit", hcard, mask, apdu.hex(), room))

    def status(self, hcard):
        name, state, protocol, atr = self.process.call("status", hcard)
        number = wire.state_from_bits(state & 0xFFFF, protocol)
        return name, number, wire.protocols_from_wire(protocol), bytes.fromhex(atr)

    def control(self, hcard, code, data=b"", room=264):
        return bytes.fromhex(self.process.call("control", hcard, code, data.hex(), room))

    def get_attrib(self, hcard, tag):
        return bytes.fromhex(self.process.call("get_attrib", hcard, tag))

    def set_attrib(self, hcard, tag, value):
        self.process.call("set_attrib", hcard, tag, value.hex())

    def status_change(self, timeout_ms, asked):
        found = self.process.call("status_change", self.context, timeout_ms, asked)
        return [(state, bytes.fromhex(atr)) for state, atr in found]

    def cancel(self):
        self.process.call("cancel", self.context)
