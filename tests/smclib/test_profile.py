# SPDX-License-Identifier: Apache-2.0
"""Where Microsoft's texts disagree or are silent: each option of a profile does what it says."""

import pytest

from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.profile import CONTACT, NFC, PROFILES
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS, IoCompleteRequest

S = NTSTATUS
IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT


def u32(value):
    return value.to_bytes(4, "little")


def test_profiles_are_found_by_name():
    assert {"contact": CONTACT, "nfc": NFC} == PROFILES


@pytest.mark.wdk("transition.absent.insertion")
@pytest.mark.parametrize("state", [CardState.SWALLOWED, CardState.PRESENT])
def test_insertion_state(make_bench, state):
    bench = make_bench(CONTACT._replace(insertion_state=state))
    bench.insert()
    assert bench.state is state


@pytest.mark.wdk("transition.specific.power-down", "ioctl.power.nfc-power-down")
@pytest.mark.parametrize("state", [CardState.SWALLOWED, CardState.PRESENT])
def test_power_down_state(make_bench, state):
    bench = make_bench(CONTACT._replace(power_down_state=state))
    bench.reach(CardState.SPECIFIC)
    assert bench.ioctl(Ioctl.SMARTCARD_POWER, u32(0)) == (S.SUCCESS, b"")
    assert bench.state is state
    assert not bench.ext.CardCapabilities.Protocol.Selected


@pytest.mark.wdk("transition.reset.negotiable", "ioctl.power.nfc-reset", "transition.nfc.resets")
@pytest.mark.parametrize("profile", [CONTACT, NFC], ids=lambda profile: profile.name)
def test_reset_state(make_bench, profile):
    bench = make_bench(profile)
    bench.insert()
    for minor in (1, 2):
        assert bench.power(minor)[0] is S.SUCCESS
        assert bench.state is profile.reset_state


def test_power_down_that_is_not_supported(make_bench):
    bench = make_bench(NFC._replace(power_down_supported=False))
    bench.insert()
    bench.power()
    assert bench.ioctl(Ioctl.SMARTCARD_POWER, u32(0)) == (S.NOT_SUPPORTED, b"")
    assert bench.state is CardState.SPECIFIC


@pytest.mark.wdk("ioctl.nfc.minimum-sizes")
@pytest.mark.parametrize(
    ("code", "data", "out"),
    [
        (Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(Attr.VENDOR_NAME), 0),
        (Ioctl.SMARTCARD_GET_ATTRIBUTE, b"\1\1\1", 32),
        (Ioctl.SMARTCARD_SET_ATTRIBUTE, b"\1\1\1", 0),
        (Ioctl.SMARTCARD_GET_STATE, b"", 3),
        (Ioctl.SMARTCARD_POWER, b"\1\0\0", 33),
        (Ioctl.SMARTCARD_SET_PROTOCOL, b"\1\0\0", 4),
        (Ioctl.SMARTCARD_SET_PROTOCOL, u32(3), 3),
        (Ioctl.SMARTCARD_TRANSMIT, u32(2) + u32(8), 258),
        (Ioctl.SMARTCARD_TRANSMIT, u32(2) + u32(8) + b"\0\xa4\0\0", 9),
    ],
)
def test_minimum_sizes_of_an_nfc_reader(make_bench, code, data, out):
    bench = make_bench(NFC)
    bench.insert()
    bench.power()
    assert bench.ioctl(code, data, out) == (S.INVALID_PARAMETER, b"")


@pytest.mark.wdk("check.tracking.order")
@pytest.mark.parametrize(("busy_first", "status"), [(True, S.DEVICE_BUSY), (False, S.SUCCESS)])
def test_a_satisfied_tracking_request_beside_a_pending_one(make_bench, busy_first, status):
    bench = make_bench(CONTACT._replace(tracking_busy_first=busy_first))
    first = bench.send(IS_PRESENT)
    assert bench.ioctl(IS_ABSENT)[0] is status
    assert bench.ioctl(IS_PRESENT)[0] is S.DEVICE_BUSY
    assert first.status is None


