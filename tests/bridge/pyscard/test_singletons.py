# SPDX-License-Identifier: Apache-2.0
from smartcard import CardMonitoring, ReaderMonitoring
from smartcard.reader import ReaderGroups

from vreader.bridge.pyscard import singletons


def state() -> dict:
    return {
        "monitor": CardMonitoring.CardMonitor.instance,
        "groups": ReaderGroups.readergroups.instance,
        "readers": id(ReaderMonitoring.ReaderMonitor._ReaderMonitor__shared_state),
    }


def test_what_is_taken_away_is_given_back(monkeypatch):
    monkeypatch.setattr(CardMonitoring.CardMonitor, "instance", "monitor")
    monkeypatch.setattr(ReaderGroups.readergroups, "instance", ["group"])
    before = state()
    kept = singletons.exchange({})
    try:
        assert CardMonitoring.CardMonitor.instance is None
        assert ReaderGroups.readergroups.instance is None
        assert state()["readers"] != before["readers"]
    finally:
        singletons.exchange(kept)
    assert state() == before


def test_every_singleton_of_this_pyscard_is_known():
    kept = singletons.present()
    assert {singleton.owner for singleton in kept} >= {
        "CardMonitor",
        "CardMonitoringThread",
        "ReaderMonitor",
        "ReaderMonitoringThread",
        "readergroups",
    }
