# SPDX-License-Identifier: Apache-2.0
"""The fixtures, with all that uses smart cards: our API, pyscard, PKCS #11 bindings, programs.

Tests that use libpcsclite run in a process of their own: it knows one socket for all its life.
"""

import pytest

SELECT = 'bytes.fromhex("00A4040005A000000308")'


def test_our_api_in_process(pytester):
    pytester.makepyfile(f"""
        import pytest
        from vreader.winscard.codes import ScardError

        seen = []

        def select(world, reader=0):
            scard = world.scard
            context = scard.SCardEstablishContext()
            card, protocol = scard.SCardConnect(context, world.places[reader].name)
            return scard.SCardTransmit(card, protocol, {SELECT})

        @pytest.mark.parametrize("time", range(2))
        def test_a_fresh_world_each_time(vreader, time):
            assert select(vreader)[-2:] == b"\\x90\\0"
            seen.append(vreader)
            assert seen.count(vreader) == 1

        def test_it_ends_with_its_test(vreader):
            with pytest.raises(ScardError):
                select(seen[0])

        def test_its_clock(vreader_clock, vreader):
            assert vreader.host.clock is vreader_clock
            before = vreader_clock.now()
            vreader_clock.advance(5)
            assert vreader.host.clock.now() == before + 5

        def test_two_worlds(vreader, vreader_factory):
            other = vreader_factory("none", "piv", reader=["A", "B"])
            assert select(other, 1) == select(vreader)
            vreader.remove()
            assert other.places[1].reader.card is not None

        def test_a_world_of_the_factory_that_cannot_be(vreader_factory):
            from vreader.errors import UsageError
            for wrong in ({{"stack": "x"}}, {{"crad": "piv"}}, {{"card": "pvi"}}):
                with pytest.raises(UsageError) as caught:
                    vreader_factory(**wrong)
                assert caught.value.hint
            with pytest.raises(UsageError, match="clock"):
                vreader_factory(stack="embedded", clock=object())

        @pytest.mark.xfail(strict=True, raises=pytest.fail.Exception)
        def test_a_clock_for_nobody(vreader_clock, vreader_pcsc):
            pass
    """)
    pytester.runpytest().assert_outcomes(passed=6, xfailed=1)


def test_faults(run):
    run(f"""
        import pytest
        from vreader.reader.faults import Fault, FaultPlan
        from vreader.winscard.codes import ScardError

        def select(world):
            scard = world.scard
            context = scard.SCardEstablishContext()
            card, protocol = scard.SCardConnect(context, world.places[0].name)
            return scard.SCardTransmit(card, protocol, {SELECT})

        @pytest.mark.vreader(faults="wrong-sw,sw=6982,on=SELECT")
        def test_a_text(vreader):
            assert select(vreader) == b"\\x69\\x82"
            assert select(vreader)[-2:] == b"\\x90\\0"

        @pytest.mark.vreader(faults=[FaultPlan(Fault.MUTE), "wrong-sw"])
        def test_plans_in_their_order(vreader):
            with pytest.raises(ScardError):
                select(vreader)
            assert select(vreader) == b"\\x6F\\0"

        @pytest.mark.vreader(card=["piv", "piv"], faults="mute,reader=1")
        def test_one_of_two_readers(vreader):
            assert select(vreader)[-2:] == b"\\x90\\0"
            assert [len(place.faults) for place in vreader.places] == [0, 1]

        @pytest.mark.vreader(faults=[FaultPlan(Fault.SLOW, seconds=0.5)])
        def test_in_the_helper(vreader_pcsc):
            assert [str(fault.plan) for fault in vreader_pcsc.faults()] == ["slow,seconds=0.5"]
    """).assert_outcomes(passed=4)


def test_our_api_on_systems_without_unix_sockets(run, pytester):
    pytester.makeconftest("""
        import socket, sys
        import pytest

        @pytest.fixture(autouse=True, scope="session")
        def windows():
            with pytest.MonkeyPatch.context() as patch:
                for name in ("fcntl", "pwd", "resource"):
                    patch.setitem(sys.modules, name, None)
                patch.delattr(socket, "AF_UNIX")
                patch.setattr(sys, "platform", "win32")
                yield
    """)
    result = run("""
        def test_it(vreader):
            vreader.remove()

        def test_that_fails(vreader):
            assert False

        def test_that_cannot_be(request):
            request.getfixturevalue("vreader_pcsc")
    """, "-rs")  # fmt: skip
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["last events:", "SKIPPED*need Linux; the fixture vreader does not"]
    )


