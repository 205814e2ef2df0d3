# SPDX-License-Identifier: Apache-2.0
"""A small API of what applications do with smart cards: list, sign, decrypt, agree, enrol.

Errors are :class:`~vreader.minidriver.abi.returncodes.MinidriverError`, with the code an
application of Windows would see.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from vreader.minidriver.abi.blobs import PrivateKey
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.host.acquiring import AcquireFlag, acquire
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.choosing import choose_container, choose_key
from vreader.minidriver.host.containers import Container
from vreader.minidriver.host.enrolment import Enrolled, enrol
from vreader.minidriver.host.injection import Channel, KeyServer, inject_key
from vreader.minidriver.host.keymaking import bring, generate
from vreader.minidriver.host.keyuse import KeyUse
from vreader.minidriver.host.pins import Respond
from vreader.minidriver.host.prompt import encode_pin
from vreader.minidriver.host.roots import read_roots, write_roots

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateSigningRequest


class CryptoProvider(KeyUse):
    """The keys of one card.

    Containers are told by name or by index; None is the default container, or the only one. A key
    specification may be left out: then the container's only key is meant, or the one that fits.

    Args:
        csp: the host of the card; it is closed with the provider.
        ended: called when that is done.
    """

    def __init__(self, csp: BaseCsp, *, ended: Callable[[], None] | None = None) -> None:
        super().__init__(csp)
        self._ended = ended

    def close(self) -> None:
        """Close the host. May be called twice."""
        ended, self._ended = self._ended, None
        try:
            self.csp.close()
        finally:
            if ended is not None:
                ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def acquire(
        self, container: "str | int | None" = None, flags: int = AcquireFlag(0)
    ) -> Container | None:
        """Do what CryptAcquireContext does; see :mod:`vreader.minidriver.host.acquiring`."""
        return self.csp.run(lambda: acquire(self.csp, container, flags))

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

        When the request cannot be signed or is not answered, the new container is deleted again; a
        new key in a container that had another one stays.

        Args:
            subject: as RFC 4514 writes it, ``CN=alice``.
            issue: the certification authority.
            spec: what the key is for.
            bits: of an RSA key.
            name: of the container; these three as for :meth:`generate`.
        """
        return enrol(self, subject, issue, spec=spec, bits=bits, name=name)

    def inject_key(
        self,
        server: KeyServer,
        key: PrivateKey,
        spec: KeySpec,
        *,
        name: str = "",
        via: "str | int | None" = None,
        pin_id: int = Role.USER,
    ) -> Container:
        """Bring a key that a server encrypts for the card, so that it is never seen on the way.

        Args:
            server: encrypts; it has the same minidriver and no card.
            key: the private key.
            spec: what it is for.
            name: of its container, a new one or one with room.
            via: the container whose RSA key protects the session key.
            pin_id: the PIN that guards it.

        Raises:
            MinidriverError: NTE_NOT_SUPPORTED where the card has no key injection under RSA.
        """

        def work() -> Container:
            index = inject_key(self.csp, server, key, spec, name=name, via=via, pin_id=pin_id)
            return choose_container(self.csp, index)

        return self.csp.run(work)

    # ------------------------------------------------------------------ certificates of CAs

    def roots(self) -> "list[Certificate]":
        """Return the certificates of CAs on the card; none where it has no ``msroots``."""
        return self.csp.run(lambda: read_roots(self.csp))

    def write_roots(self, certificates: "Sequence[Certificate]") -> None:
        """Replace the certificates of CAs on the card."""

        def work() -> None:
            self.csp.files.writable()
            self.csp.pins.require(Role.USER)
            write_roots(self.csp, certificates)

        self.csp.run(work)

    # ------------------------------------------------------------------ PINs

    def set_pin(self, pin: str | bytes, pin_id: int = Role.USER) -> None:
        """Say the PIN, so that nobody is asked; what becomes of it is the PIN's policy."""
        value = encode_pin(pin)
        self.csp.run(lambda: self.csp.pins.set_pin(pin_id, value))

    def change_pin(
        self, current: str | bytes | None, new: str | bytes | None, pin_id: int = Role.USER
    ) -> None:
        """Change a PIN; SCARD_W_WRONG_CHV and SCARD_W_CHV_BLOCKED carry the attempts left.

        None for both has them typed at the reader, which is for such PINs alone.
        """
        one, other = _encoded(current), _encoded(new)
        self.csp.run(lambda: self.csp.pins.change(pin_id, one, other))

    def unblock(
        self,
        new: str | bytes | None,
        authentication: "str | bytes | Respond | None",
        *,
        pin_id: int = Role.USER,
        by: int | None = None,
    ) -> None:
        """Set a new PIN with a PUK, or with a function that answers the card's challenge.

        None has the new PIN, or the PUK, typed at the reader.
        """
        value = _encoded(new)
        told = authentication if callable(authentication) else _encoded(authentication)
        self.csp.run(lambda: self.csp.pins.unblock(pin_id, value, told, by))

    def inject_pin(
        self,
        server: KeyServer,
        current: str | bytes,
        new: str | bytes,
        *,
        via: "str | int | None" = None,
        pin_id: int = Role.USER,
    ) -> None:
        """Change a PIN by what a server encrypts for the card; see :meth:`inject_key`."""
        one, other = encode_pin(current), encode_pin(new)

        def work() -> None:
            with Channel(self.csp, server, via) as channel:
                channel.change_pin(pin_id, one, other)

        self.csp.run(work)

    def authenticate_admin(self, respond: Respond) -> None:
        """Log in as administrator until the transaction ends."""
        self.csp.run(lambda: self.csp.pins.respond(respond))


def _encoded(pin: str | bytes | None) -> bytes | None:
    return None if pin is None else encode_pin(pin)
