# SPDX-License-Identifier: Apache-2.0
"""The card kind: profiles, options, files, and how cheap it is to import."""

import json
import subprocess
import sys

import pytest

from cards.piv import KIND, YUBIKEY
from cards.piv.profile import PROFILES
from vreader.card import Card, CardKind, FileStore, MemoryStore
from vreader.errors import UsageError, VreaderError
from vreader.iso7816 import Atr, Tlv


def refusal(call, *arguments):
    with pytest.raises(VreaderError) as caught:
        call(*arguments)
    assert caught.value.hint
    assert "\n" not in str(caught.value) + caught.value.hint
    return str(caught.value)


def identity(client):
    chuid = Tlv.parse(client.ok("00CB3FFF", bytes.fromhex("5C035FC102")))
    return client.card.applications[0].state.serial, chuid.find(0x34).value


def test_it_is_a_card_kind():
    kind: CardKind = KIND
    assert (kind.name, kind.reader_name) == ("piv", None)
    assert list(kind.profiles()) == ["5.4.3", "5.7.1", "neutral"]
    assert set(kind.profiles()) == set(PROFILES)
    assert isinstance(KIND.create("5.4.3", {}, MemoryStore(), None), Card)


def test_a_yubikey_is_the_same_in_another_reader():
    assert (YUBIKEY.name, YUBIKEY.reader_name) == ("yubikey", "Yubico YubiKey CCID 00 00")
    assert list(YUBIKEY.profiles()) == ["5.4.3", "5.7.1"]
    assert YUBIKEY.options() == KIND.options()
    card = YUBIKEY.create("", {}, MemoryStore(), None)
    assert card.power_on() == KIND.create("", {}, MemoryStore(), None).power_on()
    assert "no profile 'neutral'" in refusal(YUBIKEY.create, "neutral", {}, MemoryStore(), None)


def test_the_file_of_a_yubikey(tmp_path, make):
    store = FileStore(str(tmp_path / "y.card"))
    YUBIKEY.create("5.7.1", {"serial": "5"}, store, None).close()
    assert YUBIKEY.holds(store.path)
    assert not KIND.holds(store.path)
    card = YUBIKEY.open(store)
    assert identity(make.client(card))[0] == 5
    card.close()


def test_over_nfc():
    for profile, atr in (
        ("5.7.1", "3B8D80018073C021C057597562694B6579F9"), ("neutral", "3B80800101"),
    ):  # fmt: skip
        card = KIND.create(profile, {"interface": "nfc"}, MemoryStore(), None)
        assert card.power_on().hex().upper() == atr
        assert 1 in Atr.parse(bytes.fromhex(atr)).protocols


def test_a_neutral_card_cannot_be_touched():
    assert "touch" in refusal(KIND.create, "neutral", {"touch": "always"}, MemoryStore(), None)


def test_atrs():
    for name, hexadecimal in (
        ("5.4.3", "3BFD1300008131FE158073C021C057597562694B657940"), ("neutral", "3B80800101"),
        ("5.7.1", "3BFD1300008131FE158073C021C057597562694B657940"),
    ):  # fmt: skip
        atr = KIND.create(name, {}, MemoryStore(), None).power_on()
        assert atr.hex().upper() == hexadecimal
        assert 1 in Atr.parse(atr).protocols


def test_importing_and_creating_loads_nothing_heavy():
    script = (
        "import json, sys; from cards.piv import KIND; first = sorted(sys.modules)\n"
        "from vreader.card import MemoryStore; KIND.create('5.4.3', {}, MemoryStore(), None)\n"
        "print(json.dumps([first, sorted(sys.modules)]))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    imported, created = json.loads(out)
    for heavy in ("cryptography", "sqlite3", "hashlib", "hmac", "logging"):
        assert heavy not in created
    assert [m for m in imported if m.startswith("cards.piv.")] == ["cards.piv.kind"]


def test_two_cards_differ_and_a_seed_repeats(make):
    def card(seed):
        return make.client(KIND.create("5.4.3", {}, MemoryStore(), seed))

    assert identity(card(None)) != identity(card(None))
    assert identity(card(b"a")) == identity(card(b"a"))
    assert identity(card(b"a")) != identity(card(b"b"))
    for _ in range(50):
        assert 0 < identity(card(None))[0] < 0x80000000


def test_options(make):
    client = make(pin="abcdefg", puk="87654321", serial="99", guid="AB" * 16, mgmkey="21" * 24)
    assert client.verify(b"abcdefg") == "9000"
    assert client.sw("002C0080", b"87654321" + b"123456\xff\xff") == "9000"
    assert identity(client) == (99, b"\xab" * 16)
    client.admin(b"\x21" * 24)
    assert client.ok("00F7009B")[-1] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [({"pin": "12345"}, "6 to 8"), ({"puk": "123456789"}, "6 to 8"), ({"color": "red"}, "color"),
     ({"serial": "0"}, "serial"), ({"serial": "2147483648"}, "serial"), ({"serial": "x"}, "serial"),
     ({"serial": "9" * 5000}, "serial"), ({"serial": "\u0663"}, "serial"), ({"guid": "00"}, "16"),
     ({"mgmkey": "zz"}, "24 bytes"), ({"mgmkey": "01" * 24}, "weak"), ({"touch": "-1"}, "touch"),
     ({"touch": "sometimes"}, "touch"), ({"touch": "9" * 5000}, "touch"),
     ({"interface": "radio"}, "interface"), ({"pin-complexity": "maybe"}, "pin-complexity"),
     ({"pin-complexity": "yes"}, "cannot judge")],
)  # fmt: skip
def test_options_it_does_not_take(options, said):
    with pytest.raises(UsageError):
        KIND.create("5.4.3", options, MemoryStore(), None)
    message = refusal(KIND.create, "5.4.3", options, MemoryStore(), None)
    assert said in message
    for secret in (options.get("pin"), options.get("puk"), options.get("mgmkey")):
        assert secret is None or secret not in message


