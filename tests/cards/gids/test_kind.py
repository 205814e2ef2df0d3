# SPDX-License-Identifier: Apache-2.0
"""Making, keeping and provisioning GIDS cards."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from cards.gids import KIND, TPMVSC
from cards.platform.certificates import Issuer, Usage
from vreader import cardfs as fs
from vreader.card import FileStore, KeepingKind, MemoryStore
from vreader.errors import UsageError


def read(client, file_id, tag):
    """Return the value of a data object."""
    answer = client.ok(f"00CB{file_id:04X}", b"\x5c\2" + tag.to_bytes(2, "big"))
    return answer[3:] if answer[2] < 0x80 else answer[3 + (answer[2] & 0x7F) :]


def test_what_users_may_say(make):
    client = make(pin="abcd", puk="efgh1", adminkey="11" * 24, cardid="22" * 16, tries="2")
    assert client.raw("00200080") == "63C2"
    assert client.verify(b"abcd") == "9000"
    assert client.mutual(b"\x11" * 24) == "9000"
    assert read(client, 0xA012, fs.CARD_ID) == b"\x22" * 16
    assert client.sw("002C0080", b"efgh1123456") == "9000"


@pytest.mark.parametrize(
    ("kind", "profile", "options"),
    [
        (KIND, "windows", {"pin": "123"}),
        (KIND, "windows", {"pin": "1" * 17}),
        (KIND, "windows", {"puk": "1"}),
        (KIND, "windows", {"adminkey": "00"}),
        (KIND, "windows", {"cardid": "xyz"}),
        (KIND, "windows", {"tries": "0"}),
        (KIND, "windows", {"tries": "many"}),
        (KIND, "windows", {"colour": "red"}),
        (KIND, "blank", {"pin": "123456"}),
        (KIND, "blank", {"adminkey": "00" * 24}),
        (KIND, "other", {}),
        (TPMVSC, "windows", {"pin": "1234567"}),
        (TPMVSC, "blank", {}),
    ],
)
def test_what_they_may_not(kind, profile, options):
    with pytest.raises(UsageError) as caught:
        kind.create(profile, options, MemoryStore(), None)
    assert caught.value.hint
    for value in options.values():
        assert value in ("0", "1", "00", "many", "xyz", "red", "123") or value not in str(
            caught.value
        )


def test_seeds_and_chance():
    ids = [
        KIND.facts(KIND.create("windows", {}, MemoryStore(), seed))[1]
        for seed in (b"a", b"a", b"b", None, None)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_the_kinds():
    assert isinstance(KIND, KeepingKind)
    assert TPMVSC.reader_name == "Microsoft Virtual Smart Card 00 00"
    assert next(iter(KIND.profiles())) == "windows"


@pytest.mark.parametrize("kind", [KIND, TPMVSC], ids=["gids", "tpmvsc"])
def test_everything_survives(make, tmp_path, kind):
    store = FileStore(str(tmp_path / "a.card"))
    card = kind.create("windows", {"pin": "87654321", "puk": "11223344"}, store, None)
    client = make.client(card)
    client.verify(b"00000000")
    client.mutual()
    client.raw("00DBA01204DF420155")
    kind.provision(card, {"slot": ["rsa1024"]})
    key, facts = client.public_key(0x81), kind.facts(card)
    card.close()
    card = kind.open(store)
    client = make.client(card)
    assert kind.facts(card) == facts
    assert client.raw("00200080")[3] == str(int(kind.variant.tries) - 1)
    assert client.raw("00CBA012045C02DF4200") == "DF4201559000"
    assert client.public_key(0x81) == key
    exported = kind.export(card)
    card.close()
    assert kind.facts(kind.load(exported, MemoryStore())) == facts


def test_facts_tell_no_secret(make):
    client = make(pin="83610947", puk="95172640", adminkey="AB" * 24)
    told = str(KIND.facts(client.card)).lower()
    assert not any(secret in told for secret in ("83610947", "95172640", "abab"))
    assert KIND.facts(make("blank").card)[0][1].startswith("not yet activated")


# ---------------------------------------------------------------------- provisioning


@pytest.fixture
def provisioned(make):
    client = make()
    KIND.provision(
        client.card, {"slot": ["kx:rsa2048", "sign:rsa1024", "p256"], "subject": ["CN=alice,O=T"]}
    )
    return client


def test_the_card_file_system(provisioned):
    table = fs.decode_file_table(read(provisioned, 0xA000, fs.FILE_TABLE))
    names = [(entry.directory, entry.name) for entry in table]
    assert names[-3:] == [("mscp", "kxc00"), ("mscp", "ksc01"), ("mscp", "kxc02")]
    containers = fs.decode_container_map(read(provisioned, 0xA010, fs.CONTAINER_MAP))
    assert [(c.flags, c.signature_bits, c.exchange_bits) for c in containers] == [
        (3, 0, 2048), (1, 1024, 0), (1, 0, 256),
    ]  # fmt: skip
    assert len({c.name for c in containers}) == 3
    assert read(provisioned, 0xA010, fs.CARD_CF) == bytes.fromhex("000003000300")
    assert fs.decode_key_map(read(provisioned, 0xA000, fs.KEY_MAP)) == [
        fs.KeyMapEntry(0x07, fs.EXCHANGE, 0xB081),
        fs.KeyMapEntry(0x06, fs.SIGNATURE, 0xB082),
        fs.KeyMapEntry(0x0C, fs.EXCHANGE, 0xB083),
    ]


def test_keys_and_certificates_belong_together(provisioned):
    table = fs.decode_file_table(read(provisioned, 0xA000, fs.FILE_TABLE))
    for reference, name in ((0x81, "kxc00"), (0x82, "ksc01"), (0x83, "kxc02")):
        entry = fs.find_file(table, "mscp", name)
        raw = read(provisioned, entry.file_id, entry.object_tag)
        found = x509.load_der_x509_certificate(fs.expand_certificate(raw))
        found.verify_directly_issued_by(found)
        assert found.subject.rfc4514_string() == "CN=alice,O=T"
        assert found.public_key() == provisioned.public_key(reference)
    provisioned.verify()
    provisioned.choose(0xB6, 0x57, 0x81)
    digest_info = bytes.fromhex("3031300D060960864801650304020105000420") + bytes(32)
    signature = provisioned.ok("002A9E9A", digest_info)
    key = provisioned.public_key(0x81)
    assert key.recover_data_from_signature(signature, padding.PKCS1v15(), hashes.SHA256()) == (
        bytes(32)
    )
    assert provisioned.choose(0xB8, 0x46, 0x82) == "6A80"


@pytest.mark.parametrize(
    "options",
    [
        {"slot": ["rsa512"]},
        {"slot": ["ax:rsa2048"]},
        {"slot": [":rsa2048"]},
        {"slot": ["p256"], "subject": ["alice"]},
        {"slot": ["p256"] * 33},
        {"colour": ["red"]},
    ],
)
def test_wrong_provisioning_changes_nothing(make, options):
    client = make()
    before = client.card.nvm.content()
    with pytest.raises(UsageError):
        KIND.provision(client.card, options)
    assert client.card.nvm.content() == before


PEM, PASSWORD = serialization.Encoding.PEM, b"s3cret"


@pytest.fixture
def files(tmp_path):
    """Write two keys, the certificate of the second, and a PFX file of a third."""
    for name, private in (("rsa", rsa.generate_private_key(65537, 1024)),
                          ("ec", ec.generate_private_key(ec.SECP256R1())),
                          ("other", ec.generate_private_key(ec.SECP384R1()))):  # fmt: skip
        locked = serialization.BestAvailableEncryption(PASSWORD)
        form = serialization.PrivateFormat.PKCS8
        (tmp_path / f"{name}.pem").write_bytes(private.private_bytes(PEM, form, locked))
        issuer = Issuer.of({"subject": [f"CN={name}"]})
        certificate = issuer.certify(private, Usage.AUTHENTICATION)
        (tmp_path / f"{name}.crt").write_bytes(certificate.public_bytes(PEM))
        pfx = pkcs12.serialize_key_and_certificates(None, private, certificate, None, locked)
        (tmp_path / f"{name}.pfx").write_bytes(pfx)
    return tmp_path


def test_import(make, files):
    client = make()
    KIND.provision(client.card, {
        "import-key": ["rsa.pem", "sign:ec.pem"], "import-cert": ["ec.crt"],
        "pfx": ["kx:other.pfx"], "password": ["s3cret"], "folder": [str(files)],
        "subject": ["CN=alice"],
    })  # fmt: skip
    told = dict(KIND.facts(client.card))
    for index, algorithm, subject in ((0, "RSA-1024", "alice"), (1, "P-256", "ec"),
                                      (2, "P-384", "other")):  # fmt: skip
        assert told[f"container {index}"].endswith(f"certificate CN={subject}")
        assert algorithm in told[f"container {index}"]
    assert client.public_key(0x82).curve.name == "secp256r1"
    containers = fs.decode_container_map(read(client, 0xA010, fs.CONTAINER_MAP))
    assert [(c.signature_bits, c.exchange_bits) for c in containers] == [
        (0, 1024), (256, 0), (0, 384),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"import-key": ["rsa.pem"], "password": ["wrong"]},
        {"import-key": ["none.pem"]},
        {"import-key": ["rsa.crt"]},
        {"import-key": ["rsa.pem"], "import-cert": ["ec.crt"]},
        {"import-cert": ["ec.crt"]},
        {"pfx": ["rsa.pem"]},
    ],
)
def test_wrong_imports(make, files, options):
    client = make()
    before = client.card.nvm.content()
    with pytest.raises(UsageError) as caught:
        KIND.provision(client.card, {"password": ["s3cret"], "folder": [str(files)], **options})
    assert caught.value.hint
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"
    assert client.card.nvm.content() == before


def test_a_key_that_no_gids_card_has(make, files):
    private = ec.generate_private_key(ec.SECP256K1())
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (files / "k1.pem").write_bytes(private.private_bytes(PEM, form, clear))
    with pytest.raises(UsageError, match="cannot be imported"):
        KIND.provision(make().card, {"import-key": [str(files / "k1.pem")]})


def test_a_blank_card_takes_no_keys(make):
    with pytest.raises(UsageError, match="no file system"):
        KIND.provision(make("blank").card, {"slot": ["p256"]})
