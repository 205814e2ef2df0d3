# SPDX-License-Identifier: Apache-2.0
"""A minidriver whose calls are told as events, secrets masked; so are those that it makes itself.

Masked are PINs and PUKs, session PINs, private and symmetric keys, responses to challenges, what
was decrypted, keys that were derived, and what a minidriver keeps with the host. Where nobody
listens a call costs one comparison more.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any, Final

from vreader.clock import Clock
from vreader.events import Emitter
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.returncodes import SUCCESS, MinidriverError
from vreader.minidriver.callbacks import CardData, HostCallbacks
from vreader.minidriver.events import CardCallEvent, CardCallStarted
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import DllReason, Module
from vreader.winscard.codes import SCARD, ScardError

MASK: Final = "**"
_SHOWN_BYTES: Final = 64

SECRET_ARGUMENTS: Final[dict[str, frozenset[str]]] = {
    "CardAuthenticatePin": frozenset({"pin"}),
    "CardAuthenticateChallenge": frozenset({"response"}),
    "CardUnblockPin": frozenset({"authentication", "new_pin"}),
    "CardChangeAuthenticator": frozenset({"current", "new"}),
    "CardAuthenticateEx": frozenset({"pin"}),
    "CardChangeAuthenticatorEx": frozenset({"authentication", "target"}),
    "CardCreateContainer": frozenset({"key_data"}),
    "CardCreateContainerEx": frozenset({"key_data"}),
    "CardDeriveKey": frozenset({"parameters"}),
    "MDImportSessionKey": frozenset({"data"}),
    "MDEncryptData": frozenset({"data"}),
    "CardImportSessionKey": frozenset({"data"}),
    "CardGetSharedKeyHandle": frozenset({"data"}),
    "CspCacheAddFile": frozenset({"data"}),
    "CspUnpadData": frozenset({"data"}),
}
"""Function → parameters, or members of a structure it is given, that nobody may see."""

SECRET_RESULTS: Final = frozenset(
    {
        "CardAuthenticateEx",
        "CardRSADecrypt",
        "CardDeriveKey",
        "CardGetSharedKeyHandle",
        "CardProcessEncryptedData",
        "CspCacheLookupFile",
        "CspUnpadData",
    }
)


class Traced(Module):
    """A module around another one, whose calls it tells.

    Args:
        module: the one that does the work.
        events: where they are told, a host's ``events``.
        clock: of the machine: how long a call takes.
        reader: the reader's name, for traces.
        unmask: show secrets.
    """

    def __init__(
        self,
        module: Module,
        events: Emitter,
        *,
        clock: Clock,
        reader: str = "",
        unmask: bool = False,
    ) -> None:
        self.module = module
        self._events = events
        self._reader = reader
        self._unmask = unmask
        self._now = clock.now
        self._calls = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the module has
        if name == "module":  # not set yet: an instance that is being copied or unpickled
            raise AttributeError(name)
        return getattr(self.module, name)

    def DllMain(self, reason: DllReason) -> bool:
        """Tell and pass on."""
        return bool(self.tell("DllMain", ("reason",), self.module.DllMain, (reason,)))

    def CardAcquireContext(self, data: CardData | None, flags: int) -> Minidriver:
        """Tell and pass on; the calls of the context are told too, and those of the host."""
        if data is not None:
            data = data._replace(host=_Host(data.host, self))
        inner = self.tell(
            "CardAcquireContext", ("data", "flags"), self.module.CardAcquireContext, (data, flags)
        )
        context: Minidriver = _Context(inner, self)
        return context

    def tell(
        self,
        name: str,
        parameters: tuple[str, ...],
        function: Callable[..., Any],
        values: tuple[Any, ...],
    ) -> Any:  # noqa: ANN401 - the function's own
        """Call a function of the minidriver between two events."""
        return self.tell_any(name, parameters, function, values)

    def tell_any(
        self,
        name: str,
        parameters: tuple[str, ...],
        function: Callable[..., Any],
        values: tuple[Any, ...],
    ) -> Any:  # noqa: ANN401 - the function's own
        """Call a function, of the minidriver or of the host, between two events."""
        if not self._events:
            return function(*values)
        secret = frozenset() if self._unmask else SECRET_ARGUMENTS.get(name, frozenset())
        arguments = tuple(
            (parameter, _argument(parameter, value, secret))
            for parameter, value in zip(parameters, values, strict=True)
        )
        self._calls += 1
        number = self._calls
        self._events.emit(CardCallStarted(name, arguments, self._reader, number))
        code: int = SUCCESS
        told = ""
        started = self._now()
        try:
            result = function(*values)
            masked = name in SECRET_RESULTS and not self._unmask and result is not None
            told = MASK if masked else _result(result)
        except MinidriverError as error:
            code, told = error.code, _failure(error)
            raise
        except ScardError as error:
            code = error.code
            raise
        except BaseException as error:
            code, told = SCARD.F_UNKNOWN_ERROR, type(error).__name__
            raise
        finally:
            seconds = self._now() - started
            self._events.emit(
                CardCallEvent(name, arguments, told, int(code), seconds, self._reader, number)
            )
        return result


def _argument(name: str, value: object, secret: frozenset[str]) -> str:
    if name in secret and value is not None:
        return MASK
    if isinstance(value, int) and not isinstance(value, bool) and name == "flags":
        return f"0x{value:X}"
    if isinstance(value, CardData):
        atr = "NULL" if value.atr is None else value.atr.hex().upper()
        return f"(version {value.version}, ATR {atr}, {value.card_name})"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        members = (
            f"{member} {_argument(member, part, secret)}"
            for member, part in zip(value._fields, value, strict=True)
            if part not in (None, ()) and member != "version"
        )
        return f"({', '.join(members)})"
    return _value(value)


def _value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes | bytearray):
        if len(value) <= _SHOWN_BYTES:
            return value.hex().upper() or "(empty)"
        return f"{value[:16].hex().upper()}… ({len(value)} bytes)"
    if isinstance(value, Struct):
        members = (
            f"{field.name} {_value(getattr(value, field.name))}"
            for field in value.FIELDS
            if field.name != "dwVersion"
        )
        return f"({', '.join(members)})"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _argument("", value, frozenset())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or "(none)"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    return str(value)


def _result(result: object) -> str:
    if result is None:
        return ""
    if isinstance(result, Minidriver):
        return f"version {result.version}"
    return _value(result)


def _failure(error: MinidriverError) -> str:
    told = []
    if error.attempts is not None:
        told.append(f"attempts {error.attempts}")
    if error.length is not None:
        told.append(f"length {error.length}")
    return ", ".join(told)


def _passes_on(name: str, owner: type, tell: str) -> Callable[..., Any]:
    known = signature(getattr(owner, name))
    parameters = tuple(known.parameters)[1:]

    def call(self: Any, *values: Any, **named: Any) -> Any:  # noqa: ANN401 - the function's own
        if named or len(values) != len(parameters):
            values = known.bind(self, *values, **named).args[1:]
        return getattr(self._traced, tell)(name, parameters, getattr(self._inner, name), values)

    call.__name__ = name
    return call


def _init_host(self: Any, inner: HostCallbacks, traced: Traced) -> None:  # noqa: ANN401 - made below
    self._inner, self._traced = inner, traced


def _init(self: Any, inner: Minidriver, traced: Traced) -> None:  # noqa: ANN401 - made below
    Minidriver.__init__(self, inner.data, inner.version, no_card=inner.no_card)
    self._inner, self._traced = inner, traced


# Abstract methods are looked for when a class is made, so they must be in it by then.
_Host: Any = type(
    "TracedCallbacks",
    (HostCallbacks,),
    {
        "__doc__": "Callbacks of a host that are told.",
        "__init__": _init_host,
        **{
            name: _passes_on(name, HostCallbacks, "tell_any")
            for name in sorted(HostCallbacks.__abstractmethods__)
        },
    },
)
_Context: Any = type(
    "TracedMinidriver",
    (Minidriver,),
    {
        "__doc__": "A context whose calls are told.",
        "__init__": _init,
        "table": lambda self: self._inner.table(),
        **{function.name: _passes_on(function.name, Minidriver, "tell") for function in FUNCTIONS},
    },
)
