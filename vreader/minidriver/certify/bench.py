# SPDX-License-Identifier: Apache-2.0
"""The bench a check works at: a machine with one reader, the card in it, the minidriver loaded.

The transaction is held for the minidriver, as a host does. Contexts are of version 7 unless the
check says otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.minidriver.abi.blobs import BlobError, PublicKey, decode_public
from vreader.minidriver.abi.codes import CreateContainer, KeySpec
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.pins import ADMIN_NAME, USER_NAME, Role
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.callbacks import ALL_CALLBACKS, CardData
from vreader.minidriver.certify.check import Failed, NotApplicable
from vreader.minidriver.certify.csp import Callbacks, response
from vreader.minidriver.certify.settings import OPTIONAL_FUNCTIONS, Settings
from vreader.minidriver.certify.subject import Meddler, Subject
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import DllReason, Module
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD
from vreader.winscard.profile import WINDOWS

MAX_CONTAINERS = 32
KEYS_LOOKED_AT = 8
ROOM = 1024
ADMIN_KEY_SIZE = 24


class Key(NamedTuple):
    """A key on the card: its container, what it is for, its public half."""

    container: int
    spec: KeySpec
    public: PublicKey


class Bench:
    """A machine, and words for what checks do again and again.

    Attributes:
        subject, settings: as given.
        host, reader, api, card: the machine's.
        module: the minidriver as loaded.
        handle: (hSCardCtx, hScard) of the program.
        callbacks: the program's, as a host.
    """

    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings
        self.host = Host(WINDOWS)
        try:
            self.reader = self.host.add_reader("Certification")
            self.card = Meddler(subject.card())
            self.reader.insert(self.card)
            self.api = ScardApi(self.host)
            self.callbacks = Callbacks()
            self.handle = self.connect()
            self.api.SCardBeginTransaction(self.handle[1])
            self.module: Module = subject.load(self.api)
            if not self.module.DllMain(DllReason.PROCESS_ATTACH):
                raise Failed("DllMain refuses to be loaded")
        except BaseException:
            self.host.close()
            raise

    def close(self) -> None:
        """Unload the minidriver, shut the machine down."""
        try:
            close = getattr(self.module, "close", None)
            if callable(close):
                close()
        finally:
            self.host.close()
            self.card.close()

    # ------------------------------------------------------------------ contexts

    def connect(self) -> tuple[int, int]:
        """Return (hSCardCtx, hScard) of one more program."""
        context = self.api.SCardEstablishContext()
        return context, self.api.SCardConnect(context, self.reader.name)[0]

    def data(self, **changes: Any) -> CardData:  # noqa: ANN401 - members of CardData
        """Return what a host fills into CARD_DATA."""
        context, card = changes.pop("handle", self.handle)
        filled: dict[str, Any] = {
            "version": self.settings.current_version,
            "atr": self.api.SCardStatus(self.handle[1]).atr if "atr" not in changes else b"",
            "card_name": self.subject.card_name,
            "context": context,
            "card": card,
            "host": self.callbacks,
            "callbacks": ALL_CALLBACKS,
        }
        return CardData(**(filled | changes))

    def acquire(self, **changes: Any) -> Minidriver:  # noqa: ANN401 - members of CardData
        """Make a context."""
        return self.module.CardAcquireContext(self.data(**changes), 0)

    @cached_property
    def md(self) -> Minidriver:
        """The context most checks work with."""
        return self.acquire()

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """End the transaction for a while."""
        self.api.SCardEndTransaction(self.handle[1])
        yield
        self.api.SCardBeginTransaction(self.handle[1])

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
        except MinidriverError:
            return False
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

    def secret(self, role: int) -> bytes:
        """Return the PIN or key of a role; raises NotApplicable where nobody told it."""
        if role not in self.settings.pins:
            raise NotApplicable(f"the settings have no PIN for role {role}")
        return self.settings.pins[role]

    def user(self) -> None:
        """Log in as the user."""
        self.md.CardAuthenticatePin(USER_NAME, self.pin)

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
        except MinidriverError:
            return None
        blob = info.exchange if spec.is_exchange else info.signature
        if not blob:
            return None
        try:
            key, of = decode_public(blob)
        except BlobError:
            return None
        return key if of is spec else None

    def key(self, *specs: KeySpec) -> Key:
        """Return a key of the card with one of the specifications; made where there is none."""
        for container in range(KEYS_LOOKED_AT):
            for spec in specs:
                if (public := self.public(container, spec)) is not None:
                    return Key(container, spec, public)
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
