# SPDX-License-Identifier: Apache-2.0
"""The bench a check works at: what is on the card, who is authenticated, which keys there are."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from vreader.minidriver.abi.blobs import BlobError, PublicKey, decode_public
from vreader.minidriver.abi.codes import CreateContainer, KeySpec
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.pins import ADMIN_NAME, USER_NAME, Role
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError, name_of
from vreader.minidriver.abi.structs import CARD_FREE_SPACE_INFO, CARD_KEY_SIZES
from vreader.minidriver.certify.check import Failed, NotApplicable
from vreader.minidriver.certify.csp import response
from vreader.minidriver.certify.machine import Machine
from vreader.minidriver.certify.settings import OPTIONAL_FUNCTIONS
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD

MAX_CONTAINERS = 32
KEYS_LOOKED_AT = 8
ROOM = 1024
ADMIN_KEY_SIZE = 24
SIGNING = tuple(spec for spec in KeySpec if spec.is_rsa or not spec.is_exchange)
REFUSED = "the user's PIN of the settings is refused"


class Key(NamedTuple):
    """A key on the card: its container, what it is for, its public half."""

    container: int
    spec: KeySpec
    public: PublicKey


class Bench(Machine):
    """A machine, and words for what checks do again and again."""

    # ------------------------------------------------------------------ what there is

    def need(self, *functions: str) -> None:
        """Raise NotApplicable unless the functions are there and the settings say so."""
        told = set(self.settings.functions)
        for name in functions:
            if name not in self.md.table():
                raise NotApplicable(f"{name} is NULL")
            if name in OPTIONAL_FUNCTIONS and name not in told:
                raise NotApplicable(f"the settings say that {name} is not supported")

    def get(self, name: str, flags: int = 0, struct: Struct | None = None) -> bytes:
        """Return a property; a structure says the version that is asked for."""
        self.need("CardGetProperty")
        head = struct.encode() if struct else b""
        return self.md.CardGetProperty(name, head.ljust(ROOM, b"\0"), flags)

    def maybe(self, name: str, flags: int = 0, struct: Struct | None = None) -> bytes:
        """Return a property; raises NotApplicable where it is not supported."""
        try:
            return self.get(name, flags, struct)
        except MinidriverError as error:
            if error.code in (SCARD.E_INVALID_PARAMETER, SCARD.E_UNSUPPORTED_FEATURE):
                raise NotApplicable(f"the property {name} is not supported") from None
            raise

    @cached_property
    def read_only(self) -> bool:
        """Whether the card says that nobody can write it."""
        if "CardGetProperty" not in self.md.table():
            return False
        try:
            return any(self.get(CardProperty.READ_ONLY))
        except MinidriverError:
            return False

    def writable(self) -> None:
        """Raise NotApplicable for a card that nobody can write."""
        if self.read_only:
            raise NotApplicable("the card is read-only")

    @cached_property
    def specs(self) -> tuple[KeySpec, ...]:
        """The key specifications that settings and card know."""
        return tuple(spec for spec in self.settings.key_types if self._has(spec))

    def _has(self, spec: KeySpec) -> bool:
        try:
            self.md.CardQueryKeySizes(spec, 0, CARD_KEY_SIZES())
        except MinidriverError as error:
            if error.code in (SCARD.E_INVALID_PARAMETER, SCARD.E_UNSUPPORTED_FEATURE):
                return False
            raise
        return True

    def spec(self, *wanted: KeySpec) -> KeySpec:
        """Return the first of some key specifications that the card has."""
        for spec in wanted:
            if spec in self.specs:
                return spec
        raise NotApplicable("the card has no key of type " + " or ".join(s.name for s in wanted))

    # ------------------------------------------------------------------ PINs

    @property
    def pin(self) -> bytes:
        """The user's PIN; raises NotApplicable where nobody told it."""
        return self.secret(Role.USER)

    @property
    def new_pin(self) -> bytes:
        """Another PIN for the user, as long as the one that is told."""
        new = self.pin[::-1]
        return new if new != self.pin else new[:-1] + (b"1" if new.endswith(b"0") else b"0")

    def secret(self, role: int) -> bytes:
        """Return the PIN or key of a role; raises NotApplicable where nobody told it."""
        if role not in self.settings.pins:
            raise NotApplicable(f"the settings have no PIN for role {role}")
        return self.settings.pins[role]

    def user(self) -> None:
        """Log in as the user; that the PIN is refused is never what a check asks for."""
        try:
            self.md.CardAuthenticatePin(USER_NAME, self.pin)
        except MinidriverError as error:
            if error.code in (SCARD.W_WRONG_CHV, SCARD.W_CHV_BLOCKED):
                raise Failed(f"{REFUSED}: {name_of(error.code)}") from None
            raise

    def admin(self) -> None:
        """Log in as the administrator, by challenge and response."""
        self.admin_key()
        challenge = self.md.CardGetChallenge()
        self.md.CardAuthenticateChallenge(response(self.secret(Role.ADMIN), challenge))

    def admin_key(self) -> bytes:
        """Return the administrator's key; raises NotApplicable for a card without."""
        key = self.secret(Role.ADMIN)
        self.need("CardGetChallenge", "CardAuthenticateChallenge")
        if len(key) != ADMIN_KEY_SIZE:
            raise NotApplicable("the administrator has no key for challenges")
        return key

    def logout(self) -> None:
        """Log out of everything, by reset where the minidriver cannot."""
        if "CardDeauthenticate" in self.md.table():
            try:
                self.md.CardDeauthenticate(USER_NAME, 0)
                self.md.CardDeauthenticate(ADMIN_NAME, 0)
            except MinidriverError as error:
                if error.code != SCARD.E_UNSUPPORTED_FEATURE:
                    raise
            else:
                return
        raise NotApplicable("the minidriver cannot log out")

    # ------------------------------------------------------------------ keys

    def public(self, container: int, spec: KeySpec) -> PublicKey | None:
        """Return the public key of a container for a use; None where it has none."""
        try:
            info = self.md.CardGetContainerInfo(container, 0, ContainerInfo())
        except MinidriverError as error:
            if error.code in (SCARD.E_NO_KEY_CONTAINER, SCARD.E_INVALID_PARAMETER):
                return None
            raise
        blob = info.exchange if spec.is_exchange else info.signature
        if not blob:
            return None
        try:
            key, of = decode_public(blob)
        except BlobError as error:
            raise Failed(
                f"the public key of container {container} cannot be read: {error}"
            ) from None
        return key if of is spec else None

    def keys(self, *specs: KeySpec) -> Iterator[Key]:
        """Yield the keys of the card with one of the specifications."""
        for container in range(KEYS_LOOKED_AT):
            for spec in specs:
                if (public := self.public(container, spec)) is not None:
                    yield Key(container, spec, public)

    def pin_of(self, container: int) -> int:
        """Return the PIN that guards a container; the user's where no property says so."""
        if "CardGetContainerProperty" not in self.md.table():
            return Role.USER
        name = ContainerProperty.PIN_IDENTIFIER
        raw = self.md.CardGetContainerProperty(container, name, bytes(ROOM), 0)
        return int.from_bytes(raw if isinstance(raw, bytes) else b"", "little")

    def key(self, *specs: KeySpec, guarded: bool = False) -> Key:
        """Return a key of the card with one of the specifications; made where there is none.

        Args:
            specs: the first that is there counts.
            guarded: a PIN must guard it.
        """
        for key in self.keys(*specs):
            if not guarded or self.pin_of(key.container) != Role.EVERYONE:
                return key
        self.writable()
        spec = self.spec(*specs)
        container = self.free_container()
        self.user()
        self.generate(container, spec)
        public = self.public(container, spec)
        if public is None:
            raise Failed("a container that was generated is not there")
        return Key(container, spec, public)

    def generate(self, container: int, spec: KeySpec) -> None:
        """Generate a key of the smallest size."""
        sizes = self.md.CardQueryKeySizes(spec, 0, CARD_KEY_SIZES())
        size = sizes.dwMinimumBitlen if spec.is_rsa else 0
        self.md.CardCreateContainer(container, CreateContainer.KEY_GEN, spec, size, None)

    def free_container(self) -> int:
        """Return the first index without a container."""
        space = self.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
        for container in range(min(space.dwMaxKeyContainers, MAX_CONTAINERS)):
            try:
                self.md.CardGetContainerInfo(container, 0, ContainerInfo())
            except MinidriverError as error:
                if error.code == SCARD.E_NO_KEY_CONTAINER:
                    return container
                raise
        raise NotApplicable("there is no free container")
