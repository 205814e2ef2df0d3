# SPDX-License-Identifier: Apache-2.0
"""Choices of a Windows that pairs: what an administrator sets, and what no page says.

Two of them (``plug-and-play``, ``update``) are in the machine's registry, and a policy here is for
what it does not say, or to be tried in its place.
"""

from string import hexdigits
from typing import Any, Final, NamedTuple

from vreader.errors import UsageError, near
from vreader.pairing.discovery import NOT_FOUND
from vreader.registry import Registry
from vreader.winscard.discovery import ProbeOrder

SCPNP: Final = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\ScPnP"
SEARCHING: Final = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\DriverSearching"

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "plug-and-play": ("registry", "on", "off"),
    "suppress": ("foreign-csp", "any-match", "never"),
    "ef-atr": ("yes", "no"),
    "guid-order": ("windows", "raw"),
    "walk": ("name", "created"),
    "update": ("registry", "always", "not-found", "never"),
    "signers-equal": ("os", "yes", "no"),
    "winscard": ("list", "table", "off"),
    "self-register": ("no", "yes"),
}
MEANINGS: Final[dict[str, str]] = {
    "plug-and-play": "group policy 'Turn on Smart Card Plug and Play service' (EnableScPnP)",
    "suppress": "which entry that matches a card keeps its device away",
    "ef-atr": "look for the card identifier in EF.ATR too",
    "guid-order": "how a GUID's bytes lie in the card identifier",
    "walk": "the order in which Calais entries are tried",
    "update": "when Windows Update is searched (SearchOrderConfig)",
    "signers-equal": "all trusted signers rank alike (AllSignersEqual)",
    "winscard": "GIDS first as the page's list has it, PIV first as its table, or nothing asked",
    "not-found": "status words that mean 'not found' to the class minidriver [6A82]",
    "self-register": "call DllRegisterServer of card modules (before version 5)",
}
_DEFAULTS = {name: values[0] for name, values in CHOICES.items()}


class Policy(NamedTuple):
    """One set of choices; the first value of each in :data:`CHOICES` is the default."""

    plug_and_play: str = _DEFAULTS["plug-and-play"]
    suppress: str = _DEFAULTS["suppress"]
    ef_atr: str = _DEFAULTS["ef-atr"]
    guid_order: str = _DEFAULTS["guid-order"]
    walk: str = _DEFAULTS["walk"]
    update: str = _DEFAULTS["update"]
    signers_equal: str = _DEFAULTS["signers-equal"]
    winscard: ProbeOrder = "list"
    self_register: str = _DEFAULTS["self-register"]
    not_found: tuple[int, ...] = tuple(NOT_FOUND)

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read ``name=value,name=value``; raises UsageError."""
        return cls().with_options(dict(_pair(part) for part in text.split(",") if part))

    def with_options(self, options: dict[str, str]) -> "Policy":
        """Return it with other choices, by the names in MEANINGS; raises UsageError."""
        found = self
        for name, value in options.items():
            if name == "not-found":
                found = found._replace(not_found=_status_words(value))
                continue
            values = CHOICES.get(name)
            if values is None:
                raise UsageError(f"there is no policy {name!r}", hint=near(name, MEANINGS))
            if value not in values:
                raise UsageError(
                    f"policy {name} cannot be {value!r}", hint="one of " + ", ".join(values)
                )
            choice: dict[str, Any] = {name.replace("-", "_"): value}
            found = found._replace(**choice)
        return found

    def record(self) -> dict[str, str]:
        """Return what differs from the defaults, by name."""
        told = {}
        for name in CHOICES:
            value = getattr(self, name.replace("-", "_"))
            if value != _DEFAULTS[name]:
                told[name] = value
        if self.not_found != tuple(NOT_FOUND):
            told["not-found"] = "/".join(f"{sw:04X}" for sw in self.not_found)
        return told

    # ------------------------------------------------------------------ on a machine

    def card_pnp(self, registry: Registry) -> bool:
        """Say whether smart card Plug and Play is on."""
        if self.plug_and_play != "registry":
            return self.plug_and_play == "on"
        return _number(registry, SCPNP, "EnableScPnP") != 0

    def update_search(self, registry: Registry) -> str:
        """Say when Windows Update is searched: ``always``, ``not-found`` or ``never``."""
        if self.update != "registry":
            return self.update
        number = _number(registry, SEARCHING, "SearchOrderConfig")
        return {0: "never", 2: "not-found"}.get(-1 if number is None else number, "always")


DEFAULT: Final = Policy()


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is no policy", hint="write name=value, for example ef-atr=no")
    return name, value


def _status_words(text: str) -> tuple[int, ...]:
    words = []
    for word in text.split("/"):
        if len(word) != 4 or not set(word) <= set(hexdigits):
            raise UsageError(f"{word!r} is no status word", hint="for example not-found=6A82/6A88")
        words.append(int(word, 16))
    return tuple(words)


def _number(registry: Registry, path: str, name: str) -> int | None:
    key = registry.find(path)
    value = None if key is None else key.find_value(name)
    return value.decoded if value is not None and isinstance(value.decoded, int) else None
