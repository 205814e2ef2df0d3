# SPDX-License-Identifier: Apache-2.0
"""Sign a file with the key of a smart card: the program that is tested. It knows no vreader.

python3 signer.py FILE > FILE.sig        the PIN is asked for, or in $CARD_PIN
"""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pkcs11
from pkcs11.util.ec import encode_ecdsa_signature

MODULE = os.environ.get("PKCS11_MODULE", "opensc-pkcs11.so")
KEY_ID = b"\x01"  # PIV authentication, as OpenSC numbers the slots of a PIV card


class CardError(Exception):
    """What a user is told."""


@contextmanager
def card(pin: str | None = None) -> Iterator[pkcs11.Session]:
    """Open a session with the first card there is; log in if there is a PIN."""
    try:
        library = pkcs11.lib(MODULE)
        slots = library.get_slots(token_present=True)
        if not slots:
            raise CardError("insert your card")
        with slots[0].get_token().open(user_pin=pin) as session:
            yield session
    except pkcs11.PinIncorrect as error:
        raise CardError("this PIN is wrong") from error
    except pkcs11.PinLocked as error:
        raise CardError("the PIN is blocked") from error
    except (pkcs11.DeviceRemoved, pkcs11.TokenNotPresent) as error:
        raise CardError("the card was taken out") from error
    finally:
        pkcs11.unload(MODULE)  # no context with the PC/SC service is kept


def sign(data: bytes, pin: str) -> bytes:
    """Return the ECDSA signature (DER) of SHA-256 of ``data``."""
    with card(pin) as session:
        key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, id=KEY_ID)
        digest = session.digest(data, mechanism=pkcs11.Mechanism.SHA256)
        return encode_ecdsa_signature(key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))


def certificate() -> bytes:
    """Return the certificate (DER) of the key that signs."""
    with card() as session:
        wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                  pkcs11.Attribute.ID: KEY_ID}  # fmt: skip
        found = next(iter(session.get_objects(wanted)), None)
        if found is None:
            raise CardError("there is no certificate on this card")
        return found[pkcs11.Attribute.VALUE]


def main() -> None:
    pin = os.environ.get("CARD_PIN") or getpass.getpass("PIN: ")
    try:
        sys.stdout.buffer.write(sign(Path(sys.argv[1]).read_bytes(), pin))
    except CardError as error:
        sys.exit(f"signer: {error}")


if __name__ == "__main__":
    main()
