# SPDX-License-Identifier: Apache-2.0
"""Whole runs: our readers pass; a driver that hangs, dies or cannot be made fails, and no more."""

import threading

import pytest

from vreader.certify import PARTS, Outcome, certify, select
from vreader.certify.run import MAX_HANGS
from vreader.errors import UsageError
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Protocol
from vreader.smclib.profile import CONTACT, NFC
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

READERS = {
    "contact": {},
    "nfc": {"profile": NFC},
    "t0": {"link": "t0"},
    "t1": {"link": "t1"},
    "t1 with a CRC": {"link": "t1,crc"},
    "t1 at 32 bytes": {"link": "t1,ifsd=0"},
    "pscr": {
        "profile": CONTACT._replace(
            insertion_state=CardState.PRESENT,
            power_down_state=CardState.PRESENT,
            specific_any_mask=True,
            tracking_busy_first=False,
        )
    },
    "kmdf": {
        "profile": CONTACT._replace(
            asleep_waits=True,
            library_completes=False,
            removed_status=NTSTATUS.DELETE_PENDING,
            stopped_status=NTSTATUS.DEVICE_POWERED_OFF,
            vanished_reset=NTSTATUS.SUCCESS,
        )
    },
    "NFC class extension": {"profile": NFC._replace(power_down_supported=False)},
}


@pytest.mark.wdk(
    "certify.part-a",
    "certify.part-b",
    "certify.part-c",
    "certify.part-d",
    "certify.part-e",
    "certify.part-f",
    "certify.monitor",
    "certify.packets",
    "certify.conventions",
    "certify.modes",
    "certify.reset",
    "certify.virtual-reader",
)
@pytest.mark.parametrize("options", READERS.values(), ids=READERS)
def test_the_virtual_reader_passes(options):
    certificate = certify(**options)
    failed = {r.check.id: r.message for r in certificate.results if r.outcome is Outcome.FAILED}
    assert failed == {}
    assert certificate.passed
    assert len(certificate.results) == len(select())


@pytest.mark.wdk("certify.wtx")
def test_waiting_time_extensions_are_granted():
    assert certify(link="t1,wtx=1+2+5+30,busy=0", only=["C", "D"]).passed


@pytest.mark.wdk("certify.virtual-reader")
def test_what_does_not_apply_is_left_out():
    contactless = outcomes(certify(profile=NFC))
    assert contactless["D.inverse-convention"] is Outcome.NOT_APPLICABLE
    assert contactless["B.contactless-minimum"] is Outcome.PASSED
    t0 = outcomes(certify(link="t0"))
    assert t0["D.packets-of-258-bytes"] is Outcome.NOT_APPLICABLE
    assert t0["D.t0-answer-of-258-bytes"] is Outcome.PASSED
    assert outcomes(certify())["B.contactless-minimum"] is Outcome.NOT_APPLICABLE


def outcomes(certificate):
    return {result.check.id: result.outcome for result in certificate.results}


@pytest.mark.parametrize(
    ("only", "count"),
    [
        (["A"], len(PARTS[0].checks)),
        (["A", "B"], len(PARTS[0].checks) + len(PARTS[1].checks)),
        (["D.mute-card", "A.cancel"], 2),
        (["A", "A.cancel"], len(PARTS[0].checks)),
    ],
)
def test_a_selection(only, count):
    assert len(select(only)) == count
    assert [r.check for r in certify(only=only).results] == select(only)


@pytest.mark.parametrize("only", ["", "Z", "a", "A.nothing", "AB"])
def test_a_selection_of_nothing_is_an_error(only):
    with pytest.raises(UsageError) as caught:
        certify(only=[only])
    assert "A.cancel" in caught.value.hint


def test_requirements_and_ids():
    checks = select()
    assert len({check.id for check in checks}) == len(checks)
    assert [part.letter for part in PARTS] == list("ABCDEF")
    for check in checks:
        assert check.id[0] in "ABCDEF"
        assert check.id[1] == "."
        assert check.title
        assert check.requirement
        assert check.protocols in Protocol.T0 | Protocol.T1
    named = {check.requirement.rpartition(".")[2] for check in checks}
    assert {
        "SupportsInsertionAndRemovalMonitor",
        "Supports258And259BytePackets",
        "SupportsDirectAndInverseConvention",
        "SupportsNegotiableAndSpecificModes",
        "SupportsResetCommand",
    } <= named


# ---------------------------------------------------------------------- drivers that are no good


def test_a_driver_that_cannot_be_loaded():
    class Hopeless(VirtualReader):
        service, inf = "hopeless", None

        def Initialize(self, ext, pdo):
            return NTSTATUS.INSUFFICIENT_RESOURCES

    certificate = certify(Hopeless, only=["A"])
    assert certificate.profile == ""
    assert {r.outcome for r in certificate.results} == {Outcome.FAILED}
    assert all("no reader can be made" in r.message for r in certificate.results)
    assert "INSUFFICIENT_RESOURCES" in certificate.results[0].message


