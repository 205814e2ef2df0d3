# SPDX-License-Identifier: Apache-2.0
"""pyscard's framework, unchanged, in a world."""

import threading

import pytest
from observers import Cards, Readers
from smartcard.ATR import ATR
from smartcard.CardConnectionObserver import CardConnectionObserver
from smartcard.CardMonitoring import CardMonitor
from smartcard.CardRequest import CardRequest
from smartcard.CardType import ATRCardType
from smartcard.Exceptions import (
    CardConnectionException,
    CardRequestTimeoutException,
    NoCardException,
)
from smartcard.ExclusiveConnectCardConnection import ExclusiveConnectCardConnection
from smartcard.ExclusiveTransmitCardConnection import ExclusiveTransmitCardConnection
from smartcard.pcsc.PCSCPart10 import getFeatureRequest, hasFeature
from smartcard.ReaderMonitoring import ReaderMonitor
from smartcard.scard import SCARD_E_SHARING_VIOLATION, SCARD_SHARE_DIRECT
from smartcard.Session import Session
from smartcard.System import readergroups, readers

NAME = "Virtual Reader 00 00"
SELECT = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08]
PATIENCE_S = 60


def test_readers_and_groups(seen):
    assert [reader.name for reader in readers()] == [NAME]
    assert readergroups() == ["SCard$DefaultReaders"]


def test_no_card(seen):
    seen.remove()
    with pytest.raises(NoCardException):
        readers()[0].createConnection().connect()


def test_a_request_by_atr(seen):
    with CardRequest(timeout=PATIENCE_S).waitforcard() as service:
        service.connection.connect()
        atr = service.connection.getATR()
    assert ATR(atr).isT1Supported()
    request = CardRequest(timeout=PATIENCE_S, cardType=ATRCardType(atr))
    service = request.waitforcard()
    service.connection.connect()
    with pytest.raises(CardRequestTimeoutException):
        CardRequest(timeout=0, cardType=ATRCardType([0x3B, 0x00])).waitforcard()


def test_a_request_waits_for_a_new_card(seen):
    found: list = []
    request = CardRequest(timeout=PATIENCE_S, newcardonly=True)
    thread = threading.Thread(target=lambda: found.append(request.waitforcard()))
    thread.start()
    while thread.is_alive():  # a card that is there when it looks first is not new
        seen.remove()
        seen.insert()
        thread.join(0.01)
    connection = found[0].connection
    connection.connect()
    assert connection.transmit(SELECT)[1:] == (0x90, 0x00)


def test_decorators_and_observers(seen):
    told: list = []

    class Tells(CardConnectionObserver):
        def update(self, connection, event) -> None:
            told.append(event.type)

    connection = readers()[0].createConnection()
    connection.addObserver(Tells())
    exclusive = ExclusiveTransmitCardConnection(connection)
    exclusive.connect()
    exclusive.lock()
    assert exclusive.transmit(SELECT)[1:] == (0x90, 0x00)
    exclusive.unlock()
    exclusive.disconnect()
    assert told == ["connect", "command", "response", "disconnect"]


def test_exclusive_connections(seen):
    exclusive = ExclusiveConnectCardConnection(readers()[0].createConnection())
    exclusive.connect()
    other = readers()[0].createConnection()
    with pytest.raises(CardConnectionException) as failure:
        other.connect()
    assert failure.value.hresult == SCARD_E_SHARING_VIOLATION
    exclusive.disconnect()
    other.connect()


def test_a_session(seen):
    session = Session(NAME)
    assert session.sendCommandAPDU(SELECT)[1:] == (0x90, 0x00)
    assert session.getATR()[0] == 0x3B
    session.close()


def test_reconnecting_resets(seen):
    connection = readers()[0].createConnection()
    connection.connect()
    other = readers()[0].createConnection()
    other.connect()
    connection.reconnect()
    with pytest.raises(CardConnectionException, match="reset"):
        other.transmit(SELECT)


def test_features_of_a_pinpad(make_world):
    with make_world(pinpad="1234").pyscard():
        connection = readers()[0].createConnection()
        connection.connect(mode=SCARD_SHARE_DIRECT)
        assert hasFeature(getFeatureRequest(connection), 6)


def test_monitors_see_what_happens(seen):
    cards, there = Cards(), Readers()
    CardMonitor().addObserver(cards)
    monitor = ReaderMonitor(period=0.01)
    monitor.addObserver(there)
    cards.wait(NAME)
    there.wait(NAME)
    for _ in range(3):
        seen.remove()
        cards.wait()
        seen.insert()
        cards.wait(NAME)
    another = seen.host.add_reader("Another")
    there.wait(NAME, "Another 00 00")
    another.unplug()
    there.wait(NAME)
    CardMonitor().deleteObserver(cards)
    monitor.deleteObserver(there)
