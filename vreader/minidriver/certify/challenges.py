# SPDX-License-Identifier: Apache-2.0
"""Part I: challenge and response."""

from vreader.minidriver.abi.pins import Role
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Part, page, refused, require
from vreader.minidriver.certify.csp import response
from vreader.winscard.codes import SCARD

PART = Part("I", "Challenges")

_AUTHENTICATE = page("CardAuthenticateChallenge")


@PART.check(page("CardGetChallenge"), "challenge.length")
def length(bench: Bench) -> None:
    """A challenge has one or more blocks of 8 bytes."""
    bench.need("CardGetChallenge")
    for version in range(bench.settings.minimum_version, bench.settings.current_version + 1):
        size = len(bench.acquire(version=version).CardGetChallenge())
        require(size and size % 8 == 0, f"it has {size} bytes")


@PART.check(_AUTHENTICATE, "challenge.response")
def right(bench: Bench) -> None:
    """The challenge under 3DES in CBC mode authenticates the administrator."""
    key = bench.admin_key()
    for md in (bench.md, bench.acquire(version=bench.settings.minimum_version)):
        md.CardAuthenticateChallenge(response(key, md.CardGetChallenge()))


@PART.check(_AUTHENTICATE, "challenge.wrong")
def wrong(bench: Bench) -> None:
    """A wrong response is SCARD_W_WRONG_CHV with the attempts left."""
    key = bench.admin_key()
    answer = response(key, bench.md.CardGetChallenge())[:-1] + b"\0"
    again = response(key, bench.md.CardGetChallenge())
    bad = answer if answer != again else again[::-1]
    error = refused(lambda: bench.md.CardAuthenticateChallenge(bad), SCARD.W_WRONG_CHV)
    require(error.attempts is not None, "no attempts were written")


@PART.check(
    "OpenSC minidriver",
    "challenge.once",
    silent="No page says so; a card forgets its challenge with the answer.",
)
def once(bench: Bench) -> None:
    """A challenge can be answered once."""
    answer = response(bench.admin_key(), bench.md.CardGetChallenge())
    bench.md.CardAuthenticateChallenge(answer)
    refused(lambda: bench.md.CardAuthenticateChallenge(answer))


@PART.check(_AUTHENTICATE, "challenge.none")
def none(bench: Bench) -> None:
    """A response without a challenge authenticates nobody."""
    key = bench.admin_key()
    refused(lambda: bench.md.CardAuthenticateChallenge(response(key, bytes(8))))


@PART.check("HLK Smart Card Minidriver Certification Test", "challenge.non-repeating")
def non_repeating(bench: Bench) -> None:
    """Challenges do not repeat (NonRepeatingChallenge)."""
    bench.need("CardGetChallenge")
    seen = {bench.md.CardGetChallenge() for _ in range(bench.settings.challenges)}
    count = bench.settings.challenges
    require(len(seen) == count, f"{count - len(seen)} of {count} challenges came again")


@PART.check(page("CardGetChallengeEx"), "challenge.ex challenge.ex-response")
def ex(bench: Bench) -> None:
    """The response to CardGetChallengeEx authenticates through CardAuthenticateEx."""
    bench.need("CardGetChallengeEx", "CardAuthenticateEx")
    key = bench.admin_key()
    challenge = bench.md.CardGetChallengeEx(Role.ADMIN, 0)
    require(challenge and len(challenge) % 8 == 0, f"it has {len(challenge)} bytes")
    bench.md.CardAuthenticateEx(Role.ADMIN, 0, response(key, challenge))