PCSC = """
import os
import subprocess
import pytest

NAME = ["opensc-tool", "--reader", "0", "--name"]

def name(**more):
    done = subprocess.run(NAME, capture_output=True, text=True, timeout=60, **more)
    return done.stdout.strip()

PIV = "Personal Identity Verification Card"
"""


def test_programs(run, need):
    need("opensc-tool", "opensc")
    run(
        PCSC
        + """
def test_by_the_environment_of_this_process(vreader_pcsc):
    assert name() == PIV
    vreader_pcsc.remove()
    assert name() == ""

def test_by_an_environment_of_its_own(vreader_pcsc):
    path = vreader_pcsc.environment["PCSCLITE_CSOCK_NAME"]
    assert path != os.environ["PCSCLITE_CSOCK_NAME"]
    assert name(env={"PATH": os.environ["PATH"], **vreader_pcsc.environment}) == PIV

@pytest.mark.vreader("none")
def test_worlds_of_the_factory(vreader_pcsc, vreader_factory):
    other = vreader_factory("piv", stack="embedded")
    assert name() == ""
    assert name(env={**os.environ, **other.environment}) == PIV

def test_a_program_that_crashes(vreader_pcsc):
    program = "opensc-tool --reader 0 --wait & kill -SEGV $!; wait $!; kill -SEGV $$"
    assert subprocess.run(["sh", "-c", program]).returncode == -11
    assert name() == PIV

def test_what_is_left():
    assert not os.path.exists(os.environ["PCSCLITE_CSOCK_NAME"])
"""
    ).assert_outcomes(passed=5)


def test_bindings_that_load_the_library(run, opensc, need_package):
    """PyKCS11 keeps the interpreter's lock while it waits: the card answers from elsewhere."""
    for package in ("PyKCS11", "pkcs11"):
        need_package(package)
    run(f"""
        import pytest

        MODULE = {opensc!r}

        @pytest.mark.parametrize("time", range(2))
        def test_pykcs11(vreader_pcsc, time):
            import PyKCS11
            lib = PyKCS11.PyKCS11Lib()
            lib.load(MODULE)
            slot, = lib.getSlotList(tokenPresent=True)
            session = lib.openSession(slot)
            session.login("123456")
            session.logout()
            session.closeSession()
            vreader_pcsc.remove()
            assert lib.getSlotList(tokenPresent=True) == []

        @pytest.fixture
        def token(vreader_pcsc):
            import pkcs11
            yield next(pkcs11.lib(MODULE).get_tokens())
            pkcs11.unload(MODULE)

        @pytest.mark.parametrize("time", range(2))
        def test_python_pkcs11(token, time):
            import pkcs11
            with pytest.raises(pkcs11.PinIncorrect):
                token.open(user_pin="999999")
            with token.open(user_pin="123456"):
                pass
    """).assert_outcomes(passed=4)


@pytest.mark.pcscd
def test_a_real_pcscd(run, need):
    need("opensc-tool", "opensc")
    need("pcscd", "pcscd vsmartcard-vpcd")
    run(PCSC + """
@pytest.mark.parametrize("time", range(2))
def test_it(vreader_pcscd, time):
    assert name() == PIV
    vreader_pcscd.remove()
    assert name() == ""

def test_not_both(vreader_pcscd, request):
    with pytest.raises(pytest.fail.Exception, match="one world at a time"):
        request.getfixturevalue("vreader_pcsc")
    assert name() == PIV
""", "--vreader-require").assert_outcomes(passed=3)  # fmt: skip


def test_whichever_tests_come_before(run, opensc):
    """The library sees worlds alone in a run that has any; and nothing where there are none."""
    run("""
        import ctypes

        def readers():
            library = ctypes.CDLL("libpcsclite.so.1")
            return library.SCardEstablishContext(2, None, None, ctypes.byref(ctypes.c_long()))

        def test_without_a_world():
            assert readers() & 0xFFFFFFFF == 0x8010001D

        def test_with_one(vreader_pcsc):
            context, library = ctypes.c_long(), ctypes.CDLL("libpcsclite.so.1")
            assert library.SCardEstablishContext(2, None, None, ctypes.byref(context)) == 0
            library.SCardReleaseContext(context)
    """).assert_outcomes(passed=2)


def test_a_library_that_was_used_before(run, opensc):
    """Its first use decides about its socket for good; that is said, not waited for."""
    result = run("""
        import ctypes
        import pytest

        library = ctypes.CDLL("libpcsclite.so.1")
        library.SCardEstablishContext(2, None, None, ctypes.byref(ctypes.c_long()))

        def test_it(vreader_pcsc):
            pass

        def test_again(vreader_pcsc):
            pass
    """)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["vreader: libpcsclite was used in this process before*", "hint: *vreader_factory*"] * 2
    )
