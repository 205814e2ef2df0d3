# SPDX-License-Identifier: Apache-2.0
"""How a card is named in one string, and the card made from it.

``SPEC`` is one of::

    kind[:profile][,key=value…]     an installed kind; those whose cards are kept in files take
                                    ``state=FILE`` and ``seed=HEX``
    file.toml[,key=value…]          a card with keys, see :class:`vreader.recipe.Recipe`
    file.py:Class[,key=value…]      a class of your own, called with the keys as arguments
    atr:3B…                         a card that answers this ATR and 6D00 to everything
    vpcd-listen:[HOST:]PORT[,…]     the card of a program that connects, see
                                    :class:`vreader.listenspec.ListenSpec`
    none                            an empty reader
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from vreader.card import Card, CardKind, FileStore, KeepingKind, MemoryStore, Store, check_options
from vreader.classfile import load_class
from vreader.errors import UsageError
from vreader.iso7816 import SW, Atr
from vreader.iso7816.atr import MAX_ATR_LENGTH, AtrError
from vreader.kinds import find_kind, keeping_kinds
from vreader.listenspec import LISTEN, ListenSpec

if TYPE_CHECKING:
    from vreader.recipe import Recipe

_NO_OPTIONS: Mapping[str, str] = {}


class CardSpec(NamedTuple):
    """A parsed SPEC.

    Attributes:
        text: as typed.
        form: ``kind``, ``toml``, ``file``, ``atr``, ``vpcd-listen`` or ``none``.
        name: the kind, the file's path, the ATR in hex; empty for ``none``.
        profile: the kind's profile, or the class in the file; empty for the default.
        options: the remaining keys.
        state: the state file, or None.
        seed: makes the card repeatable, or None.
    """

    text: str
    form: str
    name: str = ""
    profile: str = ""
    options: Mapping[str, str] = _NO_OPTIONS
    state: str | None = None
    seed: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> "CardSpec":
        """Read a SPEC; raises UsageError for what cannot be one."""
        if not text.isprintable():
            raise UsageError("a card is described in printable characters", hint=_FORMS)
        if text.partition(",")[0].partition(":")[0] == LISTEN:
            ListenSpec.parse(text)
            return cls(text, LISTEN)
        head, *pairs = text.split(",")
        options: dict[str, str] = {}
        # What follows the head may be PINs and keys: errors do not repeat it.
        for number, pair in enumerate(pairs, 1):
            key, equals, value = pair.partition("=")
            if not equals or not key:
                raise UsageError(f"option {number} of card {head!r} is not key=value", hint=_FORMS)
            if key in options:
                raise UsageError(f"card {head!r} has {key} twice", hint="leave one of them out")
            options[key] = value
        state = options.pop("state", None)
        if state == "":
            raise UsageError(f"state= of card {head!r} names no file", hint="write state=my.card")
        seed = _hex(options.pop("seed"), "seed") if "seed" in options else None
        name, colon, profile = head.partition(":")
        if head == "none":
            form, name = "none", ""
        elif name == "none":
            raise UsageError("an empty reader has no profile", hint="write none")
        elif name == "atr":
            form, name, profile = "atr", profile, ""
            if len(_hex(name, "ATR")) > MAX_ATR_LENGTH:
                raise UsageError(
                    f"an ATR has at most {MAX_ATR_LENGTH} bytes",
                    hint="leave some out; no reader takes more, of a garbled one neither",
                )
        elif name.endswith(".py"):
            form = "file"
            if not profile:
                raise UsageError(f"{head!r} names no class", hint=f"write {name}:Class")
        elif head.endswith(".toml"):
            form, name, colon, profile = "toml", head, "", ""
        else:
            form = "kind"
        if not name and form == "kind":
            raise UsageError(f"card {head!r} names no kind", hint=_FORMS)
        if form == "kind" and colon and not profile:
            raise UsageError(
                f"{head!r} names no profile", hint=f"see 'vreader cards', or write {name}"
            )
        if (form not in _KEEPING and (state or seed)) or (form in ("none", "atr") and options):
            raise UsageError(f"card {head!r} takes no such options", hint=_FORMS)
        return cls(text, form, name, profile, options, state, seed)

    def with_state(self, path: str) -> "CardSpec":
        """Return the same card kept in the state file ``path``."""
        if not path:
            raise UsageError("--state names no file", hint="for example --state my.card")
        if "," in path:
            raise UsageError(
                "--state names a file with a comma", hint="rename it: a comma separates keys"
            )
        if self.form not in _KEEPING:
            raise UsageError(
                f"card {self.label!r} keeps no state file", hint="only installed kinds do"
            )
        if self.state is not None:
            raise UsageError("--state and state= both name a file", hint="give one of them")
        return self._replace(state=path)

    @property
    def label(self) -> str:
        """The card without its options, which may be PINs and keys; for lists."""
        head = self.text.partition(",")[0]
        return head if self.state is None else f"{head},state={self.state}"

    @property
    def warning(self) -> str:
        """What a person may not have meant, or nothing."""
        if self.form != "atr":
            return ""
        try:
            Atr.parse(bytes.fromhex(self.name))
        except AtrError as error:
            return f"{self.name} is not a valid ATR ({error}); it is sent as it is"
        return ""

    @property
    def listening(self) -> ListenSpec | None:
        """Where a program connects whose card it is, or None."""
        return ListenSpec.parse(self.text) if self.form == LISTEN else None

    @property
    def kind(self) -> CardKind | None:
        """The card kind, or None for the forms that have none."""
        if self.form == "toml":
            return find_kind(self._recipe().kind)
        return _installed(self.name) if self.form == "kind" else None

    @property
    def reader_name(self) -> str | None:
        """The reader this card's users expect, or None for the default."""
        kind = self.kind
        return None if kind is None else kind.reader_name

    def check(self) -> None:
        """Refuse an installed kind's profile or option that there is not; no card is made.

        Raises:
            VreaderError: so do unknown kinds.
        """
        if self.form != "kind":
            return
        kind = _installed(self.name)
        profiles = kind.profiles()
        if self.profile and self.profile not in profiles and not _is_class_of(kind, self.profile):
            raise UsageError(
                f"card kind {self.name} has no profile {self.profile!r}",
                hint="profiles: " + ", ".join(profiles),
            )
        if isinstance(kind, KeepingKind):
            check_options(self.options, kind.options(), self.name)

    def make(self) -> Card | None:
        """Make the card, or open it where its state file exists; None for an empty reader.

        So is one that listens, until a program connects.

        Raises:
            VreaderError: unknown kind, profile or option, unusable file.
        """
        if self.form in ("none", LISTEN):
            return None
        if self.form == "atr":
            return AtrCard(bytes.fromhex(self.name))
        if self.form == "file":
            return self._from_file()
        if self.form == "toml":
            from vreader.cardfile import make

            return make(self._recipe(), self._store())
        self.check()
        kind = _installed(self.name)
        # Where nothing is said about the card but its file, it is the card in it.
        path = None if self.profile or self.options else self.state
        if path and isinstance(kind, KeepingKind) and kind.holds(path):
            return kind.open(FileStore(path))
        profile = self.profile or next(iter(kind.profiles()))
        return kind.create(profile, self.options, self._store(), self.seed)

    def _store(self) -> Store:
        return MemoryStore() if self.state is None else FileStore(self.state)

    def _recipe(self) -> "Recipe":
        from vreader.recipe import Recipe

        return Recipe.load(self.name).with_options(self.options, seed=self.seed)

    def _from_file(self) -> Card:
        card_class = load_class(self.name, self.profile)
        try:
            card = card_class(**self.options)
        except Exception as error:
            raise UsageError(
                f"{self.profile} of {self.name} cannot be made: {error}",
                hint="the keys of the card are passed to the class as keyword arguments",
            ) from error
        if not isinstance(card, Card):
            raise UsageError(
                f"{self.profile} of {self.name} is not a card",
                hint="it needs power_on, reset, power_off and transmit",
            )
        return card


