# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates of a new GIDS card: what each certificate allows, what people are told."""

import pytest
from cryptography import x509

from cards.gids import KIND, tables
from cards.gids.build import gids_state
from vreader import cardfs as fs
from vreader.card import MemoryStore


def certificate(card, name):
    state = gids_state(card)
    table = fs.decode_file_table(state.object(tables.USER_CREATE_DELETE_DIR, fs.FILE_TABLE))
    entry = fs.find_file(table, fs.MSCP, name)
    content = fs.expand_certificate(state.object(entry.file_id, entry.object_tag))
    return x509.load_der_x509_certificate(content)


@pytest.mark.parametrize(
    ("slot", "name", "bits", "told"),
    [
        ("kx:rsa1024", "kxc00", {"digital_signature", "key_encipherment"}, "RSA-1024, default"),
        ("kx:p256", "kxc00", {"digital_signature", "key_agreement"}, "P-256, default"),
        ("rsa1024", "kxc00", {"digital_signature", "key_encipherment"}, "RSA-1024, default"),
        (
            "sign:p256",
            "ksc00",
            {"digital_signature", "content_commitment"},
            "P-256, signs only, default",
        ),
    ],
)
def test_what_a_certificate_allows(slot, name, bits, told):
    card = KIND.create("windows", {}, MemoryStore(), None)
    KIND.provision(card, {"slot": [slot]})
    usage = certificate(card, name).extensions.get_extension_for_class(x509.KeyUsage).value
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign")  # fmt: skip
    assert {bit for bit in every if getattr(usage, bit)} == bits
    assert told in dict(KIND.facts(card))["container 0"]