@pytest.mark.wdk("check.set-protocol.specific", "transition.specific.set-protocol")
@pytest.mark.parametrize(
    ("any_mask", "mask", "status"),
    [
        (False, 2, S.SUCCESS),
        (False, 3, S.SUCCESS),
        (False, 0, S.SUCCESS),
        (False, 0x80000000, S.SUCCESS),
        (False, 1, S.NOT_SUPPORTED),
        (True, 1, S.SUCCESS),
    ],
)
def test_set_protocol_in_specific(make_bench, any_mask, mask, status):
    bench = make_bench(CONTACT._replace(specific_any_mask=any_mask))
    bench.reach(CardState.SPECIFIC)
    expected = (status, u32(2) if status is S.SUCCESS else b"")
    assert bench.protocol(mask) == expected
    assert bench.calls == []  # no PTS: the library answers alone
    assert bench.state is CardState.SPECIFIC


@pytest.mark.wdk("check.set-protocol.intersection")
def test_a_protocol_that_card_or_reader_lacks_never_reaches_the_driver(bench):
    bench.reach(CardState.NEGOTIABLE)
    bench.ext.ReaderCapabilities.SupportedProtocols = 1
    assert bench.protocol(2)[0] is S.NOT_SUPPORTED
    assert (bench.calls, bench.state) == ([], CardState.NEGOTIABLE)


@pytest.mark.wdk("attribute.nfc-minimum")
def test_an_nfc_reader_answers_the_minimum_of_attributes(make_bench):
    bench = make_bench(NFC)
    for tag in Attr:
        status, _ = bench.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(tag), 264)
        if tag not in NFC.attributes:
            assert status is S.NOT_SUPPORTED, tag
    assert bench.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(Attr.DEVICE_UNIT), 4)[0] is S.SUCCESS


@pytest.mark.wdk("ioctl.nfc.unsupported")
@pytest.mark.parametrize(
    "code",
    [
        Ioctl.SMARTCARD_EJECT,
        Ioctl.SMARTCARD_SWALLOW,
        Ioctl.SMARTCARD_CONFISCATE,
        Ioctl.SMARTCARD_GET_PERF_CNTR,
    ],
)
def test_what_an_nfc_reader_has_not(make_bench, code):
    bench = make_bench(NFC)
    assert bench.ioctl(code, b"", 12) == (S.NOT_SUPPORTED, b"")


# ------------------------------------------------------------------ the power switch

STANDARD = [
    (Ioctl.SMARTCARD_POWER, u32(1), 33),
    (Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(Attr.VENDOR_NAME), 32),
    (Ioctl.SMARTCARD_SET_ATTRIBUTE, u32(Attr.DEVICE_IN_USE) + u32(1), 0),
    (Ioctl.SMARTCARD_CONFISCATE, b"", 0),
    (Ioctl.SMARTCARD_TRANSMIT, b"", 0),
    (Ioctl.SMARTCARD_EJECT, b"", 0),
    (Ioctl.SMARTCARD_SWALLOW, b"", 0),
    (IS_PRESENT, b"", 0),
    (IS_ABSENT, b"x", 0),
    (Ioctl.SMARTCARD_SET_PROTOCOL, b"", 0),
    (Ioctl.SMARTCARD_GET_STATE, b"", 4),
    (Ioctl.SMARTCARD_GET_LAST_ERROR, b"", 4),
    (Ioctl.SMARTCARD_GET_PERF_CNTR, b"", 12),
]


@pytest.mark.wdk(
    "check.order.powered-off",
    "ioctl.power.powered-off",
    "ioctl.get-attribute.powered-off",
    "ioctl.get-state.powered-off",
    "ioctl.is-present.powered-off",
    "ioctl.transmit.powered-off",
    "ioctl.nfc.radio-off",
    "power.not-d0",
)
@pytest.mark.parametrize(("code", "data", "out"), STANDARD, ids=lambda value: str(value)[:30])
def test_a_radio_that_is_off_goes_before_everything_but_the_lock(make_bench, code, data, out):
    bench = make_bench(NFC)
    bench.ext.OsData.PoweredOff = True
    assert bench.ioctl(code, data, out) == (S.DEVICE_POWERED_OFF, b"")
    bench.ext.OsData.RemoveLock.removed = True
    assert bench.ioctl(code, data, out) == (S.DELETE_PENDING, b"")


