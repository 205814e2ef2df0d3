# SPDX-License-Identifier: Apache-2.0
"""Requests that wait until their reader is awake."""

import pytest

from vreader.smclib.ioctl import Ioctl
from vreader.smclib.profile import CONTACT
from vreader.wdm import NTSTATUS

STATE = (Ioctl.SMARTCARD_GET_STATE, b"", 4)
COLD = (Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)


@pytest.fixture
def sleeper(make_rig):
    rig = make_rig(CONTACT._replace(asleep_waits=True))
    rig.insert()
    rig.pnp.set_power(rig.pdo, 3)
    rig.work()
    return rig


@pytest.mark.wdk("power.not-d0")
def test_a_request_for_the_card_waits_until_the_reader_wakes(sleeper):
    waiting = sleeper.start_power()
    assert waiting.status is None
    assert sleeper.ioctl(*STATE)[0] is NTSTATUS.SUCCESS  # the library needs no power to answer
    sleeper.pnp.set_power(sleeper.pdo, 0)
    sleeper.work()
    assert (waiting.status, waiting.data) == (NTSTATUS.SUCCESS, bytes.fromhex("3B80800101"))


def test_what_waits_for_d0_meets_the_state_it_finds_then(sleeper):
    waiting = sleeper.start_power()
    sleeper.remove()
    sleeper.pnp.set_power(sleeper.pdo, 0)
    assert waiting.status is NTSTATUS.NO_MEDIA


def test_what_waits_for_d0_can_be_cancelled_and_closed(sleeper):
    one, other = sleeper.start_power(), sleeper.start_power()
    assert sleeper.cancel(one)
    assert (one.status, other.status) == (NTSTATUS.CANCELLED, None)
    sleeper.io.close_handle(sleeper.handle)
    assert other.status is NTSTATUS.CANCELLED


def test_a_sleeping_reader_pulled_out_lets_nobody_wait(sleeper):
    waiting = sleeper.start_power()
    sleeper.pnp.surprise_removal(sleeper.pdo)
    assert waiting.status is NTSTATUS.DEVICE_REMOVED


def test_who_is_answered_on_waking_may_cancel_who_still_waits(make_rig):
    rig = make_rig(CONTACT._replace(asleep_waits=True))
    rig.pnp.set_power(rig.pdo, 3)
    told = []

    def first(status, output):
        told.append(status)
        rig.cancel(second)
        rig.io.close_handle(rig.handle)

    rig.io.device_io_control(rig.handle, *COLD, first)
    second, third = rig.start_power(), rig.start_power()
    rig.pnp.set_power(rig.pdo, 0)
    assert told == [NTSTATUS.NO_MEDIA]
    assert second.status is third.status is NTSTATUS.CANCELLED


def test_a_reader_stopped_by_the_first_it_serves_lets_the_others_wait(make_rig):
    rig = make_rig(CONTACT._replace(asleep_waits=True))
    rig.pnp.set_power(rig.pdo, 3)

    def first(status, output):
        assert rig.pnp.query_stop(rig.pdo)
        rig.pnp.stop(rig.pdo)

    rig.io.device_io_control(rig.handle, *COLD, first)
    second = rig.start_power()
    rig.pnp.set_power(rig.pdo, 0)
    assert second.status is None
    rig.pnp.start(rig.pdo)
    assert second.status is NTSTATUS.NO_MEDIA
