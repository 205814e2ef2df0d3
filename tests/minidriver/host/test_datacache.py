# SPDX-License-Identifier: Apache-2.0
"""What is read once, what is read again, and how two processes learn of each other's changes."""

import pytest
from memory_card import CARD_ID

from vreader.minidriver.abi.codes import CacheMode, KeySpec
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host.datacache import Kind
from vreader.winscard.codes import SCARD
from vreader.winscard.profile import PCSCLITE

DER = b"0 a certificate"
FIRST_READS = ["CardReadFile", "CardReadFile"]  # cardid, cardcf


@pytest.fixture
def filled(desk):
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256)
    provider.write_certificate(DER)
    desk.wait()
    return provider


def reads(desk, call):
    """Return the functions that a call in a transaction of its own makes."""
    desk.wait()
    desk.module.called.clear()
    call()
    return [name for name in desk.module.called if name != "CardDeauthenticateEx"]


def look(provider):
    provider.containers()
    provider.certificate()


@pytest.mark.parametrize("mode", [CacheMode.GLOBAL_CACHE, CacheMode.SESSION_ONLY])
def test_a_new_transaction_reads_the_counters_alone(desk, filled, mode):
    desk.module.cache_mode = mode
    provider = desk.open()
    look(provider)
    assert reads(desk, lambda: look(provider)) == ["CardReadFile"]


def test_without_a_cache_everything_is_read(desk, filled):
    desk.module.cache_mode = CacheMode.NO_CACHE
    provider = desk.open()
    look(provider)
    assert reads(desk, provider.containers) == ["CardReadFile"] * 2 + ["CardGetContainerInfo"]


def test_the_global_cache_is_everybodys_and_that_of_the_session_is_not(desk, filled):
    look(filled)
    other = desk.open()
    found = reads(desk, lambda: look(other))
    assert [name for name in found if name == "CardReadFile"] == FIRST_READS
    assert "CardGetContainerInfo" not in found
    desk.module.cache_mode = CacheMode.SESSION_ONLY
    assert "CardGetContainerInfo" in reads(desk, lambda: look(desk.open()))


@pytest.mark.parametrize("mode", [CacheMode.GLOBAL_CACHE, CacheMode.SESSION_ONLY])
def test_two_processes_invalidate_each_other(desk, filled, mode):
    desk.module.cache_mode = mode
    one, other = desk.open(), desk.open()
    for provider in (one, other):
        desk.wait()
        assert len(provider.containers()) == 1
        assert provider.certificate() == DER
    desk.wait()
    one.write_certificate(DER + b"!")
    desk.wait()
    assert other.certificate() == DER + b"!"
    other.generate(KeySpec.ECDSA_P256, name="second")
    desk.wait()
    assert [container.name for container in one.containers()][1] == "second"


def test_what_is_known_of_a_pin_is_cached(desk, filled):
    def ask():
        return filled.csp.run(lambda: filled.csp.pins.info(1))

    ask()
    assert reads(desk, ask) == ["CardReadFile"]  # cardcf
    desk.open().change_pin("1234", "4321")
    assert reads(desk, ask) == ["CardReadFile", "CardGetProperty"]


def test_a_counter_makes_its_own_part_stale_alone(desk, filled):
    look(filled)
    desk.open().write_certificate(DER + b"!", 0)
    found = reads(desk, lambda: look(filled))
    assert found == ["CardReadFile", "CardReadFile"]  # cardcf, kxc00


def test_pin_changes_raise_their_counter(desk, filled):
    before = desk.card.files["", "cardcf"][1]
    filled.change_pin("1234", "4321")
    after = desk.card.files["", "cardcf"][1]
    assert after == before[:1] + bytes((before[1] + 1,)) + before[2:]


def test_counters_wrap_and_what_applications_add_stays(desk, filled):
    desk.card.files["", "cardcf"] = (1, b"\0\xff\xff\xff\xff\xffmore")
    desk.open().generate(KeySpec.ECDSA_P256)
    assert desk.card.files["", "cardcf"][1] == b"\0\xff\1\0\0\0more"
    desk.open().change_pin("1234", "4321")
    assert desk.card.files["", "cardcf"][1] == b"\0\0\1\0\0\0more"


