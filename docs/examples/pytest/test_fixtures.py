# SPDX-License-Identifier: Apache-2.0
"""What the fixtures of vreader's pytest plugin are for. Run with pytest."""

import os
import subprocess

import pytest

SELECT_PIV = bytes.fromhex("00A4040005A000000308")


# ---- in process
def test_functions_of_pcsc(vreader):
    scard = vreader.scard
    context = scard.SCardEstablishContext()
    (reader,) = scard.SCardListReaders(context)
    card, protocol = scard.SCardConnect(context, reader)
    assert scard.SCardTransmit(card, protocol, SELECT_PIV)[-2:] == b"\x90\x00"


def test_the_card_is_pulled(vreader):
    vreader.remove()
    assert not vreader.places[0].inserted
    vreader.insert()


# ---- pyscard
def test_a_program_on_pyscard(vreader):
    from smartcard.System import readers

    connection = readers()[0].createConnection()
    connection.connect()
    _, sw1, sw2 = connection.transmit(list(SELECT_PIV))
    assert (sw1, sw2) == (0x90, 0x00)


# ---- programs
def name_of_card(**options):
    command = ["opensc-tool", "--reader", "0", "--name"]
    return subprocess.run(command, capture_output=True, text=True, **options).stdout


def test_a_program(vreader_pcsc):
    assert name_of_card() == "Personal Identity Verification Card\n"
    vreader_pcsc.remove()
    assert name_of_card() == ""


def test_a_program_with_an_environment_of_its_own(vreader_pcsc):
    environment = {"PATH": os.environ["PATH"], **vreader_pcsc.environment}
    assert name_of_card(env=environment) == "Personal Identity Verification Card\n"


# ---- PKCS 11
@pytest.fixture
def token(vreader_pcsc):
    import pkcs11

    module = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
    yield next(pkcs11.lib(module).get_tokens())
    pkcs11.unload(module)


@pytest.mark.vreader(card="piv,pin=654321")
def test_the_pin(token):
    import pkcs11

    with pytest.raises(pkcs11.PinIncorrect):
        token.open(user_pin="123456")
    with token.open(user_pin="654321"):
        pass


# ---- a real pcscd
def test_behind_pcscd(vreader_pcscd):
    assert name_of_card() == "Personal Identity Verification Card\n"


# ---- marker
@pytest.mark.vreader(card=["piv", "none"], reader=["Front Desk", "Back Office"])
class TestTwoReaders:
    def test_names(self, vreader):
        names = [place.name for place in vreader.places]
        assert names == ["Front Desk 00 00", "Back Office 00 00"]

    @pytest.mark.vreader(profile="windows")
    def test_as_windows_has_them(self, vreader):
        names = [place.name for place in vreader.places]
        assert names == ["Front Desk 0", "Back Office 0"]


# ---- faults
@pytest.mark.vreader(faults="wrong-sw,sw=6982,on=SELECT")
def test_a_card_that_refuses(vreader):
    from smartcard.System import readers

    connection = readers()[0].createConnection()
    connection.connect()
    assert connection.transmit(list(SELECT_PIV))[1:] == (0x69, 0x82)
    assert connection.transmit(list(SELECT_PIV))[1:] == (0x90, 0x00)


# ---- more worlds
def test_two_computers(vreader, vreader_factory):
    other = vreader_factory("none", reader="Elsewhere")
    socket = vreader_factory("piv", stack="embedded").environment["PCSCLITE_CSOCK_NAME"]
    assert other.places[0].card is None
    assert socket != os.environ.get("PCSCLITE_CSOCK_NAME")


# ---- a shared world
@pytest.fixture(scope="module")
def office():
    import vreader

    with vreader.world("piv", readers="Office", stack="in-process") as world, world.pyscard():
        yield world


def test_the_shared_world(office):
    from smartcard.System import readers

    assert [str(reader) for reader in readers()] == ["Office 00 00"]


# ---- the clock
def test_time_passes_when_the_test_says_so(vreader, vreader_clock):
    vreader_clock.advance(3600)
    assert vreader.host.clock.now() == 3600


# ---- end