def test_only_a_3des_management_key_can_be_weak():
    weak = {"mgmkey": "01" * 24}
    for profile, algorithm in (("5.7.1", "3des"), ("neutral", "3des"), ("neutral", None)):
        options = {**weak, "mgmalg": algorithm} if algorithm else weak
        assert "weak" in refusal(KIND.create, profile, options, MemoryStore(), None)
    for profile, algorithm in (("5.7.1", None), ("5.4.3", "aes192")):
        options = {**weak, "mgmalg": algorithm} if algorithm else weak
        assert KIND.create(profile, options, MemoryStore(), None)


def test_an_unknown_profile():
    assert "no profile 'x'" in refusal(KIND.create, "x", {}, MemoryStore(), None)


def test_a_wrong_option_leaves_no_file(tmp_path):
    path = tmp_path / "a.card"
    refusal(KIND.create, "5.4.3", {"pin": "1"}, FileStore(str(path)), None)
    assert not path.exists()


def test_create_opens_an_existing_card(tmp_path, make):
    store = FileStore(str(tmp_path / "a.card"))
    KIND.create("neutral", {"serial": "5"}, store, None).close()
    for profile in ("neutral", ""):
        card = KIND.create("neutral", {"serial": "6"}, store, None) if profile else KIND.open(store)
        assert card.power_on().hex() == "3b80800101"
        assert identity(make.client(card))[0] == 5
        card.close()
    assert "profile neutral, not 5.4.3" in refusal(KIND.create, "5.4.3", {}, store, None)
    KIND.open(store).close()


def test_open_needs_a_card(tmp_path):
    path = tmp_path / "a.card"
    assert "no card" in refusal(KIND.open, MemoryStore())
    assert "no card" in refusal(KIND.open, FileStore(str(path)))
    assert not path.exists()
    path.touch()
    assert "no card yet" in refusal(KIND.open, FileStore(str(path)))
    KIND.create("5.4.3", {}, FileStore(str(path)), None).close()
    KIND.open(FileStore(str(path))).close()


def test_a_profile_of_the_future(tmp_path):
    store = FileStore(str(tmp_path / "a.card"))
    card = KIND.create("5.4.3", {}, store, None)
    card.nvm.area("card").put("profile", b"9.9")
    card.nvm.commit()
    card.close()
    assert "unknown profile" in refusal(KIND.open, store)
    assert "unknown profile" in refusal(KIND.open, store)


def test_commands_and_keys_do_not_show_secrets(make):
    from cards.piv import commands, yubico_commands
    from vreader.iso7816 import CommandApdu

    secret = b"MARKER00"
    for raw in (
        CommandApdu(0, 0x20, 0, 0x80, secret),
        CommandApdu(0, 0x24, 0, 0x80, secret * 2),
        CommandApdu(0, 0x2C, 0, 0x80, secret * 2),
        CommandApdu(0, 0xDB, 0x3F, 0xFF, b"\x5c\3\x5f\xc1\x09\x53\x08" + secret),
    ):
        assert "MARKER" not in repr(commands.PARSERS[raw.ins](raw))
    data = b"\3\x9b\x18" + secret * 3
    parsed = yubico_commands.PARSERS[0xFF](CommandApdu(0, 0xFF, 0xFF, 0xFF, data))
    assert "MARKER" not in repr(parsed)
    parsed = yubico_commands.PARSERS[0xFE](CommandApdu(0, 0xFE, 0x11, 0x9A, b"\6\x08" + secret))
    assert "MARKER" not in repr(parsed)
    client = make(mgmkey=(secret * 3).hex())
    state = client.card.applications[0].state
    assert "MARKER" not in repr(state.management_key)
    client.admin(secret * 3)
    client.generate(0x9A, 0x11)
    scalar = state.key(0x9A).private.scalar
    assert str(int.from_bytes(scalar, "big")) not in repr(state.key(0x9A))
    assert "private" not in repr(state.key(0x9A))
