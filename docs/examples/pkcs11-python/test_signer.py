# SPDX-License-Identifier: Apache-2.0
"""Each test has a card of its own, whose PIN nobody else has typed."""

import pytest
import signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

pytestmark = pytest.mark.vreader(card="alice.toml")


def test_the_signature_belongs_to_the_certificate(vreader_pcsc):
    signature = signer.sign(b"a contract", "123456")
    key = x509.load_der_x509_certificate(signer.certificate()).public_key()
    key.verify(signature, b"a contract", ec.ECDSA(hashes.SHA256()))


def test_a_wrong_pin_three_times(vreader_pcsc):
    for _ in range(3):
        with pytest.raises(signer.CardError, match="wrong"):
            signer.sign(b"", "000000")
    with pytest.raises(signer.CardError, match="blocked"):
        signer.sign(b"", "123456")


def test_no_card(vreader_pcsc):
    vreader_pcsc.remove()
    with pytest.raises(signer.CardError, match="insert your card"):
        signer.sign(b"", "123456")
    vreader_pcsc.insert()
    signer.sign(b"", "123456")


def test_the_card_is_taken_out_after_the_login(vreader_pcsc):
    def use():
        with signer.card("123456") as session:
            key = session.get_key(signer.pkcs11.ObjectClass.PRIVATE_KEY, id=signer.KEY_ID)
            vreader_pcsc.remove()
            key.sign(bytes(32), mechanism=signer.pkcs11.Mechanism.ECDSA)

    with pytest.raises(signer.CardError, match="taken out"):
        use()


@pytest.mark.vreader(card="piv")
def test_a_card_without_keys(vreader_pcsc):
    with pytest.raises(signer.CardError, match="no certificate"):
        signer.certificate()
