# SPDX-License-Identifier: Apache-2.0
"""Many programs on one reader, readers that change all the time, programs that die: a few seconds.

The card itself sees whether a transaction was broken into.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.host.scard import ScardApi
from vreader.winscard.codes import SCARD, ScardError

TRANSACTIONS = 30
TOGGLES = 150
DEATHS = 25


class Witness:
    """A card that is told in P1 which program speaks and in P2 which of three APDUs this is."""

    def __init__(self):
        self.broken = []
        self.complete = 0
        self._expected = None

    def power_on(self):
        self._expected = None
        return bytes.fromhex("3B80800101")

    reset = power_on

    def power_off(self):
        self._expected = None

    def transmit(self, c_apdu):
        program, step = c_apdu[2], c_apdu[3]
        if (self._expected or (program, 0)) != (program, step):
            self.broken.append((self._expected, program, step))
        self._expected = (program, step + 1) if step < 2 else None
        self.complete += step == 2
        return c_apdu[2:4] + b"\x90\x00"


def by_socket(place, number, minor):
    """Hold TRANSACTIONS transactions; start again whenever somebody's death has reset the card."""
    done = 0
    with PcscClient(place.path, minor, timeout_s=60) as client:
        client.establish()
        hcard, protocol = client.connect(place.reader.name, 2, 3)
        while done < TRANSACTIONS:
            try:
                client.begin(hcard)
                for step in range(3):
                    apdu = bytes((0, 0xA4, number, step))
                    assert client.transmit(hcard, protocol, apdu) == apdu[2:] + b"\x90\x00"
                client.end(hcard)
                done += 1
            except PcscError as error:
                if error.code == SCARD.W_RESET_CARD:
                    _again(client.reconnect, hcard, 2, 3, 0)
                elif error.code != SCARD.E_SHARING_VIOLATION:
                    raise
    return done


def _again(call, *args):
    while True:
        try:
            return call(*args)
        except PcscError as error:
            if error.code != SCARD.E_SHARING_VIOLATION:
                raise


def by_name(place, number):
    """The same in process."""
    done = 0
    api = ScardApi(place.host)
    context = api.SCardEstablishContext()
    hcard, protocol = api.SCardConnect(context, place.reader.name)
    while done < TRANSACTIONS:
        try:
            api.SCardBeginTransaction(hcard)
            for step in range(3):
                apdu = bytes((0, 0xA4, number, step))
                assert api.SCardTransmit(hcard, protocol, apdu) == apdu[2:] + b"\x90\x00"
            api.SCardEndTransaction(hcard)
            done += 1
        except ScardError as error:
            if error.code != SCARD.W_RESET_CARD:
                raise
            api.SCardReconnect(hcard)
    api.SCardReleaseContext(context)
    return done


def die_often(place):
    """Take the transaction and die, which resets the card under everybody."""
    for _ in range(DEATHS):
        with PcscClient(place.path, timeout_s=60) as client:
            client.establish()
            hcard, _ = client.connect(place.reader.name, 2, 3)
            _again(client.begin, hcard)


def toggle(reader, card, over):
    """Insert and remove a card until the watchers have seen enough."""
    while not over.is_set():
        reader.insert(card)
        reader.remove()


def watch(place, name, minor):
    """Follow a reader through TOGGLES changes; each wait must end."""
    seen = 0
    with PcscClient(place.path, minor, timeout_s=60) as client:
        client.establish()
        known = client.readers()
        while seen < TOGGLES:
            known = client.get_status_change(known)
            states = [state for state in known if state.name == name]
            assert len(states) == 1
            seen += 1
            if seen % 10 == 0:  # a wait taken back at once leaves nothing behind
                client.wait()
                client.stop_waiting()
    return seen


@pytest.mark.parametrize("die", [False, True], ids=["peace", "deaths"])
def test_transactions_are_never_broken_into(place, die):
    witness = Witness()
    place.reader.remove()
    place.reader.insert(witness)
    toggled = place.host.add_reader("Toggled Reader 00 00")
    over = threading.Event()
    with ThreadPoolExecutor(16) as pool:
        talkers = [pool.submit(by_socket, place, n, 4 + n % 3) for n in range(5)]
        talkers += [pool.submit(by_name, place, n) for n in (5, 6)]
        watchers = [pool.submit(watch, place, toggled.name, minor) for minor in (4, 5, 6)]
        toggler = pool.submit(toggle, toggled, Witness(), over)
        dying = pool.submit(die_often, place) if die else None
        try:
            assert [talker.result(90) for talker in talkers] == [TRANSACTIONS] * 7
            assert [watcher.result(90) for watcher in watchers] == [TOGGLES] * 3
            if dying is not None:
                dying.result(90)
        finally:
            over.set()
        toggler.result(90)
    assert witness.broken == []
    assert witness.complete >= 7 * TRANSACTIONS
    place.until(lambda: place.sharing() == 0)
    assert place.host.rm.contexts == {}
    assert place.host.rm.handles == {}
