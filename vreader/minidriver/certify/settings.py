# SPDX-License-Identifier: Apache-2.0
"""What the certification must be told of a card: its PINs, what it supports, how much to try."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from vreader.minidriver.abi.codes import Calg, Kdf, KeySpec, Padding
from vreader.minidriver.abi.pins import Role

OPTIONAL_FUNCTIONS = (
    "CardGetChallenge",
    "CardAuthenticateChallenge",
    "CardGetChallengeEx",
    "CardUnblockPin",
    "CardChangeAuthenticator",
    "CardChangeAuthenticatorEx",
)

_PINS: Mapping[int, bytes] = MappingProxyType({Role.USER: b"123456"})


class Settings(NamedTuple):
    """Defaults are those of the cards that ``vreader`` makes.

    Attributes:
        pins: PIN of each role; that of the administrator (2) is a key of 24 bytes, or a PUK.
        minimum_version, current_version: of CARD_DATA, what the minidriver is said to serve.
        key_import: private keys can be imported.
        key_types: key specifications that the card has.
        paddings: what the card, or the host for it, pads.
        hashes: algorithms whose DigestInfo can be asked for.
        size_only: CARD_BUFFER_SIZE_ONLY is served.
        kdfs: derivations that the card has.
        functions: which of OPTIONAL_FUNCTIONS the minidriver has.
        threads, rounds: of the test with several threads.
        challenges: how many must not repeat.
    """

    pins: Mapping[int, bytes] = _PINS
    minimum_version: int = 4
    current_version: int = 7
    key_import: bool = True
    key_types: tuple[KeySpec, ...] = tuple(KeySpec)
    paddings: tuple[Padding, ...] = tuple(Padding)
    hashes: tuple[Calg, ...] = (Calg.SHA1, Calg.SHA_256, Calg.SHA_384, Calg.SHA_512)
    size_only: bool = True
    kdfs: tuple[Kdf, ...] = tuple(Kdf)
    functions: tuple[str, ...] = OPTIONAL_FUNCTIONS
    threads: int = 5
    rounds: int = 5
    challenges: int = 300
