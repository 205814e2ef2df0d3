# SPDX-License-Identifier: Apache-2.0
"""Part P: cards that go, are reset, or talk nonsense, also in the middle of a call."""

from collections.abc import Callable

from vreader.card import CardMute
from vreader.minidriver.abi.codes import FileAc, KeySpec
from vreader.minidriver.abi.files import CARD_CF, CARD_ID, MSCP
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Part, refused, require
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD, Disposition

PART = Part("P", "Removal and reset")

_OVERVIEW = "WDK Smart Card Minidriver Overview"
_SDK = "SDK Smart Card Return Values"
_GONE = (
    SCARD.W_REMOVED_CARD,
    SCARD.E_NO_SMARTCARD,
    SCARD.W_RESET_CARD,
    SCARD.E_COMM_DATA_LOST,
    SCARD.F_COMM_ERROR,
    SCARD.W_UNRESPONSIVE_CARD,
    SCARD.W_UNPOWERED_CARD,
    SCARD.E_NOT_TRANSACTED,
    SCARD.E_INVALID_HANDLE,
    SCARD.E_UNEXPECTED,
    SCARD.E_CARD_UNSUPPORTED,
)
_STEPS = 8


def _read(bench: Bench) -> bytes:
    return bench.md.CardReadFile(None, CARD_ID, 0)


def _back(bench: Bench) -> None:
    """Put the card in again and connect to it; a new context is to be made."""
    bench.reader.insert(bench.card)
    bench.handle = bench.connect()
    bench.api.SCardBeginTransaction(bench.handle[1])


@PART.check(_SDK, "removal.removed")
def removed(bench: Bench) -> None:
    """A call on a card that is gone fails with a code of its absence."""
    bench.md  # noqa: B018 - made while the card is there
    bench.reader.remove()
    refused(lambda: bench.md.CardAuthenticatePin("user", bench.pin), *_GONE)


@PART.check(_OVERVIEW, "removal.delete-context")
def delete_context(bench: Bench) -> None:
    """CardDeleteContext works when the card is gone."""
    md = bench.md
    bench.reader.remove()
    md.CardDeleteContext()


@PART.check(_OVERVIEW, "removal.return")
def returned(bench: Bench) -> None:
    """When the card is back a new context works."""
    before = _read(bench)
    bench.reader.remove()
    refused(lambda: bench.md.CardAuthenticatePin("user", bench.pin))
    _back(bench)
    require(bench.acquire().CardReadFile(None, CARD_ID, 0) == before, "cardid is another")


def _at(step: int, what: Callable[[], bytes | None]) -> Callable[[bytes], bytes | None]:
    """Have something happen at the command with that number from now on."""
    seen = 0

    def meddle(_command: bytes) -> bytes | None:
        nonlocal seen
        seen += 1
        return what() if seen == step else None

    return meddle


@PART.check(_SDK, "removal.middle")
def middle(bench: Bench) -> None:
    """A card that goes at any command of a call makes it fail."""
    before = _read(bench)
    md = bench.md

    def go() -> None:
        bench.reader.remove()

    for step in range(1, _STEPS + 1):
        bench.card.meddle = _at(step, go)
        try:
            md.CardAuthenticatePin("user", bench.pin)
        except MinidriverError as error:
            require(error.code in _GONE, f"at command {step} the call returned {error}")
        else:
            require(bench.reader.card is not None, f"without a card at command {step} it succeeds")
            return
        finally:
            bench.card.meddle = None
        _back(bench)
        md = bench.acquire()
        require(md.CardReadFile(None, CARD_ID, 0) == before, "cardid is another")


@PART.check(_SDK, "removal.mute")
def mute(bench: Bench) -> None:
    """A card that does not answer makes the call fail."""
    bench.md  # noqa: B018 - made while it answers

    def silence(_command: bytes) -> bytes:
        raise CardMute

    bench.card.meddle = silence
    refused(lambda: bench.md.CardAuthenticatePin("user", bench.pin))


@PART.check(_OVERVIEW, "removal.bad-answer parameter.unexpected")
def bad_answer(bench: Bench) -> None:
    """An answer that makes no sense makes the call fail."""
    bench.md  # noqa: B018 - made while it makes sense
    for answer in (b"\x6f\x00", b"\xff\xff\xff\xff\x90\x00", b"\x12\x34"):
        bench.card.meddle = lambda _command, a=answer: a
        try:
            refused(lambda: bench.md.CardReadFile(MSCP, "nothing", 0))
        finally:
            bench.card.meddle = None


@PART.check(_SDK, "acquire.comm", silent="Any code is accepted.")
def mute_from_the_start(bench: Bench) -> None:
    """A minidriver is not bound to a card that does not answer, or works when it does again."""

    def silence(_command: bytes) -> bytes:
        raise CardMute

    bench.card.meddle = silence
    try:
        md = bench.acquire()
    except MinidriverError:
        return
    refused(lambda: md.CardAuthenticatePin("user", bench.pin))


@PART.check(_SDK, "removal.reset")
def reset(bench: Bench) -> None:
    """After a reset by another program nobody is authenticated, and the card is served again."""
    bench.writable()
    bench.user()
    data = bench.md.CardReadFile(None, CARD_CF, 0)
    bench.api.SCardEndTransaction(bench.handle[1])
    _, card = bench.connect()
    bench.api.SCardBeginTransaction(card)
    bench.api.SCardEndTransaction(card, Disposition.RESET)
    bench.api.SCardDisconnect(card)
    bench.api.SCardReconnect(bench.handle[1])
    bench.api.SCardBeginTransaction(bench.handle[1])
    codes = (SCARD.W_SECURITY_VIOLATION, SCARD.W_RESET_CARD)
    refused(lambda: bench.md.CardWriteFile(None, CARD_CF, 0, data), *codes)
    bench.user()
    bench.md.CardWriteFile(None, CARD_CF, 0, data)


@PART.check(_OVERVIEW, "removal.half-done")
def half_done(bench: Bench) -> None:
    """A card that goes while a file is written leaves the containers as they were."""
    bench.writable()
    key = bench.key(*KeySpec)
    before = bench.md.CardGetContainerInfo(key.container, 0, ContainerInfo())
    bench.user()
    bench.md.CardCreateFile(MSCP, "half", 0, FileAc.EVERYONE_READ_USER_WRITE)
    bench.card.meddle = _at(1, bench.reader.remove)
    refused(lambda: bench.md.CardWriteFile(MSCP, "half", 0, bytes(100)))
    bench.card.meddle = None
    _back(bench)
    after = bench.acquire().CardGetContainerInfo(key.container, 0, ContainerInfo())
    require(before == after, "a container is another")


@PART.check(_SDK, "removal.reset-middle")
def reset_middle(bench: Bench) -> None:
    """A card that loses its state in the middle of a call gives no wrong result."""
    before = _read(bench)

    def forget() -> None:
        bench.card.inner.reset()

    for step in range(1, _STEPS + 1):
        bench.card.meddle = _at(step, forget)
        try:
            got = _read(bench)
        except MinidriverError:
            got = before
        finally:
            bench.card.meddle = None
        require(got == before, f"at command {step} another cardid was read")
        again = bench.acquire().CardReadFile(None, CARD_ID, 0)
        require(again == before, "a new context reads another cardid")
