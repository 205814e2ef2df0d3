# SPDX-License-Identifier: Apache-2.0
"""The bench: requests complain in words, waits end, and what happens meanwhile is waited for."""

import threading

import pytest

from vreader.certify.bench import IS_ABSENT, IS_PRESENT, Bench
from vreader.certify.cards import BOTH, TestCard, t0_atr
from vreader.certify.check import Failed, NotApplicable
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Attr, Protocol
from vreader.smclib.profile import CONTACT, NFC
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, BugCheck


@pytest.fixture
def make_bench():
    benches = []

    def make(driver=VirtualReader, patience_s=0.05, **options):
        benches.append(Bench(driver, options, patience_s))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()


@pytest.fixture
def bench(make_bench):
    return make_bench()


@pytest.mark.wdk("certify.rm-stopped")
def test_the_manager_is_stopped_and_the_verifier_on(bench):
    assert bench.host.rm is None
    assert bench.host.io.verifier is True
    assert bench.profile is CONTACT


def test_options_reach_the_reader(make_bench):
    assert make_bench(profile=NFC).profile is NFC


def test_complaints(bench):
    waiting = bench.send(IS_PRESENT)
    waiting.must_pend()
    with pytest.raises(Failed, match="IS_PRESENT did not complete"):
        waiting.wait()
    bench.device.cancel()
    over = bench.send(IS_ABSENT)
    with pytest.raises(Failed, match="IS_ABSENT was completed STATUS_SUCCESS, it should pend"):
        over.must_pend()
    with pytest.raises(Failed, match="IS_ABSENT: STATUS_SUCCESS, expected STATUS_CANCELLED"):
        over.must_be(NTSTATUS.CANCELLED)
    with pytest.raises(Failed, match="IS_ABSENT returned nothing, expected 01 02"):
        over.must_be(NTSTATUS.SUCCESS, b"\1\2")
    with pytest.raises(Failed, match="expected STATUS_CANCELLED or STATUS_NO_MEDIA"):
        over.must_be_one_of(NTSTATUS.CANCELLED, NTSTATUS.NO_MEDIA)
    with pytest.raises(Failed, match="succeeded, it should fail"):
        over.must_fail()
    bench.power(1).must_fail()


def test_states_and_attributes(bench):
    bench.state_must_be(CardState.ABSENT, "now")
    with pytest.raises(Failed, match="the state is ABSENT now, expected POWERED"):
        bench.state_must_be(CardState.POWERED, "now")
    with pytest.raises(Failed, match=r"VENDOR_NAME is .*, not a ULONG"):
        bench.number(Attr.VENDOR_NAME)
    assert bench.number(Attr.DEVICE_UNIT) == 0
    assert bench.ask_attribute(5).what == "GET_ATTRIBUTE 00000005"
    with pytest.raises(NotApplicable, match="why"):
        bench.needs(False, "why")


def test_what_a_reader_speaks(make_bench):
    t0 = make_bench(link="t0")
    assert t0.speaks(Protocol.T0)
    assert not t0.speaks(Protocol.T1)
    assert not t0.speaks(Protocol.T0 | Protocol.T1)
    assert t0.speaks(Protocol.UNDEFINED)


def test_connecting_and_talking(bench):
    card = bench.ready()
    assert bench.protocol is Protocol.T1
    assert bench.exchange(bytes.fromhex("00B0000002")) == bytes.fromhex("0B309000")
    with pytest.raises(Failed, match=r"00 B0 00 00 02 was answered 0B 30 90 00, expected 90 00"):
        bench.must_answer(bytes.fromhex("00B0000002"), b"\x90\x00")
    assert card.powered
    bench.connect()
    assert card.log.count("power_on") == 1


def test_over_t0_the_program_fetches_what_the_card_keeps(make_bench):
    bench = make_bench(link="t0")
    bench.ready(TestCard(t0_atr()))
    assert bench.exchange(bytes.fromhex("0088000002ABCD00")) == bytes.fromhex("ABCD9000")
    assert bench.exchange(bytes.fromhex("00B2030009")) == bytes.fromhex("0B30559000")


def test_an_empty_reader_cannot_be_connected(bench):
    with pytest.raises(Failed, match="ABSENT with a card inside"):
        bench.connect()


def test_what_happens_meanwhile_may_fail(bench):
    card = bench.ready()

    def happen():
        raise BugCheck(0x44, "MEANWHILE")

    bench.meanwhile(card, "transmit", happen)
    with pytest.raises(BugCheck, match="MEANWHILE"):
        bench.transmit(b"\0\4\x90\0").wait()
    with pytest.raises(BugCheck):
        bench.send(IS_PRESENT)


def test_what_happens_meanwhile_is_waited_for(make_bench):
    """A card on a thread of the driver's: its removal answers before the new card is in."""

    class Threaded(VirtualReader):
        service, inf = "threaded", None

        def RDF_TRANSMIT(self, ext):
            io = ext.ReaderExtension.io
            status = VirtualReader.RDF_TRANSMIT(ext)
            (work,) = io.take_work()

            def run():
                value = work.run()
                io.run_locked(lambda: work.finish(value))

            threading.Thread(target=run, daemon=True).start()
            return status

    bench = make_bench(Threaded, patience_s=30)
    card = bench.ready()
    seen = []

    def happen():
        bench.reader.remove()
        seen.append(bench.send(IS_ABSENT).wait())  # its own waits do not wait for it
        bench.insert(TestCard(BOTH))

    bench.meanwhile(card, "transmit", happen)
    bench.transmit(b"\0\4\x90\0").must_be(NTSTATUS.NO_MEDIA)
    assert bench.reader.card is not None
    assert seen == [(NTSTATUS.SUCCESS, b"")]


@pytest.mark.wdk("tracking.lost-edge")
def test_an_edge_between_two_waits_is_lost_and_the_state_is_not(bench):
    bench.insert()
    bench.reader.remove()
    bench.send(IS_PRESENT).must_pend()
    bench.state_must_be(CardState.ABSENT, "after a card came and went unseen")


def test_unloading_and_replugging(bench):
    first = bench.reader
    bench.replug(exclusive=False)
    assert bench.reader is not first
    assert bench.reader.link == first.link
    bench.reopen()
    bench.unload()
    assert "vreader" not in bench.host.io.drivers