def test_the_switch_itself_can_be_reached_while_the_radio_is_off(make_bench):
    bench = make_bench(NFC)
    bench.ext.OsData.PoweredOff = True
    assert bench.ioctl(0x00312000)[0] is S.INVALID_DEVICE_REQUEST
    assert bench.calls == [("vendor", 0x00312000)]


# ------------------------------------------------------------------ who completes a bad request


@pytest.mark.wdk("callback.bad-parameters")
def test_the_driver_completes_requests_with_bad_parameters_where_the_profile_says_so(make_bench):
    bench = make_bench(CONTACT._replace(library_completes=False))
    seen = []

    def control(device, irp):
        status = through(device, irp)
        seen.append((status, irp.completed))
        if not irp.completed:
            IoCompleteRequest(irp)
        return status

    through = bench.driver.MajorFunction[0x0E]
    bench.driver.MajorFunction[0x0E] = control
    assert bench.ioctl(Ioctl.SMARTCARD_POWER, b"", 33) == (S.INVALID_PARAMETER, b"")
    assert bench.ioctl(Ioctl.SMARTCARD_GET_STATE, b"", 3) == (S.BUFFER_TOO_SMALL, b"")
    assert bench.ioctl(Ioctl.SMARTCARD_GET_STATE, b"", 4)[0] is S.SUCCESS
    assert seen == [
        (S.INVALID_PARAMETER, False),
        (S.BUFFER_TOO_SMALL, False),
        (S.SUCCESS, True),
    ]


# ------------------------------------------------------------------ confiscate, eject, swallow


@pytest.mark.wdk("ioctl.confiscate", "callback.card-confiscate", "attribute.icc-presence")
def test_a_confiscated_card_is_kept_and_said_to_be(bench):
    def confiscate(ext):
        from vreader.smclib.library import set_state
        from vreader.smclib.states import ReaderEvent

        ext.ReaderCapabilities.CardConfiscated = True
        return set_state(ext, ReaderEvent.CONFISCATE)

    assert bench.ioctl(Ioctl.SMARTCARD_CONFISCATE)[0] is S.NOT_SUPPORTED
    bench.ext.ReaderFunction[RDF.CARD_CONFISCATE] = confiscate
    assert bench.ioctl(Ioctl.SMARTCARD_CONFISCATE)[0] is S.NO_MEDIA
    bench.reach(CardState.SPECIFIC)
    assert bench.ioctl(Ioctl.SMARTCARD_CONFISCATE) == (S.SUCCESS, b"")
    assert bench.state is CardState.ABSENT
    presence = u32(Attr.ICC_PRESENCE)
    assert bench.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, presence, 1) == (S.SUCCESS, b"\4")


@pytest.mark.wdk(
    "ioctl.eject.io-timeout", "ioctl.swallow.io-timeout", "callback.card-eject",
    "callback.reader-swallow",
)  # fmt: skip
@pytest.mark.parametrize(
    ("code", "index"),
    [
        (Ioctl.SMARTCARD_EJECT, RDF.CARD_EJECT),
        (Ioctl.SMARTCARD_SWALLOW, RDF.READER_SWALLOW),
        (Ioctl.SMARTCARD_CONFISCATE, RDF.CARD_CONFISCATE),
    ],
)
def test_a_jammed_motor_reaches_the_caller(bench, code, index):
    bench.ext.ReaderFunction[index] = lambda ext: S.IO_TIMEOUT
    bench.insert()
    assert bench.ioctl(code) == (S.IO_TIMEOUT, b"")


# ------------------------------------------------------------------ what only a driver knows


@pytest.mark.wdk(
    "attribute.esc-reset", "attribute.esc-cancel", "attribute.esc-authrequest",
    "attribute.maxinput",
)  # fmt: skip
@pytest.mark.parametrize(
    "tag", [Attr.ESC_RESET, Attr.ESC_CANCEL, Attr.ESC_AUTHREQUEST, Attr.MAXINPUT]
)
def test_a_vendors_attributes_are_the_drivers(bench, tag):
    assert bench.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(tag), 4) == (S.NOT_SUPPORTED, b"")
    bench.ext.VendorAttributes[tag] = b"\x10\0\0\0"
    assert bench.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(tag), 4) == (S.SUCCESS, b"\x10\0\0\0")
