# SPDX-License-Identifier: Apache-2.0
"""Keys in slots: every algorithm, every signature checked by cryptography's own code."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

RSA, EC = {6: 1024, 7: 2048}, {0x11: 256, 0x14: 384}
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")


def pkcs1(digest, size):
    info = DIGEST_INFO + digest
    return b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info


@pytest.mark.parametrize(("algorithm", "bits"), RSA.items())
def test_rsa_signs_and_deciphers(admin, algorithm, bits):
    public = admin.generate(0x9D, algorithm)
    assert public.key_size == bits
    digest, size = bytes(range(32)), bits // 8
    assert admin.use(0x9D, algorithm, pkcs1(digest, size)) == "6982"
    admin.verify()
    signature = admin.use(0x9D, algorithm, pkcs1(digest, size))
    public.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    secret = public.encrypt(b"session key", padding.PKCS1v15())
    assert admin.use(0x9D, algorithm, secret).endswith(b"\0session key")
    for data in (b"\xff" * size, bytes(size - 1), bytes(size + 1), b"\1"):
        assert admin.use(0x9D, algorithm, data) == "6A80"
    assert admin.use(0x9D, algorithm, secret, tag=0x85) == "6A80"


@pytest.mark.parametrize(("algorithm", "bits"), EC.items())
def test_ecdsa_takes_every_length_of_hash(admin, algorithm, bits):
    public = admin.generate(0x9A, algorithm)
    admin.verify()
    size = bits // 8
    digest = utils.Prehashed(hashes.SHA256() if bits == 256 else hashes.SHA384())
    for length in (1, 20, size - 2, size - 1, size):
        value = bytes(range(0x70, 0x70 + length))
        signature = admin.use(0x9A, algorithm, value)
        public.verify(signature, value.rjust(size, b"\0"), ec.ECDSA(digest))
    assert admin.use(0x9A, algorithm, bytes(size + 1)) == "6A80"
    assert admin.use(0x9A, algorithm, b"") == "6A80"


@pytest.mark.parametrize(("algorithm", "bits"), EC.items())
def test_ecdh(admin, algorithm, bits):
    public = admin.generate(0x82, algorithm)
    admin.verify()
    peer = ec.generate_private_key(public.curve)
    numbers, size = peer.public_key().public_numbers(), bits // 8
    point = b"\4" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
    assert admin.use(0x82, algorithm, point, tag=0x85) == peer.exchange(ec.ECDH(), public)
    for bad in (point[:-1], b"\4" + bytes(2 * size), b"\3" + point[1:], b"\0"):
        assert admin.use(0x82, algorithm, bad, tag=0x85) == "6A80"


def test_every_slot_takes_a_key(admin):
    admin.verify()
    for slot in (0x9A, 0x9C, 0x9D, 0x9E, *range(0x82, 0x96)):
        admin.generate(slot, 0x11)
        admin.verify()
        assert isinstance(admin.use(slot, 0x11, bytes(32)), bytes)


@pytest.mark.parametrize("slot", ["9B", "80", "96", "81", "00"])
def test_slots_that_do_not_exist(admin, slot):
    assert admin.sw("004700" + slot, bytes.fromhex("AC03800111")) == "6A86"


@pytest.mark.parametrize("algorithm", ["03", "05", "16", "E0", "E1", "00", "FF"])
def test_algorithms_for_keys_that_it_does_not_have(admin, algorithm):
    assert admin.sw("0047009A", bytes.fromhex("AC038001" + algorithm)) == "6A80"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "AC00",
        "AC0380",
        "AC0180",
        "AC048002 1111",
        "AB03800111",
        "AC06800111AA0105",
        "AC06800111AA01FF",
        "AC07800111AA020101",
        "AC06800111810103",
        "AC06800111830101",
    ],
)
def test_malformed_generate(admin, data):
    assert admin.sw("0047009A", bytes.fromhex(data)) == "6A80"
    assert admin.use(0x9A, 0x11, bytes(32)) == "6A80"


def test_generating_needs_the_management_key(client):
    client.verify()
    assert client.sw("0047009A", bytes.fromhex("AC03800111")) == "6982"


def test_a_new_key_replaces_the_old_one(admin):
    admin.verify()
    admin.generate(0x9A, 0x11)
    public = admin.generate(0x9A, 0x14)
    assert admin.use(0x9A, 0x11, bytes(32)) == "6A80"
    signature = admin.use(0x9A, 0x14, b"\1" * 48)
    public.verify(signature, b"\1" * 48, ec.ECDSA(utils.Prehashed(hashes.SHA384())))


def test_default_policies_of_the_slots(admin):
    for slot in (0x9A, 0x9C, 0x9D, 0x9E, 0x82):
        admin.generate(slot, 0x11)
    free = {slot: admin.use(slot, 0x11, bytes(32)) for slot in (0x9A, 0x9C, 0x9D, 0x9E, 0x82)}
    assert isinstance(free.pop(0x9E), bytes)
    assert set(free.values()) == {"6982"}
    admin.verify()
    for slot in (0x9C, 0x9A, 0x9D, 0x82, 0x9A):
        assert isinstance(admin.use(slot, 0x11, bytes(32)), bytes)
    assert admin.use(0x9C, 0x11, bytes(32)) == "6982"


def test_always_means_one_signature_for_one_verify(admin):
    admin.generate(0x9C, 0x11)
    admin.verify()
    assert isinstance(admin.use(0x9C, 0x11, bytes(32)), bytes)
    assert admin.use(0x9C, 0x11, bytes(32)) == "6982"
    assert admin.sw("00200080") == "9000"
    admin.verify()
    # What OpenSC sends between VERIFY and the signature.
    assert admin.raw("00CB3FFF035C017E00")[-4:] == "9000"
    assert admin.raw("00200080") == "9000"
    assert isinstance(admin.use(0x9C, 0x11, bytes(30)), bytes)


@pytest.mark.parametrize("between", ["0087039B047C028100", "0020FF80", "0047009AAC03800111"])
def test_always_is_lost_by_other_commands(admin, between):
    admin.generate(0x9C, 0x11)
    admin.verify()
    admin.send(between) if "AC" not in between else admin.generate(0x9A, 0x11)
    assert admin.use(0x9C, 0x11, bytes(32)) == "6982"


@pytest.mark.parametrize(
    ("refused", "sw"),
    [("00F60082", "6D00"), ("0024008010" + "39" * 16, "63C2"), ("00FB0000", "6985")],
)
def test_always_is_lost_by_a_refused_command(admin, refused, sw):
    admin.generate(0x9C, 0x11)
    admin.verify()
    assert admin.raw(refused) == sw
    if sw == "6D00":  # no such command: nothing was asked of the card
        assert isinstance(admin.use(0x9C, 0x11, bytes(32)), bytes)
    else:
        assert admin.use(0x9C, 0x11, bytes(32)) == "6982"


def test_always_is_lost_by_a_key_that_was_refused(admin):
    admin.generate(0x9C, 0x11)
    admin.verify()
    assert admin.use(0x9A, 0x11, bytes(32)) == "6A80"
    assert admin.use(0x9C, 0x11, bytes(32)) == "6982"


def test_chosen_policies(admin):
    admin.generate(0x9A, 0x11, bytes.fromhex("AA0101AB0102"))
    assert isinstance(admin.use(0x9A, 0x11, bytes(32)), bytes)
    admin.generate(0x9E, 0x11, bytes.fromhex("AA0103"))
    assert admin.use(0x9E, 0x11, bytes(32)) == "6982"
    assert admin.ok("00F7009A").startswith(bytes.fromhex("01011102020102030101"))


def test_a_neutral_card_has_no_policies_to_choose(make):
    client = make("neutral")
    client.admin()
    assert client.sw("0047009A", bytes.fromhex("AC06800111AA0101")) == "6A80"
    assert client.generate(0x9A, 0x11).key_size == 256


def test_a_missing_key_and_a_wrong_algorithm(admin):
    admin.verify()
    assert admin.use(0x9A, 0x11, bytes(32)) == "6A80"
    admin.generate(0x9A, 0x11)
    assert admin.use(0x9A, 0x14, bytes(48)) == "6A80"
    assert admin.use(0x9A, 0x22, bytes(32)) == "6A86"
    assert admin.use(0xF9, 0x11, bytes(32)) == "6A86"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "7C00",
        "7C028200",
        "7C0281 00",
        "7C048200 8100",
        "7C06820081018501",
        "7C078200810111 8501",
        "7B0582008101AA",
        "7C038101AA",
        "7C0682018281 01AA",
        "7C0582008301AA",
    ],
)
def test_malformed_general_authenticate(admin, data):
    admin.generate(0x9E, 0x11)
    assert admin.sw("0087119E", bytes.fromhex(data)) == "6A80"


def test_the_reply_of_a_signature_comes_in_two_parts(admin):
    admin.generate(0x9E, 7)
    block = pkcs1(bytes(32), 256)
    data = bytes.fromhex("7C820106820081820100") + block
    assert admin.card.transmit(b"\x10\x87\x07\x9e\xff" + data[:255] + b"\0") == b"\x90\x00"
    rest = data[255:]
    answer = admin.card.transmit(b"\0\x87\x07\x9e" + bytes((len(rest),)) + rest + b"\0")
    assert answer.startswith(bytes.fromhex("7C82010482820100"))
    assert answer[-2:] == b"\x61\x08"
    assert admin.raw("00C0000008")[-4:] == "9000"