def test_the_order_in_which_a_new_key_is_written(desk):
    written = []

    def note(name):
        if name in ("CardWriteFile", "CardCreateContainer"):
            written.append((name, desk.card.files["", "cardcf"][1].hex()))

    provider = desk.open()
    desk.module.before = note
    provider.generate(KeySpec.ECDSA_P256)
    assert written == [
        ("CardWriteFile", "000000000000"),  # cardcf
        ("CardWriteFile", "000001000000"),  # cmapfile
        ("CardCreateContainer", "000001000000"),
        ("CardWriteFile", "000001000000"),  # cardcf
        ("CardWriteFile", "000001000100"),  # cmapfile with the key's size
        ("CardWriteFile", "000001000100"),  # cardcf
    ]
    assert desk.card.files["", "cardcf"][1].hex() == "000002000100"


def test_a_read_only_card_is_cached_and_never_written(desk, filled):
    desk.module.read_only = True
    provider = desk.open()
    look(provider)
    provider.change_pin("1234", "4321")
    assert "CardWriteFile" not in reads(desk, lambda: look(provider))


def test_data_of_a_session_ends_with_the_cards_removal(desk, filled):
    desk.module.cache_mode = CacheMode.SESSION_ONLY
    process = desk.process()
    provider = desk.open(process=process)
    look(provider)
    assert {card for card, _ in process.session_data} == {CARD_ID}
    desk.slot.remove()
    with pytest.raises(MinidriverError):
        look(provider)
    assert not process.session_data


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_card_without_identifier_is_not_cached(desk, filled, content):
    if content is None:
        del desk.card.files["", "cardid"]
    else:
        desk.card.files["", "cardid"] = (1, content)
    provider = desk.open()
    look(provider)
    assert "CardGetContainerInfo" in reads(desk, lambda: look(provider))


def test_a_card_without_counters_is_not_cached(desk, filled):
    del desk.card.files["", "cardcf"]
    provider = desk.open()
    look(provider)
    assert "CardGetContainerInfo" in reads(desk, lambda: look(provider))


@pytest.mark.parametrize("name", [("", "cardcf"), ("mscp", "cmapfile")])
def test_damaged_files(desk, filled, name):
    desk.card.files["", "cardcf"] = (1, b"\0\0\xff\0\xff\0")
    desk.card.files[name] = (1, b"\0\0\0")
    provider = desk.open()
    with pytest.raises(MinidriverError) as caught:
        provider.containers()
    assert caught.value.code is SCARD.E_COMM_DATA_LOST


def test_a_manager_without_a_cache_reads_everything(make_desk):
    desk = make_desk(profile=PCSCLITE)
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256)
    assert "CardGetContainerInfo" in reads(desk, provider.containers)


@pytest.mark.parametrize("mode", list(CacheMode))
def test_what_a_minidriver_keeps(desk, filled, mode):
    desk.module.cache_mode = mode
    provider = desk.open()
    host = provider.csp.session._callbacks

    def find():
        def work():
            provider.csp.files.counters()
            try:
                return host.CspCacheLookupFile("tag", 0)
            except MinidriverError as error:
                return {SCARD.E_FILE_NOT_FOUND: None}[error.code]

        return provider.csp.run(work)

    assert find() is None
    provider.csp.run(lambda: host.CspCacheAddFile("tag", 0, b"kept"))
    assert find() == b"kept"
    provider.csp.run(lambda: host.CspCacheDeleteFile("tag", 0))
    assert find() is None
    provider.csp.run(lambda: host.CspCacheAddFile("tag", 0, b"kept"))
    desk.wait()
    assert find() == (None if mode == CacheMode.NO_CACHE else b"kept")

    def raise_pins():
        provider.csp.pins.require(1)
        provider.csp.files.raise_counters(Kind.PINS)

    provider.csp.run(raise_pins)
    assert find() == (None if mode == CacheMode.NO_CACHE else b"kept")
    desk.open().write_certificate(DER + b"!", 0)
    desk.wait()
    assert find() is None