def test_a_driver_that_needs_arguments():
    class Demanding(VirtualReader):
        service, inf = "demanding", None

        def __init__(self, what):
            self.what = what

    (result,) = certify(Demanding, only=["A.cancel"]).results
    assert "TypeError" in result.message


def test_a_driver_that_raises_is_told_where():
    class Raising(VirtualReader):
        service, inf = "raising", None

        def RDF_CARD_POWER(self, ext):
            return {}["no such\nkey"]

    (result,) = certify(Raising, only=["C.cold-reset"]).results
    assert "KeyError" in result.message
    assert "test_run.py:" in result.message
    assert "\n" not in result.message


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("method", ["Initialize", "RDF_CARD_POWER"])
def test_whatever_a_driver_raises_is_told(method, error):
    def fail(*_):
        raise error

    driver = type("Ending", (VirtualReader,), {"service": "ending", "inf": None, method: fail})
    (result,) = certify(driver, only=["C.cold-reset"]).results
    assert f"the driver raised {type(error).__name__}" in result.message


def test_a_drivers_words_fit_on_a_line_of_a_terminal():
    class Wordy(VirtualReader):
        service, inf = "wordy", None

        def RDF_CARD_POWER(self, ext):
            raise ValueError("a\nb\x1b[31m\udc80")

    (result,) = certify(Wordy, only=["C.cold-reset"]).results
    assert "ValueError: a b\ufffd[31m\ufffd (" in result.message


@pytest.mark.parametrize("method", ["AddDevice", "EnterD0", "DispatchClose", "Unload"])
def test_a_driver_that_hangs_everywhere_is_not_waited_for_in_every_check(method):
    let_go = threading.Event()

    def hang(self, *arguments):
        let_go.wait()
        return getattr(VirtualReader, method)(self, *arguments)

    name = f"hangs{method.lower()}"
    driver = type("Hanging", (VirtualReader,), {"service": name, "inf": None, method: hang})
    try:
        certificate = certify(driver, patience_s=0.01)
    finally:
        let_go.set()
    assert certificate.failed == [check.id for check in select()]
    messages = [result.message for result in certificate.results]
    assert all("the driver hangs" in message for message in messages[:MAX_HANGS])
    assert set(messages[MAX_HANGS:]) == {f"not tried: the driver has hung {MAX_HANGS} times"}


def test_a_card_that_the_driver_does_not_wait_for_is_told_of_the_driver():
    """The place is the driver's own line, not that of the test card which raised."""

    class Careless(VirtualReader):
        service, inf = "careless", None

        def RDF_TRANSMIT(self, ext):
            ext.ReaderExtension.card.transmit(b"")

    (result,) = certify(Careless, only=["D.mute-card"]).results
    assert f"CardMute: ({__file__}:" in result.message


def test_a_driver_that_hangs_holding_the_lock():
    let_go = threading.Event()

    class Hanging(VirtualReader):
        service, inf = "hanging", None

        def RDF_CARD_POWER(self, ext):
            let_go.wait()
            return NTSTATUS.IO_TIMEOUT

    try:
        certificate = certify(Hanging, only=["C.cold-reset", "C.absent"], patience_s=0.1)
    finally:
        let_go.set()
    assert certificate.failed == ["C.cold-reset"]
    (message,) = (r.message for r in certificate.results if r.outcome is Outcome.FAILED)
    assert message.startswith(f"the driver hangs in RDF_CARD_POWER ({__file__}:")


def test_a_crash_on_a_thread_of_the_drivers_own():
    """The bug check is not lost with the thread, and not waited for in vain."""

    class Crashing(VirtualReader):
        service, inf = "crashing", None

        def RDF_TRANSMIT(self, ext):
            io = ext.ReaderExtension.io

            def crash():
                raise LookupError("on another thread")

            threading.Thread(target=io.run_locked, args=(crash,), daemon=True).start()
            io.queue_work(lambda: None, lambda _: None)
            ext.OsData.CurrentIrp.stack[ext.OsData.CurrentIrp.current].Control |= 1
            return NTSTATUS.PENDING

    (result,) = certify(Crashing, only=["D.four-cases"], patience_s=30).results
    assert "LookupError: on another thread" in result.message


def test_the_clock_of_a_driver_is_watched_too():
    class LateCrash(VirtualReader):
        service, inf = "late", None

        def RDF_TRANSMIT(self, ext):
            def crash():
                raise LookupError("when its time came")

            ext.ReaderExtension.clock.call_at(0.0, crash)
            ext.OsData.CurrentIrp.stack[ext.OsData.CurrentIrp.current].Control |= 1
            return NTSTATUS.PENDING

    (result,) = certify(LateCrash, only=["D.four-cases"], patience_s=30).results
    assert "LookupError: when its time came" in result.message
