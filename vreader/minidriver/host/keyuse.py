# SPDX-License-Identifier: Apache-2.0
"""What applications do with the keys that are on a card: list, sign, decrypt, agree."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.choosing import agrees, choose_key, decrypts, signs
from vreader.minidriver.host.containers import Container
from vreader.minidriver.host.keys import DEFAULT_KDF, hash_parameters
from vreader.minidriver.padding import digest
from vreader.minidriver.values import KdfParameter, Oaep, Pkcs1, Pss


class KeyUse:
    """The keys of one card as they are used.

    Attributes:
        csp: the host of the card.
    """

    def __init__(self, csp: BaseCsp) -> None:
        self.csp = csp

    # ------------------------------------------------------------------ looking

    def containers(self) -> list[Container]:
        """Return the card's containers with their public keys."""
        return self.csp.run(self.csp.containers.listed)

    def certificate(
        self, container: "str | int | None" = None, spec: KeySpec | None = None
    ) -> bytes | None:
        """Return a key's certificate in DER; None where there is none."""

        def work() -> bytes | None:
            key = choose_key(self.csp, container, spec)
            return self.csp.containers.certificate(key.container, key.spec)

        return self.csp.run(work)

    def pin_info(self, pin_id: int = Role.USER) -> PIN_INFO:
        """Return what the card says of a PIN."""
        return self.csp.run(lambda: self.csp.pins.info(pin_id))

    # ------------------------------------------------------------------ using keys

    def sign(
        self,
        data: bytes,
        container: "str | int | None" = None,
        *,
        spec: KeySpec | None = None,
        algorithm: str | None = "SHA256",
        pss_salt: int | None = None,
        hashed: bool = False,
    ) -> bytes:
        """Sign.

        Args:
            data: what is signed.
            container: name or index.
            spec: which key of it; the one to sign with by default.
            algorithm: CNG's name of the hash; None for RSA without DigestInfo, with ``hashed``.
            pss_salt: bytes of salt for PSS, instead of PKCS #1; KSP only.
            hashed: ``data`` is the hash already.

        Returns:
            An RSA signature big endian; an ECDSA one as r and s, each as long as the field.
        """
        value = data if hashed else digest(algorithm or "", data)

        def work() -> bytes:
            key = choose_key(self.csp, container, spec, signs)
            self.csp.pins.require(self.csp.pins.of_container(key.container))
            pss = None if pss_salt is None else Pss(algorithm, pss_salt)
            return self.csp.keys.sign(key, value, algorithm, pss)

        return self.csp.run(work)

    def decrypt(
        self,
        data: bytes,
        container: "str | int | None" = None,
        *,
        spec: KeySpec | None = None,
        padding: Pkcs1 | Oaep | None = Pkcs1(),  # noqa: B008 - a constant
    ) -> bytes:
        """Decrypt with an RSA key; without padding the block is returned as it is."""

        def work() -> bytes:
            key = choose_key(self.csp, container, spec, decrypts)
            self.csp.pins.require(self.csp.pins.of_container(key.container))
            return self.csp.keys.decrypt(key, data, padding)

        return self.csp.run(work)

    def agree(
        self,
        other: ec.EllipticCurvePublicKey,
        container: "str | int | None" = None,
        *,
        spec: KeySpec | None = None,
        kdf: str = DEFAULT_KDF,
        parameters: Sequence[KdfParameter] | None = None,
    ) -> bytes:
        """Agree on a secret with somebody and return the key derived of it; SHA-256 by default."""
        told = hash_parameters("SHA256") if parameters is None else parameters

        def work() -> bytes:
            key = choose_key(self.csp, container, spec, agrees)
            self.csp.pins.require(self.csp.pins.of_container(key.container))
            return self.csp.keys.agree(key, other, kdf, told)

        return self.csp.run(work)
