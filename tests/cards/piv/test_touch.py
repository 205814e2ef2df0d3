# SPDX-License-Identifier: Apache-2.0
"""Touch policies with a scripted finger and a clock that the test turns."""

import pytest

from cards.piv import KIND
from cards.piv.applet import PivApplet
from cards.piv.device import Device, read_script
from cards.piv.profile import PROFILES
from cards.platform import AppletCard
from vreader.card import MemoryStore
from vreader.errors import VreaderError

ALWAYS, CACHED = bytes.fromhex("AA0101AB0102"), bytes.fromhex("AA0101AB0103")
DIGEST = bytes(32)
OTHER_KEY = bytes(range(0x20, 0x38))


@pytest.fixture
def timed(make):
    """Return a function that makes a client, and the list with the time that its card reads."""

    def timed(**options):
        client, now = make(**options), [100.0]
        area = client.card.nvm.area("piv")
        applet = PivApplet(area, PROFILES["5.4.3"], clock=lambda: now[0])
        card = AppletCard(b"\x3b\x00", lambda: [applet], client.card.nvm)
        client = make.client(card)
        client.admin()
        return client, now

    return timed


def signs(client, slot=0x9A):
    answer = client.use(slot, 0x11, DIGEST)
    assert isinstance(answer, bytes) or answer == "6982"
    return isinstance(answer, bytes)


def test_by_default_every_touch_is_granted(timed):
    client, _ = timed()
    client.generate(0x9A, 0x11, ALWAYS)
    assert [signs(client) for _ in range(3)] == [True] * 3


def test_never(timed):
    client, _ = timed(touch="never")
    client.generate(0x9A, 0x11, ALWAYS)
    client.generate(0x9C, 0x11, CACHED)
    client.generate(0x9E, 0x11)
    assert not signs(client)
    assert not signs(client, 0x9C)
    assert signs(client, 0x9E)


def test_a_number_of_touches(timed):
    client, _ = timed(touch="2")
    client.generate(0x9A, 0x11, ALWAYS)
    assert [signs(client) for _ in range(4)] == [True, True, False, False]


def test_the_touches_are_counted_over_resets(timed):
    client, _ = timed(touch="2")
    client.generate(0x9A, 0x11, ALWAYS)
    assert signs(client)
    client.card.reset()
    client.select()
    assert [signs(client) for _ in range(2)] == [True, False]


def test_a_touch_is_spent_whatever_becomes_of_the_command(timed):
    client, _ = timed(touch="1")
    client.generate(0x9A, 0x11, ALWAYS)
    assert client.use(0x9A, 0x11, bytes(33)) == "6A80"
    assert not signs(client)


def test_a_touch_is_not_asked_for_before_the_pin(timed):
    client, _ = timed(touch="1")
    client.generate(0x9A, 0x11, bytes.fromhex("AA0102AB0102"))
    assert not signs(client)
    client.verify()
    assert signs(client)
    assert not signs(client)


def test_a_cached_touch_lasts_fifteen_seconds(timed):
    client, now = timed(touch="2")
    client.generate(0x9A, 0x11, CACHED)
    assert signs(client)
    now[0] += 14.9
    assert signs(client)
    now[0] += 0.2
    assert signs(client)
    now[0] += 15.0
    assert not signs(client)


def test_a_cached_touch_is_gone_after_a_reset(timed):
    client, _ = timed(touch="1")
    client.generate(0x9A, 0x11, CACHED)
    assert signs(client)
    client.card.reset()
    client.select()
    assert not signs(client)


def test_a_touch_for_one_use_is_not_kept_for_another(timed):
    client, _ = timed(touch="1")
    client.generate(0x9A, 0x11, ALWAYS)
    client.generate(0x9C, 0x11, CACHED)
    assert signs(client)
    assert not signs(client, 0x9C)


def test_a_management_key_that_wants_a_touch(timed):
    client, _ = timed(touch="1")
    client.ok("00FFFFFE", b"\x0a\x9b\x18" + OTHER_KEY)
    client.card.reset()
    client.select()
    assert client.ok("00F7009B") == bytes.fromhex("01010A02020002050100")
    client.admin(OTHER_KEY)
    client.generate(0x9A, 0x11)
    with pytest.raises(AssertionError, match="6982"):
        client.admin(OTHER_KEY)
    assert client.sw("00FE119A", bytes.fromhex("060101")) == "6982"


def test_a_wrong_management_key_costs_no_touch(timed):
    client, _ = timed(touch="1")
    client.ok("00FFFFFE", b"\x0a\x9b\x18" + OTHER_KEY)
    with pytest.raises(AssertionError, match="6982"):
        client.admin(bytes(24))
    client.admin(OTHER_KEY)


def test_reset_leaves_the_script_alone(timed):
    client, _ = timed(touch="never")
    for _ in range(3):
        client.verify(b"999999")
        client.sw("00240081", b"99999999" + b"12345678")
    client.ok("00FB0000")
    client.admin()
    client.generate(0x9A, 0x11, ALWAYS)
    assert not signs(client)


def test_the_script_can_be_changed_under_way(timed):
    client, _ = timed(touch="never")
    client.generate(0x9A, 0x11, ALWAYS)
    device = Device(client.card.nvm.area("piv"))
    device.touch_script = "1"
    assert device.touch_script == "1"
    assert [signs(client) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("text", ["", "-1", "1.5", "yes", "1000001", "99999999", "٣", "ALWAYS"])
def test_scripts_that_do_not_exist(text):
    with pytest.raises(ValueError, match="touch"):
        read_script(text)


def test_scripts():
    assert [read_script(text) for text in ("always", "never", "0", "007", "1000000")] == [
        "always", "never", "0", "7", "1000000",
    ]  # fmt: skip


def test_the_owner_can_see_it():
    card = KIND.create("5.7.1", {"touch": "7"}, MemoryStore(), None)
    assert ("touch", "7") in KIND.facts(card)
    device = Device(card.nvm.area("piv"))
    device.usb_enabled = 0
    device.set_lock(b"L" * 16)
    told = dict(KIND.facts(card))
    assert (told["PIV"], told["configuration"]) == ("turned off", "locked")
    assert "L" * 16 not in str(told)


def test_an_image_with_a_script_that_does_not_exist():
    card = KIND.create("5.7.1", {"touch": "7"}, MemoryStore(), None)
    card.nvm.area("piv").put("device.touch", b"now and then")
    card.nvm.commit()
    with pytest.raises(VreaderError, match="no usable card"):
        KIND.load(KIND.export(card), MemoryStore())
