# SPDX-License-Identifier: Apache-2.0
"""One card and four ways to be a program that uses it: thin adapters for the conversations.

Numbers are those of winscard.h; adapters translate. Every failure is a ScardError.
"""

import contextlib
import threading
import time
from concurrent.futures import Future

import pytest

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.card import CardMute
from vreader.host.scard import ScardApi
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import INFINITE, SCARD, ReaderFlag, ScardError, ShareMode, Win32
from vreader.winscard.model import ReaderStatus
from vreader.winscard.profile import PCSCLITE, WINDOWS
from vreader.winscard.status_change import ReaderState, is_pnp, observe, observe_pnp

READER = "Conversation Reader"
T0_AND_T1 = Protocol.T0 | Protocol.T1
PATIENCE_S = 30

EMBEDDED = {
    "api": PCSCLITE,
    "socket-4.4": PCSCLITE,
    "socket-4.5": PCSCLITE,
    "socket-4.6": PCSCLITE,
    "libpcsclite": PCSCLITE,
    "api-windows": WINDOWS,
    "libpcsclite-windows": WINDOWS,
}
RUNGS = {**EMBEDDED, "pcscd": PCSCLITE}
# For what pcscd with vpcd cannot express; the reason stands beside each use.
embedded_rungs_only = pytest.mark.parametrize("world", EMBEDDED, indirect=True)


def only_where(option, value, rungs=RUNGS):
    """Hold a conversation where the profile's option has this value."""
    fitting = [rung for rung in rungs if getattr(RUNGS[rung], option) == value]
    return pytest.mark.parametrize("world", rungs_as_parameters(fitting), indirect=True)


def rungs_as_parameters(rungs):
    marks = {"pcscd": pytest.mark.pcscd}
    return [pytest.param(rung, marks=marks.get(rung, ())) for rung in rungs]


def code_of(rv):
    """The code an application of libpcsclite sees, as winscard.h has it."""
    number = wire.RV_FROM_WIRE.get(rv, rv)
    return SCARD(number) if number in SCARD._value2member_map_ else Win32(number)


class TestCard:
    """A card whose every state can be seen: what it is asked, and one volatile byte string."""

    __test__ = False

    def __init__(self, atr="3B80800101"):
        self.atr = bytes.fromhex(atr)
        self.calls = []
        self.volatile = b""
        self.mute = False
        self.working = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def power_on(self):
        return self._reset("power on")

    def reset(self):
        return self._reset("reset")

    def _reset(self, name):
        self.calls.append(name)
        self.volatile = b""
        if self.mute:
            raise CardMute
        return self.atr

    def power_off(self):
        self.calls.append("power off")
        self.volatile = b""

    def resets(self):
        return self.calls.count("reset")

    def transmit(self, c_apdu):
        self.calls.append(c_apdu.hex())
        if c_apdu[1] == 0xD0:  # remember
            self.volatile = c_apdu[5:]
            return b"\x90\x00"
        if c_apdu[1] == 0xB0:  # tell
            return self.volatile + b"\x90\x00"
        if c_apdu[1] == 0xC0:  # as many bytes as P1-P2 say
            return bytes(int.from_bytes(c_apdu[2:4], "big")) + b"\x90\x00"
        if c_apdu[1] == 0x0C:  # until the test says so
            self.working.set()
            self.may_answer.wait(PATIENCE_S)
            return b"\x90\x00"
        return c_apdu + b"\x90\x00"


