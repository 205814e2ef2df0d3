# SPDX-License-Identifier: Apache-2.0
"""Part O: freshness, several contexts, several threads, other programs."""

import threading

from vreader.minidriver.abi.codes import FileAc, KeySpec
from vreader.minidriver.abi.files import CARD_APPS, CARD_CF, CARD_ID, MSCP
from vreader.minidriver.abi.structs import CARD_CACHE_FILE_FORMAT, CARD_FREE_SPACE_INFO
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Failed, Part, refused, require
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD, ScardError

PART = Part("O", "Freshness and concurrency")

_OVERVIEW = "WDK Smart Card Minidriver Overview"
_SYSTEM = "WDK File System Requirements"
_HLK = "HLK Smart Card Minidriver Certification Test"
_OTHER_APPLICATION = bytes.fromhex("00A4040007A000000000000100")


@PART.check(_SYSTEM, "freshness.minidriver-keeps freshness.application-data")
def cardcf(bench: Bench) -> None:
    """The file cardcf comes back as it was written, with what is behind its six bytes."""
    bench.writable()
    bench.user()
    written = CARD_CACHE_FILE_FORMAT(0, 5, 0x102, 0x304).encode() + b"\1\2\3\4"
    bench.md.CardWriteFile(None, CARD_CF, 0, written)
    for md in (bench.md, bench.acquire()):
        got = md.CardReadFile(None, CARD_CF, 0)
        require(got == written, f"{written.hex(' ')} became {got.hex(' ')}")


@PART.check(_SYSTEM, "freshness.cache-callbacks")
def cache(bench: Bench) -> None:
    """A counter that changed makes stale what is kept in the host's cache."""
    bench.writable()
    bench.user()
    md, other = bench.md, bench.acquire()
    md.CardCreateFile(MSCP, "fresh", 0, FileAc.EVERYONE_READ_USER_WRITE)
    for number, content in enumerate((b"first", b"second"), 1):
        md.CardWriteFile(MSCP, "fresh", 0, content)
        counters = CARD_CACHE_FILE_FORMAT(0, 0, 0, number).encode()
        md.CardWriteFile(None, CARD_CF, 0, counters)
        got = other.CardReadFile(MSCP, "fresh", 0)
        require(got == content, f"another context reads {got!r}, not {content!r}")


@PART.check(_OVERVIEW, "concurrency.one-card concurrency.contexts-apart")
def contexts(bench: Bench) -> None:
    """Two contexts of one card see the same containers."""
    key = bench.key(*KeySpec)
    other = bench.acquire()
    mine = bench.md.CardGetContainerInfo(key.container, 0, ContainerInfo())
    theirs = other.CardGetContainerInfo(key.container, 0, ContainerInfo())
    require(mine == theirs, "they see other keys")


@PART.check(_HLK, "concurrency.threads concurrency.atomic")
def threads(bench: Bench) -> None:
    """Several threads with a context each work at once (MultiThreaded)."""
    errors: list[BaseException] = []
    due = bench.md.CardReadFile(None, CARD_ID, 0)
    start = threading.Barrier(bench.settings.threads)

    def work() -> None:
        try:
            handle = bench.connect()
            bench.api.SCardBeginTransaction(handle[1])
            md = bench.acquire(handle=handle)
            bench.api.SCardEndTransaction(handle[1])
            start.wait(10)
            for _ in range(bench.settings.rounds):
                bench.api.SCardBeginTransaction(handle[1])
                got = md.CardReadFile(None, CARD_ID, 0)
                md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
                bench.api.SCardEndTransaction(handle[1])
                require(got == due, "a thread reads another cardid")
            md.CardDeleteContext()
        except BaseException as error:
            errors.append(error)
            start.abort()

    with bench.let_go():
        workers = [threading.Thread(target=work) for _ in range(bench.settings.threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    real = [e for e in errors if not isinstance(e, threading.BrokenBarrierError)]
    if real:
        raise real[0]


@PART.check(_OVERVIEW, "concurrency.transaction")
def transaction(bench: Bench) -> None:
    """The minidriver does not end the caller's transaction."""
    bench.user()
    bench.md.CardReadFile(None, CARD_APPS, 0)
    try:
        bench.api.SCardEndTransaction(bench.handle[1])
    except ScardError as error:
        raise Failed(f"SCardEndTransaction failed: {error}") from None
    code = _ends_again(bench)
    require(code == SCARD.E_NOT_TRANSACTED, "a transaction of the minidriver's is left")
    bench.api.SCardBeginTransaction(bench.handle[1])


def _ends_again(bench: Bench) -> int:
    try:
        bench.api.SCardEndTransaction(bench.handle[1])
    except ScardError as error:
        return error.code
    return 0


@PART.check(_OVERVIEW, "concurrency.foreign-selection")
def foreign_selection(bench: Bench) -> None:
    """Another program's selection of another application does no harm."""
    before = bench.md.CardReadFile(None, CARD_ID, 0)
    with bench.let_go():
        _, card = bench.connect()
        protocol = bench.api.SCardStatus(card).protocol
        bench.api.SCardTransmit(card, protocol, _OTHER_APPLICATION)
        bench.api.SCardDisconnect(card)
    require(bench.md.CardReadFile(None, CARD_ID, 0) == before, "cardid is another")
    bench.user()


@PART.check(_HLK, "exports.several-instances")
def two_cards(bench: Bench) -> None:
    """One module serves two cards in two readers."""
    second, _ = bench.insert("Second")
    context = bench.api.SCardEstablishContext()
    card = bench.api.SCardConnect(context, second.name)[0]
    bench.api.SCardBeginTransaction(card)
    other = bench.acquire(handle=(context, card))
    bench.user()
    if not bench.read_only:
        data = bench.md.CardReadFile(None, CARD_CF, 0)
        refused(lambda: other.CardWriteFile(None, CARD_CF, 0, data), SCARD.W_SECURITY_VIOLATION)
    other.CardReadFile(None, CARD_ID, 0)
