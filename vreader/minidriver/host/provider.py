# SPDX-License-Identifier: Apache-2.0
"""A small API of what applications do with smart cards: list, sign, decrypt, agree, enrol.

Errors are :class:`~vreader.minidriver.abi.returncodes.MinidriverError`, with the code an
application of Windows would see.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric import ec

from vreader.minidriver.abi.blobs import PrivateKey
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.choosing import (
    agrees,
    choose_container,
    choose_key,
    decrypts,
    signs,
)
from vreader.minidriver.host.containers import Container
from vreader.minidriver.host.keymaking import bring, generate
from vreader.minidriver.host.keys import DEFAULT_KDF, hash_parameters
from vreader.minidriver.host.pins import Respond
from vreader.minidriver.host.prompt import encode_pin
from vreader.minidriver.padding import digest
from vreader.minidriver.values import KdfParameter, Oaep, Pkcs1, Pss

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateSigningRequest


class Enrolled(NamedTuple):
    """What enrolment has put on the card."""

    container: Container
    certificate: "Certificate"


class CryptoProvider:
    """The keys of one card.

    Containers are told by name or by index; None is the default container, or the only one. A key
    specification may be left out: then the container's only key is meant, or the one that fits.

    Args:
        csp: the host of the card; it is closed with the provider.
        ended: called when that is done.
    """

    def __init__(self, csp: BaseCsp, *, ended: Callable[[], None] | None = None) -> None:
        self.csp = csp
        self._ended = ended

    def close(self) -> None:
        """Close the host. May be called twice."""
        self.csp.close()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

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
        algorithm: str = "SHA256",
        pss_salt: int | None = None,
        hashed: bool = False,
    ) -> bytes:
        """Sign.

        Args:
            data: what is signed.
            container: name or index.
            spec: which key of it; the one to sign with by default.
            algorithm: CNG's name of the hash.
            pss_salt: bytes of salt for PSS, instead of PKCS #1; KSP only.
            hashed: ``data`` is the hash already.

        Returns:
            An RSA signature big endian; an ECDSA one as r and s, each as long as the field.
        """
        value = data if hashed else digest(algorithm, data)

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

    # ------------------------------------------------------------------ making keys

    def generate(
        self,
        spec: KeySpec = KeySpec.KEYEXCHANGE,
        *,
        bits: int = 0,
        name: str = "",
        pin_id: int = Role.USER,
    ) -> Container:
        """Make a key on the card, in a new container or the one of that name.

        Where the card makes none the host does and brings it there, unless the policy
        RequireOnCardPrivateKeyGen forbids it (NTE_NOT_SUPPORTED).

        Args:
            spec: what for.
            bits: of an RSA key; by default DefaultPrivateKeyLenBits, or what the card says where
                that is not possible.
            name: of the container; a new GUID by default.
            pin_id: the PIN that shall guard it.
        """

        def work() -> Container:
            return choose_container(self.csp, generate(self.csp, name, spec, bits, pin_id))

        return self.csp.run(work)

    def import_key(
        self,
        key: PrivateKey,
        spec: KeySpec,
        *,
        name: str = "",
        certificate: bytes | None = None,
        pin_id: int = Role.USER,
    ) -> Container:
        """Bring a private key to the card; NTE_PERM where no policy allows it."""

        def work() -> Container:
            index = bring(self.csp, name, spec, key, pin_id)
            if certificate is not None:
                self.csp.containers.write_certificate(index, spec, certificate)
            return choose_container(self.csp, index)

        return self.csp.run(work)

    def write_certificate(
        self, der: bytes, container: "str | int | None" = None, spec: KeySpec | None = None
    ) -> None:
        """Write the certificate of a key."""

        def work() -> None:
            key = choose_key(self.csp, container, spec)
            self.csp.files.writable()
            self.csp.pins.require(Role.USER)
            self.csp.containers.write_certificate(key.container, key.spec, der)

        self.csp.run(work)

    def delete(self, container: "str | int") -> None:
        """Delete a container with its keys and certificates."""

        def work() -> None:
            index = choose_container(self.csp, container).number
            self.csp.files.writable()
            self.csp.pins.require(Role.USER, always=not self.csp.ksp)
            self.csp.containers.delete(index)

        self.csp.run(work)

    def enrol(
        self,
        subject: str,
        issue: "Callable[[CertificateSigningRequest], Certificate]",
        *,
        spec: KeySpec = KeySpec.KEYEXCHANGE,
        bits: int = 0,
        name: str = "",
    ) -> Enrolled:
        """Make a key, have a certificate issued for it and write that to the card.

        When the request cannot be signed or is not answered, the new key is deleted again.

        Args:
            subject: as RFC 4514 writes it, ``CN=alice``.
            issue: the certification authority.
            spec: what the key is for.
            bits: of an RSA key.
            name: of the container; these three as for :meth:`generate`.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import Encoding

        from vreader.minidriver.host.cardkey import card_key

        builder = x509.CertificateSigningRequestBuilder().subject_name(
            x509.Name.from_rfc4514_string(subject)
        )
        container = self.generate(spec, bits=bits, name=name)
        try:
            signer: Any = card_key(self, container.number, spec)
            certificate = issue(builder.sign(signer, hashes.SHA256()))
            der = certificate.public_bytes(Encoding.DER)
            self.write_certificate(der, container.number, spec)
        except BaseException:
            self.delete(container.number)
            raise
        return Enrolled(container, certificate)

    # ------------------------------------------------------------------ PINs

    def set_pin(self, pin: str | bytes, pin_id: int = Role.USER) -> None:
        """Say the PIN, so that nobody is asked; what becomes of it is the PIN's policy."""
        value = encode_pin(pin)
        self.csp.run(lambda: self.csp.pins.set_pin(pin_id, value))

    def change_pin(self, current: str | bytes, new: str | bytes, pin_id: int = Role.USER) -> None:
        """Change a PIN; SCARD_W_WRONG_CHV and SCARD_W_CHV_BLOCKED carry the attempts left."""
        one, other = encode_pin(current), encode_pin(new)
        self.csp.run(lambda: self.csp.pins.change(pin_id, one, other))

    def unblock(
        self,
        new: str | bytes,
        authentication: "str | bytes | Respond",
        *,
        pin_id: int = Role.USER,
        by: int | None = None,
    ) -> None:
        """Set a new PIN with a PUK, or with a function that answers the card's challenge."""
        value = encode_pin(new)
        told = authentication if callable(authentication) else encode_pin(authentication)
        self.csp.run(lambda: self.csp.pins.unblock(pin_id, value, told, by))

    def authenticate_admin(self, respond: Respond) -> None:
        """Log in as administrator until the transaction ends."""
        self.csp.run(lambda: self.csp.pins.respond(respond))
