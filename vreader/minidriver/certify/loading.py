# SPDX-License-Identifier: Apache-2.0
"""Part A: what the module exports, CardAcquireContext, versions, the function table."""

from functools import partial

from vreader.minidriver.abi.codes import NO_CARD_MODE, KeySpec
from vreader.minidriver.abi.files import CARD_ID
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.pins import USER_NAME
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.callbacks import ALL_CALLBACKS
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Part, page, refused, require
from vreader.minidriver.module import DllReason
from vreader.winscard.codes import SCARD

PART = Part("A", "Loading and versions")

_INVALID = SCARD.E_INVALID_PARAMETER
_OVERVIEW = "WDK Smart Card Minidriver Overview"
_ACQUIRE = page("CardAcquireContext")
_RSA = (KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE)
_ECDHE = (KeySpec.ECDHE_P256, KeySpec.ECDHE_P384, KeySpec.ECDHE_P521)
_REQUIRED_ROWS = " ".join(f"table.{function.name}" for function in FUNCTIONS)


@PART.check(
    "WDK Minidriver Registration; SDK DllMain",
    "exports.acquire-context exports.dllmain exports.reload",
)
def dllmain(bench: Bench) -> None:
    """The module takes processes and threads that come and go, and can be loaded again."""
    bench.md  # noqa: B018 - a context is there meanwhile
    for reason in (DllReason.THREAD_ATTACH, DllReason.THREAD_DETACH):
        require(bench.module.DllMain(reason), f"DllMain refuses {reason.name}")
    bench.md.CardDeleteContext()
    bench.module.DllMain(DllReason.PROCESS_DETACH)
    require(bench.module.DllMain(DllReason.PROCESS_ATTACH), "it cannot be loaded again")
    bench.acquire().CardDeleteContext()


@PART.check(_OVERVIEW, "exports.detach delete-context.no-transaction")
def detach(bench: Bench) -> None:
    """CardDeleteContext works after the process has detached, without a transaction."""
    md = bench.md
    bench.api.SCardEndTransaction(bench.handle[1])
    bench.module.DllMain(DllReason.PROCESS_DETACH)
    md.CardDeleteContext()


@PART.check(_ACQUIRE, f"acquire.fills-table pin.deauthenticate-ex-exists {_REQUIRED_ROWS}")
def table(bench: Bench) -> None:
    """No function is NULL but those that may be."""
    has = bench.md.table()
    missing = [
        f.name
        for f in FUNCTIONS
        if f.since <= bench.md.version and not f.optional and f.name not in has
    ]
    require(not missing, f"NULL: {', '.join(missing)}")


@PART.check("WDK Smart Card Minidriver Versions", "version.only-members")
def table_of_version(bench: Bench) -> None:
    """The table of an older version has no function of a newer one."""
    for version in range(bench.settings.minimum_version, bench.settings.current_version):
        has = bench.acquire(version=version).table()
        newer = [f.name for f in FUNCTIONS if f.since > version and f.name in has]
        require(not newer, f"version {version} has {', '.join(newer)}")


@PART.check(_OVERVIEW, "version.minimum")
def version_minimum(bench: Bench) -> None:
    """A version below the lowest that is served is refused with ERROR_REVISION_MISMATCH."""
    below = bench.settings.minimum_version - 1
    refused(lambda: bench.acquire(version=below), CardWin32.REVISION_MISMATCH)


@PART.check(_OVERVIEW, "version.lowered")
def version_lowered(bench: Bench) -> None:
    """A newer version than the minidriver's becomes the minidriver's."""
    newest = bench.settings.current_version
    got = bench.acquire(version=newest + 1).version
    require(got == newest, f"version {newest + 1} became {got}, not {newest}")


@PART.check(_OVERVIEW, "version.kept version.constant")
def version_kept(bench: Bench) -> None:
    """A version that is served is kept, and stays as it is."""
    for version in range(bench.settings.minimum_version, bench.settings.current_version + 1):
        md = bench.acquire(version=version)
        md.CardReadFile(None, CARD_ID, 0)
        require(md.version == version, f"version {version} became {md.version}")


PART.refusal(
    "null-card-data",
    "A NULL pCardData is refused",
    _ACQUIRE,
    "acquire.null parameter.null-carddata",
    lambda b: b.module.CardAcquireContext(None, 0),
    _INVALID,
)
PART.refusal(
    "acquire-flags",
    "Flags other than the no-card mode are refused",
    _ACQUIRE,
    "acquire.flags",
    lambda b: b.module.CardAcquireContext(b.data(), 2),
    _INVALID,
)
PART.refusal(
    "acquire-name",
    "A NULL pwszCardName is refused",
    _ACQUIRE,
    "acquire.no-name",
    lambda b: b.acquire(card_name=None),
    _INVALID,
)


