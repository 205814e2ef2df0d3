# SPDX-License-Identifier: Apache-2.0
"""The base of card kinds whose cards are applets over a memory: files, images, common options.

A kind says what its cards are made of; here is what is the same for all of them. Imported with
every start of the tool, so everything heavy is imported where it is needed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cards.platform import identity
from vreader.card import Card, Description, MemoryStore, Store, check_options
from vreader.errors import UsageError, VreaderError
from vreader.iso7816 import SW

if TYPE_CHECKING:
    from cards.platform.applet import Application, CardStatus
    from cards.platform.card import AppletCard
    from cards.platform.nvm import Key, Nvm

# What a card may raise over a memory that was changed from outside.
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError)


class AppletKind(ABC):
    """Base of a :class:`vreader.card.KeepingKind` over :class:`cards.platform.AppletCard`.

    Attributes:
        PROFILES: profile → one line about it; the first is the default.
        OPTIONS: creation option → one line about it; the common ones are added.
        PROVISIONING: provisioning option → one line about it.
        LAYOUT: version of what the kind keeps in the memory; a newer one is refused.
    """

    name: str
    summary: str
    reader_name: str | None = None
    aids: Sequence[bytes] = ()
    PROFILES: Mapping[str, str]
    OPTIONS: Mapping[str, str] = {}
    PROVISIONING: Mapping[str, str] = {}
    LAYOUT = 1

    # ------------------------------------------------------------------ what a kind says

    @abstractmethod
    def initialise(
        self, nvm: "Nvm", profile: str, options: Mapping[str, str], seed: bytes | None
    ) -> None:
        """Write a new card into an empty memory; raises UsageError for a wrong option."""

    @abstractmethod
    def build(self, nvm: "Nvm", profile: str) -> "AppletCard":
        """Return the card over an initialised memory, by way of :meth:`assemble`."""

    def outline(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return profile, ATR and the AIDs of the applications."""
        from cards.platform.card import AppletCard

        assert isinstance(card, AppletCard), "a card of this kind"
        aids = [application.aid.hex().upper() for application in card.applications]
        return (
            ("profile", (card.nvm.area("card").get("profile") or b"").decode()),
            ("ATR", card.atr.hex(" ").upper()),
            ("applications", ", ".join(aid for aid in aids if aid) or "none"),
        )

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return (label, value) lines about the card; those of the kind itself."""
        return ()

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Give a new card keys and certificates."""
        if options:
            raise UsageError(
                f"a card of kind {self.name} takes no keys", hint="leave out " + ", ".join(options)
            )

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain a C-APDU; nothing by default."""
        return Description("")

    # ------------------------------------------------------------------ what is the same for all

    def profiles(self) -> Mapping[str, str]:
        """Profile → one line about it; the first is the default."""
        return self.PROFILES

    def options(self) -> Mapping[str, str]:
        """Creation option → one line about it."""
        return {**self.OPTIONS, **identity.OPTIONS}

    def provisioning(self) -> Mapping[str, str]:
        """Provisioning option → one line about it."""
        return self.PROVISIONING

    def assemble(
        self,
        nvm: "Nvm",
        atr: bytes,
        make: "Callable[[], Sequence[Application]]",
        *,
        channels: int = 1,
        default: bytes | None = None,
        status: "CardStatus | None" = None,
        unknown: SW = SW.FILE_NOT_FOUND,
        unselected: SW = SW.INS_NOT_SUPPORTED,
    ) -> "AppletCard":
        """Return the card with what its common options change: ATR, further applications."""
        from cards.platform.card import AppletCard

        own = nvm.area("card")
        return AppletCard(
            identity.atr(own, atr),
            lambda: (*make(), *identity.applications(own)),
            nvm,
            channels=channels,
            default=default,
            status=status,
            unknown=unknown,
            unselected=unselected,
        )

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Make a new card, or open the one that is already in the store's file.

        The options describe a card that is made; a card that exists keeps what it is, only a
        different profile is refused.

        Raises:
            UsageError: an unknown profile, option or value, or the file's card has another profile.
            VreaderError: the file cannot be used.
        """
        check_options(options, self.options(), self.name)
        profile = profile or next(iter(self.PROFILES))
        if profile not in self.PROFILES:
            raise UsageError(
                f"card kind {self.name} has no profile {profile!r}",
                hint="profiles of this kind: " + ", ".join(self.PROFILES),
            )
        from cards.platform.nvm import MemoryBackend, Nvm, open_nvm

        # Made in memory first: a wrong option must not leave an empty file behind.
        made = Nvm(MemoryBackend())
        own = made.area("card")
        own.put("kind", self.name.encode())
        own.put("profile", profile.encode())
        own.put("layout", bytes((self.LAYOUT,)))
        identity.write(own, options)
        self.initialise(made, profile, options, seed)
        made.commit()
        if store.path is None:
            return self.build(made, profile)
        nvm = open_nvm(store, self.name)
        if not nvm.empty:
            return self._existing(nvm, store, profile)
        try:
            nvm.replace(made.content())
            nvm.commit()
            card = self.build(nvm, profile)
            self.born(card)
        except BaseException:
            nvm.close()
            raise
        return card

    def open(self, store: Store) -> Card:
        """Reopen the card in ``store``."""
        import os

        if store.path is None or not os.path.exists(store.path):  # noqa: PTH110 - pathlib loads slowly
            raise UsageError(
                f"there is no card in {store.path or 'memory'}",
                hint="name the state file of an existing card, or make a new one",
            )
        from cards.platform.nvm import open_nvm

        nvm = open_nvm(store, self.name)
        if nvm.empty:
            nvm.close()
            raise UsageError(
                f"{store.path} holds no card yet", hint=f"use --card {self.name},state={store.path}"
            )
        return self._existing(nvm, store, None)

    def _existing(self, nvm: "Nvm", store: Store, profile: str | None) -> "AppletCard":
        try:
            own = nvm.area("card")
            found = (own.get("profile") or b"").decode()
            layout = (own.get("layout") or b"\x01")[0]
            if found not in self.PROFILES or layout > self.LAYOUT:
                where = store.path or "the image"
                raise VreaderError(
                    f"{where} holds a {self.name} card of the unknown profile {found!r}"
                    if found not in self.PROFILES
                    else f"{where} holds a {self.name} card of layout {layout}",
                    hint="it was made by a newer vreader; upgrade, or use another state file",
                )
            if profile not in (None, found):
                raise UsageError(
                    f"{store.path} holds a {self.name} card of profile {found}, not {profile}",
                    hint=f"use --card {self.name}:{found},state={store.path}",
                )
            return self.build(nvm, found)
        except _DAMAGE as error:
            nvm.close()
            raise self._unusable(store, error) from error
        except BaseException:
            nvm.close()
            raise

    def _unusable(self, store: Store, error: Exception) -> VreaderError:
        return VreaderError(
            f"{store.path or 'the image'} is no usable card of kind {self.name}:"
            f" {type(error).__name__}",
            hint="it was changed from outside; use a copy, or make a new card",
        )

    # ------------------------------------------------------------------ images

    def holds(self, path: str) -> bool:
        """Tell whether the file has a card of this kind."""
        from cards.platform.statefile import kind_in

        return kind_in(path) == self.name

    def born(self, card: Card) -> None:
        """Keep the present image for :meth:`restore`."""
        from cards.platform.image import remember

        remember(_memory(card))

    def restore(self, card: Card) -> None:
        """Make the card again what it was when it was made."""
        from cards.platform.image import first, recall
        from cards.platform.nvm import MemoryBackend, Nvm

        memory = _memory(card)
        content = first(memory)
        # Tried in memory first: a card that works is not given up for one that does not.
        self._filled(Nvm(MemoryBackend()), content, MemoryStore())
        recall(memory, content)

    def export(self, card: Card) -> bytes:
        """Return the image as JSON, secrets included."""
        from cards.platform.image import export

        return export(_memory(card))

    def reads(self, image: bytes) -> bool:
        """Tell whether an exported image is of this kind."""
        from cards.platform.image import kind_of

        return kind_of(image) == self.name

    def load(self, image: bytes, store: Store) -> Card:
        """Make a card of an exported image, in memory or in a new file."""
        from cards.platform.image import read
        from cards.platform.nvm import MemoryBackend, Nvm, open_nvm

        content = read(image, self.name)
        # Tried in memory first: an image that is none must not leave a file behind.
        card = self._filled(Nvm(MemoryBackend()), content, MemoryStore())
        try:
            card.power_on()
            self.facts(card)
        except _DAMAGE as error:
            raise self._unusable(MemoryStore(), error) from error
        card.power_off()
        if store.path is None:
            return card
        nvm = open_nvm(store, self.name)
        if not nvm.empty:
            nvm.close()
            raise UsageError(
                f"{store.path} already holds a card", hint="name a file that does not exist"
            )
        return self._filled(nvm, content, store)

    def _filled(self, nvm: "Nvm", content: "Mapping[Key, bytes]", store: Store) -> "AppletCard":
        nvm.replace(content)
        try:
            nvm.commit()
        except BaseException:
            nvm.close()
            raise
        return self._existing(nvm, store, None)


def _memory(card: Card) -> "Nvm":
    from cards.platform.card import AppletCard

    assert isinstance(card, AppletCard), "a card of this kind"
    return card.nvm
