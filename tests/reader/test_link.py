# SPDX-License-Identifier: Apache-2.0
"""Both ends of a link against each other: what an APDU becomes, undisturbed and disturbed."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.card import CardMute
from vreader.iso7816 import Atr
from vreader.iso7816.pps import Pps, PpsError
from vreader.iso7816.t0 import T0CommandError, T0Error, T0LostError
from vreader.iso7816.t1 import T1Error, T1LostError, T1UncertainError
from vreader.reader.link import LinkBrokenError, TpduLink
from vreader.reader.linkspec import LinkSettings
from vreader.smclib.structs import PTS_DATA, SCARD_READER_CAPABILITIES

OK = b"\x90\x00"
SELECT = bytes.fromhex("00A4040002") + b"ab"
BOTH = bytes.fromhex("3B80800101")
BWT, CWT, WT = 1.429503, 0.763, 0.8928  # seconds, for the default parameters


class Line:
    """A link, the card behind it, what crossed, and the seconds that passed."""

    def __init__(self, kind, answer=OK, atr=BOTH, disturb=None, harms=(), **settings):
        script = iter(harms)
        if disturb is None and harms:
            disturb = lambda to_card, raw: next(script, "")  # noqa: E731
        self.link = TpduLink(
            LinkSettings(kind, disturb=disturb, **settings), SCARD_READER_CAPABILITIES()
        )
        self.answer = answer
        self.commands = []
        self.crossed = []
        self.waits = []
        self.atr = self.link.reset(atr)

    def execute(self, command):
        self.commands.append(command)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer(command) if callable(self.answer) else self.answer

    def tell(self, protocol, to_card, raw, text, harm):
        self.crossed.append((protocol, "<>"[to_card], text or raw.hex(), harm))

    def run(self, steps):
        while True:
            try:
                self.waits.append(next(steps))
            except StopIteration as end:
                return end.value

    def __call__(self, command=SELECT):
        return self.run(self.link.transmit(self.execute, command, self.tell))

    def select(self, pts=None):
        return self.run(self.link.select(pts or PTS_DATA(), self.tell))

    @property
    def texts(self):
        return [f"{way} {text}" for _, way, text, _ in self.crossed]


# ------------------------------------------------------------------ undisturbed


def test_t1_in_blocks():
    line = Line("t1", bytes(260) + OK)
    assert line() == bytes(260) + OK
    assert line.commands == [SELECT]
    assert line.texts == [
        "> S(IFS request 254)",
        "< S(IFS response 254)",
        "> I(0,0)",
        "< I(0,1)",
        "> R(1)",
        "< I(1,0)",
    ]
    assert line.waits == []


@pytest.mark.wdk("t0.case4")
def test_t0_in_tpdus():
    line = Line("t0", b"hello" + OK)
    assert line() == b"\x61\x05"
    assert line(bytes.fromhex("00C0000005")) == b"hello" + OK
    assert line.texts == [
        "> header", "< a4", "> data", "< 6105", "> header", "< c068656c6c6f9000",
    ]  # fmt: skip
    assert line.waits == []


@pytest.mark.wdk("t0.extended")
def test_a_long_command_over_t0():
    command = bytes.fromhex("00DA000000012C") + bytes(300)
    line = Line("t0")
    assert line(command) == OK
    assert line.commands == [command]
    refusing = Line("t0", envelope=False)
    with pytest.raises(T0CommandError):
        refusing(command)
    assert refusing.crossed == []
    assert refusing() == OK  # nothing has happened to the line


@pytest.mark.parametrize("kind", ["t0", "t1"])
def test_the_card_is_told_from_its_own_code(kind):
    line = Line(kind, CardMute())
    with pytest.raises(CardMute):
        line()
    with pytest.raises(LinkBrokenError):
        line()
    line.link.reset(BOTH)
    line.answer = OK
    assert line() == OK


def test_before_a_reset_nothing_can_be_sent():
    link = TpduLink(LinkSettings("t1"), SCARD_READER_CAPABILITIES())
    with pytest.raises(LinkBrokenError):
        next(link.transmit(bytes, SELECT))


# ------------------------------------------------------------------ the ATR the reader sees


@pytest.mark.parametrize("kind", ["t0", "t1"])
def test_an_atr_that_offers_the_protocol_stays(kind):
    assert Line(kind).atr == BOTH


@pytest.mark.parametrize(
    ("kind", "atr"),
    [
        ("t0", Atr.build(protocols=(1,), historical=b"hist", ta1=0x13)),
        ("t1", Atr.build(protocols=(0,), historical=b"hist", ta1=0x13)),
        ("t1", Atr.build(protocols=(0, 1), historical=b"hist", ta1=0x13, ta2=0)),
    ],
)
def test_another_atr_is_made_to_offer_it(kind, atr):
    seen = Atr.parse(Line(kind, atr=atr.raw).atr)
    assert seen.protocols == (int(kind[1]),)
    assert (seen.historical, seen.find("TA", 1)) == (b"hist", 0x13)


def test_what_is_no_atr_is_handed_on():
    line = Line("t1", atr=b"\x3c")
    assert line.atr == b"\x3c"
    with pytest.raises(LinkBrokenError):
        line()


def test_the_atr_says_which_blocks_the_card_takes():
    atr = Atr.build(protocols=(1,), specific=[(4, None, 1)]).raw
    line = Line("t1", atr=atr, ifsd=0)
    assert line() == OK
    assert line.texts == ["> I(0,1)", "< R(1)", "> I(1,0)", "< I(0,0)"]


# ------------------------------------------------------------------ time


@pytest.mark.wdk("t1.s-wtx", "t1.disturbed")
def test_more_time_passes_where_the_card_asks_for_it():
    line = Line("t1", wtx=(1, 2, 5, 30), ifsd=0)
    assert line() == OK
    assert line.waits == pytest.approx([BWT, 2 * BWT, 5 * BWT, 30 * BWT])
    half = Line("t1", wtx=(8,), ifsd=0, busy=0.5)
    half()
    assert half.waits == pytest.approx([4 * BWT])


def test_a_storm_of_requests_for_time_ends():
    line = Line("t1", wtx=itertools.repeat(1), busy=0.0)
    with pytest.raises(T1LostError, match="without end"):
        line()
    assert line.commands == []


@pytest.mark.wdk("t1.disturbed", "t1.retransmission")
def test_a_lost_block_costs_a_waiting_time():
    line = Line("t1", harms=["lose", "", "", "lose"], ifsd=0)
    assert line() == OK
    assert line.waits == pytest.approx([BWT, BWT])
    assert line.commands == [SELECT]


@pytest.mark.wdk("t1.disturbed", "t1.retransmission")
def test_a_spoilt_block_is_asked_for_at_once():
    line = Line("t1", harms=["spoil", "", "", "spoil"], ifsd=0)
    assert line() == OK
    assert line.waits == []
    assert line.texts == [
        "> I(0,0)", "< R(0) EDC error", "> I(0,0)", "< I(0,0)", "> R(0) EDC error", "< I(0,0)",
    ]  # fmt: skip
    assert [harm for *_, harm in line.crossed] == ["spoil", "", "", "spoil", "", ""]


def test_a_block_cut_short_costs_a_character_waiting_time():
    line = Line("t1", harms=["", "cut"], ifsd=0)
    assert line() == OK
    assert line.waits == pytest.approx([CWT], rel=1e-3)


@pytest.mark.wdk("t0.clock", "t0.null")
def test_each_null_is_a_waiting_time():
    line = Line("t0", nulls=2)
    assert line() == OK
    assert line.waits == pytest.approx([2 * WT, 2 * WT])


@pytest.mark.wdk("t0.clock")
@pytest.mark.parametrize("harms", [["lose"], ["", "lose"], ["", "", "lose"], ["cut"]])
def test_t0_has_no_second_try(harms):
    line = Line("t0", harms=harms)
    with pytest.raises(T0LostError) as caught:
        line()
    assert caught.value.mute
    assert line.waits == pytest.approx([WT])
    with pytest.raises(LinkBrokenError):
        line()


def test_a_spoilt_character_of_t0_is_repeated():
    line = Line("t0", harms=["spoil"] * 4)
    assert line() == OK
    assert {harm for *_, harm in line.crossed} == {"spoil"}


def test_silence_for_good():
    line = Line("t1", disturb=lambda to_card, raw: "" if to_card else "lose")
    with pytest.raises(T1LostError) as caught:
        line()
    assert caught.value.mute
    assert len(line.waits) == 3  # the card does not even answer S(IFS request)
    with pytest.raises(LinkBrokenError):
        line()


def test_a_response_is_lost_for_good():
    line = Line("t1", harms=["", "", "", "lose", "", "lose", "", "lose", "", "lose"])
    with pytest.raises(T1UncertainError):
        line()
    assert line() == OK  # in step again
    assert line.commands == [SELECT] * 2


# ------------------------------------------------------------------ PPS


@pytest.mark.wdk("pps.exchanged")
@pytest.mark.parametrize(("kind", "protocol"), [("t0", 0), ("t1", 1)])
def test_a_pps_for_protocol_and_speed(kind, protocol):
    line = Line(kind, atr=Atr.build(protocols=(0, 1), ta1=0x95).raw)
    assert line.select(PTS_DATA(Fl=9, Dl=5)) == Pps(protocol, 0x95)
    assert line.crossed == [("PPS", ">", "request", ""), ("PPS", "<", "response", "")]
    assert line() == OK


@pytest.mark.wdk("pps.refused")
def test_a_card_may_leave_the_speed_out():
    line = Line("t1", atr=Atr.build(protocols=(0, 1), ta1=0x95).raw, pps="slow")
    assert line.select(PTS_DATA(Fl=9, Dl=5)) == Pps(1)


@pytest.mark.wdk("pps.refused")
@pytest.mark.parametrize(
    ("options", "error", "waits"),
    [
        ({"pps": "mute"}, TimeoutError, [0.8928]),
        ({"harms": ["lose"]}, TimeoutError, [0.8928]),
        ({"harms": ["spoil"]}, TimeoutError, [0.8928]),
        ({"harms": ["", "lose"]}, TimeoutError, [0.8928]),
        ({"harms": ["", "spoil"]}, PpsError, []),
        ({"pps": "garbled"}, PpsError, []),
    ],
)
def test_a_pps_may_fail(options, error, waits):
    line = Line("t1", **options)
    with pytest.raises(error):
        line.select()
    assert line.waits == pytest.approx(waits, rel=1e-3)
    with pytest.raises(LinkBrokenError):
        line()


# ------------------------------------------------------------------ anything, disturbed anyhow

HARMS = st.lists(st.sampled_from(["", "", "", "spoil", "lose", "cut"]), max_size=60)
COMMANDS = st.lists(
    st.one_of(
        st.binary(min_size=2, max_size=40),
        st.builds(
            lambda n: bytes.fromhex("00DA0000") + bytes((n,)) + bytes(n), st.integers(1, 255)
        ),
        st.builds(
            lambda n: bytes.fromhex("00DA000000") + n.to_bytes(2, "big") + bytes(n),
            st.integers(1, 600),
        ),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.wdk("t1.disturbed")
@given(commands=COMMANDS, harms=HARMS, size=st.integers(0, 600), crc=st.booleans())
def test_an_apdu_over_t1_gives_the_cards_answer_or_a_typed_error(commands, harms, size, crc):
    line = Line("t1", lambda command: bytes(size) + command[:1] + OK, harms=harms, crc=crc)
    for command in commands:
        before = len(line.commands)
        try:
            assert line(command) == bytes(size) + command[:1] + OK
        except LinkBrokenError:
            assert len(line.commands) == before
        except T1Error:
            assert len(line.commands) <= before + 1
        else:
            assert line.commands[before:] == [command]


@given(
    commands=COMMANDS,
    harms=HARMS,
    size=st.integers(0, 600),
    single=st.booleans(),
    nulls=st.integers(0, 2),
)
def test_an_apdu_over_t0_gives_the_cards_answer_or_a_typed_error(
    commands, harms, size, single, nulls
):
    response = bytes(size) + OK
    line = Line("t0", response, harms=harms, single=single, nulls=nulls)
    for command in commands:
        before = len(line.commands)
        try:
            got = line(command)
            while got[-2] in (0x61, 0x6C):
                ins = b"\0\xc0\0\0" if got[-2] == 0x61 else command[:4]
                got = got[:-2] + line(ins + got[-1:])
        except (LinkBrokenError, T0Error):
            assert len(line.commands) <= before + 1
            continue
        if command[1] & 0xF0 in (0x60, 0x90) or command[0] == 0xFF:
            assert got == b"\x6d\x00"
        elif command[1] not in (0xC0, 0xC2):
            assert got == response
            assert len(line.commands) == before + 1


@given(
    command=st.binary(min_size=2, max_size=600),
    response=st.binary(min_size=2, max_size=70_000),
    ifsc=st.integers(1, 254),
    ifsd=st.integers(1, 254),
)
def test_undisturbed_t1_changes_nothing(command, response, ifsc, ifsd):
    atr = Atr.build(protocols=(1,), specific=[(ifsc, None, None)]).raw
    line = Line("t1", response[: (ifsd * 300)], atr=atr, ifsd=ifsd)
    assert line(command) == response[: (ifsd * 300)]
    assert line.commands == [command]