@PART.check("OpenSC minidriver", "acquire.no-handle", silent="The page names no code.")
def acquire_handles(bench: Bench) -> None:
    """A zero hSCardCtx or hScard is refused."""
    context, card = bench.handle
    for handle in ((0, card), (context, 0)):
        refused(partial(bench.acquire, handle=handle), SCARD.E_INVALID_HANDLE, _INVALID)


@PART.check(_ACQUIRE, "acquire.no-atr acquire.atr-length", silent="The bounds are OpenSC's.")
def acquire_atr(bench: Bench) -> None:
    """A NULL ATR, and one of impossible length, is refused."""
    for atr in (None, b";", b";" + bytes(34)):
        refused(partial(bench.acquire, atr=atr), _INVALID)


PART.refusal(
    "acquire-not-an-atr",
    "An ATR that no card can have is refused as of an unknown card",
    "OpenSC minidriver",
    "acquire.not-an-atr",
    lambda b: b.acquire(atr=b"\0" + b.api.SCardStatus(b.handle[1]).atr[1:]),
    SCARD.E_UNKNOWN_CARD,
    _INVALID,
    silent="The page speaks of an unknown ATR alone; an invalid parameter is accepted too.",
)


@PART.check("OpenSC minidriver", "acquire.no-allocator", silent="No page says so.")
def acquire_allocator(bench: Bench) -> None:
    """A NULL pfnCspAlloc, pfnCspReAlloc or pfnCspFree is refused."""
    for name in ("CspAlloc", "CspReAlloc", "CspFree"):
        refused(partial(bench.acquire, callbacks=ALL_CALLBACKS - {name}), _INVALID)


@PART.check(_OVERVIEW, "acquire.no-cache-callbacks")
def acquire_without_cache(bench: Bench) -> None:
    """The cache callbacks may be NULL."""
    cache = {name for name in ALL_CALLBACKS if name.startswith("CspCache")}
    md = bench.acquire(callbacks=ALL_CALLBACKS - cache)
    md.CardReadFile(None, CARD_ID, 0)


@PART.check(
    "WDK Secure Key Injection",
    "acquire.no-card-flag acquire.no-card-unsupported injection.no-card-calls",
    silent="How the mode is refused by a minidriver without it is assumed.",
)
def no_card(bench: Bench) -> None:
    """The no-card mode makes a context for key injection alone, or is not supported."""
    data = bench.data(atr=b"", handle=(0, 0))
    injects = "MDImportSessionKey" in bench.md.table()
    try:
        has = bench.module.CardAcquireContext(data, NO_CARD_MODE).table()
    except MinidriverError as error:
        require(not injects, f"with key injection it returned {error}")
        require(error.code in (SCARD.E_UNSUPPORTED_FEATURE, _INVALID), f"it returned {error}")
        return
    more = [f.name for f in FUNCTIONS if f.name in has and not f.no_card_mode]
    require(not more, f"without a card there is {', '.join(more)}")
    require(not injects or "MDImportSessionKey" in has, "MDImportSessionKey is not there")


@PART.check(
    page("CardDeleteContext"),
    "delete-context.frees exports.several-contexts read-only.CardDeleteContext",
)
def delete_context(bench: Bench) -> None:
    """When a context is deleted others go on working."""
    other = bench.acquire()
    before = other.CardReadFile(None, CARD_ID, 0)
    bench.md.CardDeleteContext()
    require(other.CardReadFile(None, CARD_ID, 0) == before, "another context reads other data")


@PART.check(
    "OpenSC minidriver",
    "delete-context.twice parameter.stale-context",
    silent="Only OpenSC refuses it; a second success is accepted too.",
)
def stale_context(bench: Bench) -> None:
    """A second CardDeleteContext does no harm."""
    bench.md.CardDeleteContext()
    try:
        bench.md.CardDeleteContext()
    except MinidriverError as error:
        codes = (_INVALID, SCARD.E_INVALID_HANDLE)
        require(error.code in codes, f"it returned {error}")
    bench.acquire().CardReadFile(None, CARD_ID, 0)


@PART.check(page("CardRSADecrypt"), "decrypt.null-for-ecc agree.null-for-rsa")
def null_without_keys(bench: Bench) -> None:
    """Functions for keys that the card does not have are NULL."""
    has = bench.md.table()
    for function, specs in (("CardRSADecrypt", _RSA), ("CardConstructDHAgreement", _ECDHE)):
        if not set(specs) & set(bench.specs):
            require(function not in has, f"{function} is not NULL")


@PART.check(_OVERVIEW, "exports.resources-unavailable")
def no_connection(bench: Bench) -> None:
    """A connection that has been closed makes calls fail, and later contexts work."""
    with bench.let_go():
        handle = bench.connect()
        md = bench.acquire(handle=handle)
        bench.api.SCardDisconnect(handle[1])
    refused(lambda: md.CardAuthenticatePin(USER_NAME, bench.pin))
    bench.md.CardReadFile(None, CARD_ID, 0)
