# SPDX-License-Identifier: Apache-2.0
"""The published expectations of Microsoft's reader test, as the numbers a program sees."""

import pytest

from vreader.certify import Outcome, certify
from vreader.certify.bench import Bench
from vreader.certify.cards import E_GATE, SELECT, TestCard, t0_atr
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Protocol
from vreader.wdm import RtlNtStatusToDosError

LINKS = [{}, {"link": "t0"}]


@pytest.fixture(params=LINKS, ids=["whole APDUs", "T=0"])
def bench(request):
    bench = Bench(VirtualReader, request.param, 20)
    yield bench
    bench.close()


def win32(sent) -> int:
    return RtlNtStatusToDosError(sent.wait()[0])


@pytest.mark.wdk("certify.reply-too-small")
def test_ten_bytes_into_nine(bench):
    bench.ready(TestCard(t0_atr()))
    assert win32(bench.transmit(bytes.fromhex("00B0000008"), 8 + 9)) == 122


@pytest.mark.wdk("certify.mute-card")
def test_mute_card(bench):
    card = bench.ready(TestCard(t0_atr()))
    card.mute.add("transmit")
    assert win32(bench.transmit(bytes.fromhex("00B0000008"))) == 121


@pytest.mark.wdk("certify.t1-on-t0-card")
def test_t1_on_a_t0_card(bench):
    bench.insert(TestCard(E_GATE))
    bench.cold_reset()
    assert win32(bench.set_protocol(Protocol.T1)) == 50
    assert win32(bench.set_protocol(Protocol.T0)) == 0


@pytest.mark.wdk("certify.inconsistent-lc")
def test_lc_that_does_not_fit():
    """Refused where the driver frames T=0; a reader of whole APDUs leaves it to the card."""
    select = bytes((0, SELECT, 4, 0, 7, 0xA0, 0))
    for options, error in zip(LINKS, (0, 87), strict=True):
        bench = Bench(VirtualReader, options, 20)
        card = bench.ready(TestCard(t0_atr()))
        assert win32(bench.transmit(select)) == error
        assert card.commands == ([] if error else [select])
        bench.close()


@pytest.mark.wdk("certify.packets")
@pytest.mark.parametrize("crc", [False, True])
def test_full_blocks_really_cross_the_link(crc):
    """258 and 259 bytes are those of a block; the trace of a run shows them."""
    name = f"D.packets-of-25{8 + crc}-bytes"
    (result,) = certify(link="t1", only=[name]).results
    assert result.outcome is Outcome.PASSED
    bench = Bench(VirtualReader, {"link": "t1"}, 20)
    lengths = set()
    bench.host.events.subscribe(lambda event: lengths.add(getattr(event, "length", 0)))
    result.check.run(bench)
    assert max(lengths) == 258 + crc
    bench.close()