class Program:
    """What a conversation can do; every failure is a ScardError. One context."""

    reader = ""  # the one it means where none is named

    def __init__(self):
        self.active = {}  # hCard -> protocol in force

    def later(self, method, *args, **kwargs):
        """Make a call on another thread; its outcome is a Future's."""
        future = Future()

        def run():
            try:
                future.set_result(getattr(self, method)(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return future

    def connect(self, share=ShareMode.SHARED, protocols=T0_AND_T1, reader=None):
        hcard, active = self.do_connect(reader or self.reader, share, protocols)
        self.active[hcard] = active
        return hcard

    def reconnect(self, hcard, share=ShareMode.SHARED, protocols=T0_AND_T1, initialization=0):
        self.active[hcard] = self.do_reconnect(hcard, share, protocols, initialization)
        return self.active[hcard]

    def transmit(self, hcard, apdu, protocol=None, room=wire.MAX_DATA):
        used = self.active[hcard] if protocol is None else protocol
        return self.do_transmit(hcard, used, bytes.fromhex(apdu), room).hex()

    def look(self, reader=None, current=0):
        """Return (event state, ATR) without waiting."""
        ((state, atr),) = self.status_change(0, [(reader or self.reader, current)])
        return state, atr


class ApiProgram(Program):
    def __init__(self, host, blocking):
        super().__init__()
        self.api = ScardApi(host, blocking=blocking)
        self.context = self.api.SCardEstablishContext(2)

    def release(self):
        self.api.SCardReleaseContext(self.context)

    kill = release

    def close(self):
        with contextlib.suppress(ScardError):
            self.release()

    def readers(self):
        return self.api.SCardListReaders(self.context)

    def do_connect(self, reader, share, protocols):
        return self.api.SCardConnect(self.context, reader, share, protocols)

    def do_reconnect(self, hcard, *args):
        return self.api.SCardReconnect(hcard, *args)

    def disconnect(self, hcard, disposition=0):
        self.api.SCardDisconnect(hcard, disposition)

    def begin(self, hcard):
        self.api.SCardBeginTransaction(hcard)

    def end(self, hcard, disposition=0):
        self.api.SCardEndTransaction(hcard, disposition)

    def do_transmit(self, hcard, protocol, apdu, room):
        return self.api.SCardTransmit(hcard, protocol, apdu, room)

    def status(self, hcard):
        return tuple(self.api.SCardStatus(hcard))

    def control(self, hcard, code, data=b"", room=264):
        return self.api.SCardControl(hcard, code, data, room)

    def get_attrib(self, hcard, tag):
        return self.api.SCardGetAttrib(hcard, tag)

    def set_attrib(self, hcard, tag, value):
        self.api.SCardSetAttrib(hcard, tag, value)

    def status_change(self, timeout_ms, asked):
        states = [ReaderState(*one) for one in asked]
        found = self.api.SCardGetStatusChange(self.context, timeout_ms, states)
        return [(state.event_state, state.atr) for state in found]

    def cancel(self):
        self.api.SCardCancel(self.context)


@contextlib.contextmanager
def scard_errors():
    """Turn the client's error into the one of winscard.h."""
    try:
        yield
    except PcscError as error:
        raise ScardError(code_of(error.code)) from error


class SocketProgram(Program):
    """Our own client, and what libpcsclite does around it: asking again, comparing states."""

    def __init__(self, path, minor, blocking):
        super().__init__()
        self.client = PcscClient(path, minor, timeout_s=PATIENCE_S)
        self.client.establish()
        self.blocking = blocking

    def release(self):
        with scard_errors():
            self.client.release()

    def close(self):
        self.client.close()

    kill = close

    def patiently(self, call, *args):
        while True:
            try:
                with scard_errors():
                    return call(*args)
            except ScardError as error:
                if error.code != SCARD.E_SHARING_VIOLATION or not self.blocking:
                    raise
            time.sleep(0.01)

    def readers(self):
        return [state.name for state in self.client.readers()]

    def do_connect(self, reader, share, protocols):
        with scard_errors():
            hcard, active = self.client.connect(reader, share, wire.protocols_to_wire(protocols))
        return hcard, wire.protocols_from_wire(active)

    def do_reconnect(self, hcard, share, protocols, initialization):
        mask = wire.protocols_to_wire(protocols)
        active = self.patiently(self.client.reconnect, hcard, share, mask, initialization)
        return wire.protocols_from_wire(active)

    def disconnect(self, hcard, disposition=0):
        with scard_errors():
            self.client.disconnect(hcard, disposition)

    def begin(self, hcard):
        self.patiently(self.client.begin, hcard)

    def end(self, hcard, disposition=0):
        with scard_errors():
            self.client.end(hcard, disposition)

    def do_transmit(self, hcard, protocol, apdu, room):
        mask = wire.protocols_to_wire(protocol)
        return self.patiently(self.client.transmit, hcard, mask, apdu, room)

    def status(self, hcard):
        state = self.patiently(self.client.status, hcard)
        protocol = wire.protocols_from_wire(state.protocol)
        number = wire.state_from_bits(state.state, state.protocol)
        return state.name, number, protocol, state.atr

    def control(self, hcard, code, data=b"", room=264):
        with scard_errors():
            return self.client.control(hcard, code, data, room)

    def get_attrib(self, hcard, tag):
        with scard_errors():
            return self.client.get_attrib(hcard, tag)

    def set_attrib(self, hcard, tag, value):
        with scard_errors():
            self.client.set_attrib(hcard, tag, value)

    def status_change(self, timeout_ms, asked):
        states = [ReaderState(*one) for one in asked]
        if all(state.current_state & ReaderFlag.IGNORE for state in states):
            return [(state.event_state, state.atr) for state in states]
        deadline = time.monotonic() + timeout_ms / 1000
        known = self.client.wait()
        names = [state.name for state in known]
        if any(s.reader not in names and not is_pnp(s.reader) for s in states):
            self.client.stop_waiting()
            raise ScardError(SCARD.E_UNKNOWN_READER)
        count = sum(name != "" for name in names)
        while True:
            found = [self._observe(state, known, count) for state in states]
            if any(state.event_state & ReaderFlag.CHANGED for state in found):
                self.client.stop_waiting()
                return [(state.event_state, state.atr) for state in found]
            left = PATIENCE_S if timeout_ms == INFINITE else deadline - time.monotonic()
            signal = self.client.receive_signal(max(left, 0))
            if signal is None:
                self.client.stop_waiting()
                raise ScardError(SCARD.E_TIMEOUT)
            if signal.rv:
                raise ScardError(SCARD(signal.rv))
            known = self.client.wait()

    def _observe(self, asked, known, count):
        if asked.current_state & ReaderFlag.IGNORE:
            return asked
        readers = {state.name: state for state in known if state.name}
        if is_pnp(asked.reader):
            events = self.client.reader_events() if self.client.minor >= 5 else 0
            return observe_pnp(asked, count, len(readers), events)
        state = readers.get(asked.reader)
        status = state and ReaderStatus(
            state.name,
            CardState(wire.state_from_bits(state.state)),
            state.event_counter,
            state.sharing,
            state.atr,
            Protocol(wire.protocols_from_wire(state.protocol)),
        )
        return observe(asked, status)

    def cancel(self):
        with scard_errors():
            self.client.cancel()
