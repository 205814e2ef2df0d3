# SPDX-License-Identifier: Apache-2.0
"""Part J, continued: what cmapfile says of containers, and the sizes of keys."""

from vreader.minidriver.abi.codes import MAX_CONTAINER_NAME, ContainerFlag, KeySpec
from vreader.minidriver.abi.files import CONTAINER_MAP, MSCP
from vreader.minidriver.abi.structs import CONTAINER_MAP_RECORD
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import page, require
from vreader.minidriver.certify.containers import CURVES, PART, ready, sizes_of

_RSA = (KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE)


def _records(bench: Bench) -> list[CONTAINER_MAP_RECORD]:
    raw = bench.md.CardReadFile(MSCP, CONTAINER_MAP, 0)
    size = CONTAINER_MAP_RECORD.layout().size
    require(len(raw) % size == 0, f"cmapfile has {len(raw)} bytes")
    return [CONTAINER_MAP_RECORD.decode(raw[at : at + size]) for at in range(0, len(raw), size)]


_MAP = "WDK File System Requirements"


@PART.check(_MAP, "container.map-record container.map-name container.map-default")
def map_records(bench: Bench) -> None:
    """Records of cmapfile are well formed, and one at most is the default."""
    defaults = 0
    for index, record in enumerate(_records(bench)):
        flags, name = record.bFlags, record.wszGuid
        require(not flags & ~3, f"flags of record {index} are {flags:#x}")
        require(len(name) <= MAX_CONTAINER_NAME and "\\" not in name, f"it is called {name!r}")
        require(flags != ContainerFlag.DEFAULT, f"record {index} is the default and not valid")
        defaults += bool(flags & ContainerFlag.DEFAULT)
    require(defaults <= 1, f"{defaults} are the default")


@PART.check(_MAP, "container.map-agrees container.map-index file.cmapfile-empty")
def map_agrees(bench: Bench) -> None:
    """A valid record has a container with keys of the sizes it says."""
    for index, record in enumerate(_records(bench)):
        if not record.bFlags & ContainerFlag.VALID:
            continue
        for bits, exchange in (
            (record.wSigKeySizeBits, False),
            (record.wKeyExchangeKeySizeBits, True),
        ):
            keys = [bench.public(index, s) for s in KeySpec if s.is_exchange is exchange]
            told = sum(key.key_size for key in keys if key)
            require(told == bits, f"record {index} says {bits} bits, the key has {told}")


@PART.check(page("CardQueryKeySizes"), "container.key-sizes read-only.CardQueryKeySizes")
def key_sizes(bench: Bench) -> None:
    """The default size of RSA keys is between the bounds and on a step."""
    sizes = sizes_of(bench, bench.spec(*_RSA))
    low, default = sizes.dwMinimumBitlen, sizes.dwDefaultBitlen
    require(low <= default <= sizes.dwMaximumBitlen, f"they are {sizes}")
    step = sizes.dwIncrementalBitlen
    require((default - low) % step == 0 if step else default == low, f"they are {sizes}")


@PART.check(page("CardQueryKeySizes"), "container.key-sizes-curve")
def key_sizes_curve(bench: Bench) -> None:
    """The sizes of a curve are its own, the increment 1."""
    spec = bench.spec(*CURVES)
    sizes = sizes_of(bench, spec)
    all_three = {sizes.dwMinimumBitlen, sizes.dwDefaultBitlen, sizes.dwMaximumBitlen}
    require(all_three == {spec.bits}, f"they are {sizes}")
    require(sizes.dwIncrementalBitlen == 1, f"the increment is {sizes.dwIncrementalBitlen}")


@PART.check(page("CardQueryKeySizes"), "container.key-sizes-true")
def key_sizes_true(bench: Bench) -> None:
    """A key of the default size can be made."""
    container = ready(bench)
    spec = bench.spec(*_RSA)
    size = sizes_of(bench, spec).dwDefaultBitlen
    bench.md.CardCreateContainer(container, 1, spec, size, None)
    public = bench.public(container, spec)
    require(public is not None and public.key_size == size, "it is of another size")
