# SPDX-License-Identifier: Apache-2.0
"""OpenSC and our minidrivers on the same cards: what one writes the other reads."""

import hashlib
import re
from types import SimpleNamespace

import pki
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from driving import ADMIN_KEY, USER_PIN, driving, log_in_as_admin

from vreader.card import FileStore
from vreader.cardfs import (
    Container,
    certificate_file,
    compress_certificate,
    decode_container_map,
    encode_container_map,
)
from vreader.kinds import find_kind
from vreader.minidriver.abi.blobs import decode_public
from vreader.minidriver.abi.codes import Calg, Padding
from vreader.minidriver.values import ContainerInfo, DecryptInfo, SigningInfo

pytestmark = pytest.mark.clients

MESSAGE = b"A message that is to be signed."
AUTH = ("--verify-pin", "--auth-id", "80", "--pin", "123456")


def certified(key):
    return pki.certificate(SimpleNamespace(public_key=lambda: key), signer=pki.SIGNER)


def public(md, container):
    info = md.CardGetContainerInfo(container, 0, ContainerInfo())
    return decode_public(info.exchange or info.signature)[0]


def write_container(md, index, spec, bits, name):
    """Make a container as a host does: key, record, certificate."""
    md.CardCreateContainer(index, 1, spec, bits, None)
    records = decode_container_map(md.CardReadFile("mscp", "cmapfile", 0))
    sizes = (0, bits) if spec == 1 else (bits, 0)
    records.append(Container(name, 1 if records else 3, *sizes))
    md.CardWriteFile("mscp", "cmapfile", 0, encode_container_map(records))
    key = public(md, index)
    der = certified(key).public_bytes(serialization.Encoding.DER)
    content = compress_certificate(der)
    file = certificate_file(index, signature=spec == 2)
    md.CardCreateFile("mscp", file, len(content), 1)
    md.CardWriteFile("mscp", file, 0, content)
    return key, der


def test_opensc_reads_a_card_that_we_have_written(serving, need, tmp_path):
    state = tmp_path / "a.card"
    kind = find_kind("gids")
    store = FileStore(str(state))
    card = kind.create("windows", {}, store, None)
    with driving(card) as driven:
        md = driven.md
        md.CardAuthenticatePin("user", USER_PIN)
        written = [
            write_container(md, 0, 1, 2048, "first"),
            write_container(md, 1, 2, 2048, "second"),
        ]
    card.close()
    tool = need("pkcs15-tool", "opensc")
    pkcs11 = (need("pkcs11-tool", "opensc"), "--login", "--pin", "123456")
    with serving("--card", f"gids,state={state}") as served:
        assert served.run(need("opensc-tool", "opensc"), "-n").stdout == "GIDS Smart Card\n"
        dump = served.run(tool, "-D").stdout
        assert re.findall(r"^Private RSA Key \[(.*)\]$", dump, re.MULTILINE) == ["first", "second"]
        for number, (key, der) in enumerate(written):
            pem = served.run(tool, "--read-certificate", f"{number:02d}").stdout
            found = x509.load_pem_x509_certificate(pem.encode())
            assert found.public_bytes(serialization.Encoding.DER) == der
            source, result = tmp_path / "in", tmp_path / "out"
            source.write_bytes(MESSAGE)
            served.run(*pkcs11, "--id", f"{number:02d}", "--sign", "-m", "SHA256-RSA-PKCS",
                       "-i", source, "-o", result)  # fmt: skip
            key.verify(result.read_bytes(), MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_we_read_a_card_that_opensc_has_written(serving, need, tmp_path):
    state = tmp_path / "a.card"
    init, tool = need("pkcs15-init", "opensc"), need("pkcs15-tool", "opensc")
    with serving("--card", f"gids:blank,state={state}") as served:
        served.run(
            need("gids-tool", "opensc"), "--initialize", "--pin", "123456",
            "--admin-key", ADMIN_KEY.hex(), "--serial-number", "00112233445566778899AABBCCDDEEFF",
        )  # fmt: skip
        served.run(init, *AUTH, "--generate-key", "rsa/2048", "--id", "2",
                   "--key-usage", "decrypt,sign")  # fmt: skip
        pem = served.run(tool, "--read-public-key", "00").stdout.encode()
        key = serialization.load_pem_public_key(pem)
        certificate = tmp_path / "certificate"
        certificate.write_bytes(certified(key).public_bytes(serialization.Encoding.PEM))
        served.run(init, *AUTH, "--store-certificate", certificate, "--id", "00")
    card = find_kind("gids").open(FileStore(str(state)))
    with driving(card) as driven:
        md = driven.md
        assert md.CardReadFile(None, "cardid", 0).hex() == "00112233445566778899aabbccddeeff"
        (record,) = decode_container_map(md.CardReadFile("mscp", "cmapfile", 0))
        assert record.valid
        assert public(md, 0) == key
        assert "kxc00" in md.CardEnumFiles("mscp", 0)
        md.CardAuthenticatePin("user", USER_PIN)
        digest = hashlib.sha256(MESSAGE).digest()
        signature = md.CardSignData(SigningInfo(0, 1, digest, Calg.SHA_256, version=1))[::-1]
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        cipher = key.encrypt(MESSAGE, padding.PKCS1v15())[::-1]
        info = DecryptInfo(0, 1, cipher, None, Padding.PKCS1)
        assert md.CardRSADecrypt(info)[::-1] == MESSAGE
        md.CardDeleteContainer(0, 0)
        log_in_as_admin(md)
    card.close()


def test_opensc_and_we_see_the_same_piv_card(serving, need, tmp_path):
    state = tmp_path / "a.card"
    kind = find_kind("piv")
    card = kind.create("5.4.3", {}, FileStore(str(state)), None)
    kind.provision(card, {"slot": ["9a:rsa2048", "9c:p256"]})
    with driving(card) as driven:
        ours = [driven.md.CardReadFile("mscp", name, 0) for name in ("kxc00", "ksc01")]
    card.close()
    with serving("--card", f"piv,state={state}") as served:
        for number, der in zip(("01", "02"), ours, strict=True):
            pem = served.run(need("pkcs15-tool", "opensc"), "--read-certificate", number).stdout
            found = x509.load_pem_x509_certificate(pem.encode())
            assert found.public_bytes(serialization.Encoding.DER) == der