_FORMS = (
    "write kind[:profile][,key=value…], file.toml, file.py:Class, atr:3B…, vpcd-listen:PORT or none"
)
_KEEPING = ("kind", "toml")


def _is_class_of(kind: CardKind, profile: str) -> bool:
    """Tell whether ``profile`` is ``file.py:Class``, of a kind that takes one."""
    return ".py:" in profile and getattr(kind, "takes_classes", False) is True


def _installed(name: str) -> CardKind:
    """Return the kind ``name``; raises VreaderError, which tells how a card's file is named."""
    try:
        return find_kind(name)
    except UsageError as error:
        if os.path.isfile(name):  # noqa: PTH113 - pathlib is slow to import
            for kind in keeping_kinds():
                if kind.holds(name):
                    hint = f"it is a file with a card: --state {name}, or {kind.name},state={name}"
                    raise UsageError(str(error), hint=hint) from None
        raise


def _hex(text: str, what: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if not value:
        raise UsageError(f"{text!r} is not a hexadecimal {what}", hint="write bytes as 3B80800101")
    return value


class AtrCard:
    """A card that answers one ATR, and 6D00 to every command."""

    def __init__(self, atr: bytes) -> None:
        self._atr = atr

    def power_on(self) -> bytes:
        """Return the ATR."""
        return self._atr

    def reset(self) -> bytes:
        """Return the ATR."""
        return self._atr

    def power_off(self) -> None:
        """Keep nothing."""

    def transmit(self, c_apdu: bytes) -> bytes:
        """Return 6D00."""
        return SW.INS_NOT_SUPPORTED.to_bytes2()
