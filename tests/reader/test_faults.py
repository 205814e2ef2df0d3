# SPDX-License-Identifier: Apache-2.0
"""Plans of faults: how they are written, which commands they fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.reader.faults import ALWAYS, FAULTS, Fault, FaultPlan

SELECT = bytes.fromhex("00A4040005A000000308")
VERIFY = bytes.fromhex("0020008008313233343536FFFF")
OWN_KEYS = {
    Fault.MUTE: {"executed": st.booleans()},
    Fault.REMOVE_MID_APDU: {"executed": st.booleans()},
    Fault.WRONG_SW: {"executed": st.booleans(), "sw": st.integers(0, 0xFFFF)},
    Fault.TRUNCATE: {"bytes": st.none() | st.integers(0, 300)},
    Fault.SLOW: {"seconds": st.floats(0, 1e6)},
    Fault.RESET_BY_OTHER: {},
    Fault.POWER_LOSS: {"when": st.sampled_from(["before", "after"])},
    Fault.GARBLE_ATR: {"bytes": st.none() | st.integers(0, 33)},
    Fault.BAD_BLOCK: {
        "harm": st.sampled_from(["spoil", "lose", "cut"]),
        "blocks": st.integers(1, 9),
    },
}


@st.composite
def plans(draw):
    fault = draw(st.sampled_from(Fault))
    given = {name: draw(values) for name, values in OWN_KEYS[fault].items()}
    if fault is not Fault.GARBLE_ATR:
        given["on"] = draw(st.sampled_from([None, "VERIFY", "20", "00A40400", "get data"]))
    return FaultPlan(
        fault,
        after=draw(st.integers(0, 9)),
        times=draw(st.integers(1, 9) | st.just(ALWAYS)),
        reader=draw(st.sampled_from([None, "0", "Virtual Reader 00 00"])),
        **given,
    )


@given(plans())
def test_text_and_back(plan):
    assert FaultPlan.parse(str(plan)) == plan


WORDS = [
    "mute", "slow", "wrong-sw", "on", "after", "times", "sw", "seconds", "=", ",", " ", "1e9",
    "\u0663", "6F00", "nan", "VERIFY", "always", "9" * 5000,
]  # fmt: skip


@given(st.text() | st.lists(st.sampled_from(WORDS)).map("".join))
def test_any_text_is_a_plan_or_a_usage_error(text):
    try:
        assert isinstance(FaultPlan.parse(text), FaultPlan)
    except UsageError as error:
        told = error.hint
        assert told


def test_every_fault_is_explained():
    assert list(FAULTS) == list(Fault)
    assert [FaultPlan.parse(fault.name).fault for fault in Fault] == list(Fault)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("mut", "unknown fault 'mut'", "did you mean mute?; faults: mute, remove-mid-apdu"),
        ("", "unknown fault ''", "bad-block"),
        ("mute,sw=6F00", "mute takes no 'sw'", "executed=…, on=…, after=…, times=…"),
        ("wrong-sw,tims=2", "takes no 'tims'", "did you mean times?"),
        ("wrong-sw,sw=xyz", "sw=xyz", "sw=6983"),
        ("wrong-sw,sw=6", "sw=6", "sw=6983"),
        ("wrong-sw,executed=maybe", "executed=maybe", "yes or no"),
        ("mute,after", "after of mute has no value", "on=…"),
        ("mute,after=-1", "after=-1", "from 0 on"),
        ("mute,times=0", "times=0", "from 1 on, or always"),
        ("mute,times=2,times=3", "twice", "once"),
        ("mute,on=VERFY", "on=VERFY", "did you mean VERIFY?"),
        ("mute,on=0x20", "on='0x20' names no command", "two hex digits"),
        ("mute,on=2", "on='2' names no command", "two hex digits"),
        ("mute,on=00A4 0400", "on='00A4 0400' names no command", "a C-APDU"),
        ("garble-atr,on=VERIFY", "takes no on", "resets"),
        ("slow,seconds=nan", "seconds=nan", "seconds=2.5"),
        ("slow,seconds=-1", "seconds=-1", "seconds=2.5"),
        ("power-loss,when=befor", "when=befor", "did you mean before?"),
        ("bad-block,harm=loose", "harm=loose", "spoil or lose or cut"),
        ("bad-block,blocks=0", "blocks=0", "from 1 on"),
    ],
)
def test_what_is_no_plan_is_told_the_choices(text, message, hint):
    with pytest.raises(UsageError) as caught:
        FaultPlan.parse(text)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_plan_takes_what_its_fault_takes():
    with pytest.raises(UsageError, match="mute takes no sw"):
        FaultPlan(Fault.MUTE, sw=0x6983)
    with pytest.raises(UsageError, match="'mute' is no fault"):
        FaultPlan("mute")


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        (Fault.WRONG_SW, {"sw": 1.5}),
        (Fault.WRONG_SW, {"sw": True}),
        (Fault.SLOW, {"seconds": True}),
        (Fault.MUTE, {"executed": "no"}),  # which would be true
        (Fault.MUTE, {"on": 5}),
        (Fault.MUTE, {"after": 10**12}),
        (Fault.MUTE, {"reader": "a,b"}),
        (Fault.MUTE, {"reader": 1.5}),
        (Fault.POWER_LOSS, {"when": 3}),
    ],
)
def test_values_of_another_kind_are_refused(fault, options):
    with pytest.raises(UsageError, match=next(iter(options))) as caught:
        FaultPlan(fault, **options)
    assert caught.value.hint


def test_numbers_of_readers_and_spaces_may_be_written_either_way():
    plan = FaultPlan(Fault.MUTE, reader=1, on="VERIFY")
    assert plan == FaultPlan.parse(str(plan)) == FaultPlan.parse("mute, on=VERIFY, reader=1")


@pytest.mark.parametrize(
    ("on", "command", "text", "fits"),
    [
        (None, SELECT, "", True),
        ("VERIFY", VERIFY, "", True),
        ("verify", VERIFY, "", True),
        ("VERIFY", SELECT, "", False),
        ("PIV PIN", VERIFY, "VERIFY PIV PIN", True),
        ("PIV", VERIFY, "VERIFY PIVOT", False),
        ("SIGN", bytes.fromhex("0087119A00"), "", True),
        ("sign", bytes.fromhex("002A9E9A00"), "", True),
        ("SIGN", bytes.fromhex("002A808600"), "DECIPHER", False),
        ("PERFORM SECURITY OPERATION", bytes.fromhex("002A808600"), "DECIPHER", True),
        ("20", VERIFY, "", True),
        ("20", SELECT, "", False),
        ("00200080", VERIFY, "", True),
        ("0020008008", VERIFY, "", True),
        ("00200081", VERIFY, "", False),
        ("VERIFY", b"\x00", "", False),
    ],
)
def test_which_commands_fit(on, command, text, fits):
    assert FaultPlan(Fault.MUTE, on=on).fits(command, lambda: text) is fits


def test_the_trace_is_not_told_the_command():
    plan = FaultPlan.parse("wrong-sw,on=0020008008313233343536FFFF")
    assert plan.effect == "sw=6F00,executed=no"


@pytest.mark.parametrize(
    ("on", "masked"),
    [
        ("0020008008313233343536FFFF", "on=0020008008…"),
        ("00200080", "on=00200080"),
        ("20", "on=20"),
    ],
)
def test_a_report_is_told_no_data_of_a_command(on, masked):
    assert FaultPlan.parse(f"mute,on={on},after=2").masked == f"mute,{masked},after=2"
