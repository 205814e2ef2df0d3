# SPDX-License-Identifier: Apache-2.0
"""What a link can be asked to be."""

import pytest

from vreader.errors import UsageError
from vreader.reader.linkspec import LinkSettings, Lottery


def test_a_plain_link():
    assert LinkSettings.parse("t0") == LinkSettings("t0")
    assert LinkSettings.parse("t1") == LinkSettings("t1")
    assert [LinkSettings(kind).protocol for kind in ("t0", "t1")] == [0, 1]


def test_all_options():
    settings = LinkSettings.parse(
        "t0,nulls=2,busy=10,single,no-envelope,pps=slow,wtx=1+30,ifsd=0,retries=2,repeat,crc"
    )
    assert settings == LinkSettings(
        "t0",
        ifsd=0,
        retries=2,
        repeat=True,
        crc=True,
        wtx=(1, 30),
        busy=0.1,
        nulls=2,
        single=True,
        envelope=False,
        pps="slow",
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "t2", "t1,", "t1,spoil", "t1,spoil=x", "t1,nulls=-1", "t1,wtx=0", "t1,wtx=256",
        "t1,wtx=", "t1,pps=never", "t1,single=1", "t1,ifsd=255", "t1,what=1", "T1", "t1,wtx=²",
    ],
)  # fmt: skip
def test_what_cannot_be_meant(text):
    with pytest.raises(UsageError) as caught:
        LinkSettings.parse(text)
    assert caught.value.hint


def draws(lottery, count=1000):
    return [lottery(True, b"") for _ in range(count)]


def test_a_lottery_repeats_itself_for_a_seed():
    one, other = Lottery(spoil=10, lose=20, seed=1), Lottery(spoil=10, lose=20, seed=1)
    assert draws(one) == draws(other)
    assert draws(Lottery(spoil=10, lose=20, seed=2)) != draws(Lottery(spoil=10, lose=20, seed=1))


def test_a_lottery_keeps_to_its_odds():
    drawn = draws(Lottery(spoil=10, lose=20, cut=50), 10_000)
    assert 800 < drawn.count("spoil") < 1200
    assert 350 < drawn.count("lose") < 550
    assert 120 < drawn.count("cut") < 230


def test_nothing_happens_without_odds():
    assert set(draws(Lottery(seed=5))) == {""}
    assert set(draws(Lottery(spoil=1))) == {"spoil"}


def test_the_text_of_a_lottery():
    disturb = LinkSettings.parse("t1,spoil=10,seed=7").disturb
    assert draws(disturb) == draws(Lottery(spoil=10, seed=7))
