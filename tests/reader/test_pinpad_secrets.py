# SPDX-License-Identifier: Apache-2.0
"""The PIN reaches the card and nothing else: no trace, no log, no error text."""

import logging

import pytest

from vreader.card import CardGone, CardMute, Description
from vreader.errors import UsageError
from vreader.reader.linkspec import LinkSettings
from vreader.trace.jsonl import json_line
from vreader.trace.text import TextFormat
from vreader.wdm import NTSTATUS

VERIFY_CODE, MODIFY_CODE = 0x42330006, 0x42330007
SUCCESS = NTSTATUS.SUCCESS

PIN = "314159"
TRACES = (PIN, PIN.encode().hex(), "".join(f"3{d} " for d in PIN).strip(), "31 41 59", "31415 9")


def gossip(rig, caplog):
    """Everything that anybody is told."""
    text = TextFormat(full=True)
    told = [repr(event) + text(0, event) + json_line(0, event) for event in rig.events]
    return "".join(told) + caplog.text


def assert_kept(rig, caplog, *, events=True):
    said = gossip(rig, caplog)
    assert bool(rig.events) is events
    for trace in TRACES:
        assert trace.lower() not in said.lower()


def chatty(c_apdu, aid):
    """Explain commands by quoting them, as a card kind must not."""
    return Description(c_apdu.hex())


@pytest.mark.wdk("pinpad.secret")
@pytest.mark.parametrize("header", ["0020008008", "8018000108", "00A4040008"])
@pytest.mark.parametrize(
    "script", [b"\x90\x00", b"\x63\xc1", CardMute(), CardGone(), ValueError(PIN)]
)
def test_the_pin_is_told_to_nobody(pinpad, caplog, header, script):
    rig = pinpad(PIN, describe=chatty)
    rig.card.script = [script]
    rig.ioctl(VERIFY_CODE, rig.verify(header + "FF" * 8), 2)
    command = bytes.fromhex(header) + PIN.encode() + b"\xff\xff"
    assert command in rig.card.log
    assert_kept(rig, caplog)
    (apdu,) = rig.apdus
    assert apdu.masked == ((5, 13),)


@pytest.mark.wdk("pinpad.secret")
@pytest.mark.parametrize("kind", ["t0", "t1"])
@pytest.mark.parametrize("traced", [False, True])
def test_nor_does_a_card_below_a_link_tell_it_that_fails(pinpad, caplog, kind, traced):
    rig = pinpad(PIN, link=LinkSettings(kind), traced=traced)
    rig.card.script = [ValueError(PIN)]
    answer = rig.ioctl(VERIFY_CODE, rig.verify("8018000108" + "FF" * 8), 2)
    assert answer == (SUCCESS, b"\x6f\x00")
    assert "ValueError" in caplog.text
    assert_kept(rig, caplog, events=traced)


@pytest.mark.wdk("pinpad.secret")
def test_a_late_answer_does_not_tell_the_pin_that_was_typed_before(pinpad, caplog):
    rig = pinpad(PIN, "271828")
    late = []
    for _ in range(2):
        answer = rig.send(VERIFY_CODE, rig.verify("8018000108" + "FF" * 8), 2)
        (look,) = rig.held()
        look.finish(look.run())
        late += rig.held()
        rig.cancel(answer)
    for work in late:
        work.finish(work.run())
    assert [apdu.masked for apdu in rig.apdus] == [((5, 13),)] * 2
    assert_kept(rig, caplog)


@pytest.mark.parametrize("entries", [(PIN + "0000",), (PIN, PIN, "314158"), (PIN, PIN, PIN)])
def test_nor_are_pins_that_reach_no_card(pinpad, caplog, entries):
    rig = pinpad(*entries)
    rig.ioctl(MODIFY_CODE, rig.modify(), 2)
    assert_kept(rig, caplog)


def test_the_request_buffer_never_holds_it(pinpad):
    rig = pinpad(PIN)
    answer = rig.send(VERIFY_CODE, rig.verify(), 64)
    rig.work()
    assert PIN.encode() not in bytes(answer.irp.SystemBuffer)


@pytest.mark.parametrize("error", [ValueError(PIN), UsageError(PIN), KeyError(PIN)])
def test_a_finger_that_fails_counts_as_the_cancel_key(pinpad, caplog, error):
    rig = pinpad(error)
    with caplog.at_level(logging.ERROR):
        assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (SUCCESS, b"\x64\x01")
    assert type(error).__name__ in caplog.text
    assert_kept(rig, caplog)


def test_a_finger_that_types_letters(pinpad, caplog):
    rig = pinpad("secret")
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (SUCCESS, b"\x64\x01")
    assert "secret" not in gossip(rig, caplog)


def test_shown_on_the_users_explicit_wish(pinpad):
    rig = pinpad(PIN, unmask=True)
    rig.ioctl(VERIFY_CODE, rig.verify(), 2)
    (apdu,) = rig.apdus
    assert PIN.encode() in apdu.command


def test_the_same_command_from_an_application_stays_its_own_affair(pinpad):
    """Hidden is what was typed: the next command is masked by the usual rules alone."""
    rig = pinpad(PIN)
    rig.ioctl(VERIFY_CODE, rig.verify("8018000108" + "FF" * 8), 2)
    rig.apdu(bytes.fromhex("8018000108 4141414141414141"))
    assert rig.apdus[1].masked == ()
