# SPDX-License-Identifier: Apache-2.0
"""Which container and which key of it an application means."""

from collections.abc import Callable

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.containers import Container
from vreader.minidriver.host.keys import KeyRef
from vreader.winscard.codes import SCARD


def any_key(key: KeyRef) -> bool:
    """Take the first key there is."""
    return True


def signs(key: KeyRef) -> bool:
    """Whether a key signs."""
    return key.spec.is_rsa or not key.spec.is_exchange


def decrypts(key: KeyRef) -> bool:
    """Whether a key decrypts."""
    return key.spec.is_rsa


def agrees(key: KeyRef) -> bool:
    """Whether a key agrees on secrets."""
    return key.spec.is_exchange and not key.spec.is_rsa


def choose_container(csp: BaseCsp, container: str | int | None) -> Container:
    """Return a container by name or index; for None the default one, or the only one.

    Raises:
        MinidriverError: SCARD_E_NO_KEY_CONTAINER.
    """
    found = csp.containers.listed()
    for one in found:
        if container in (one.number, one.name):
            return one
        if container is None and (one.default or len(found) == 1):
            return one
    raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)


def choose_key(
    csp: BaseCsp,
    container: str | int | None,
    spec: KeySpec | None,
    fits: Callable[[KeyRef], bool] = any_key,
) -> KeyRef:
    """Return the key of a container that has a specification, or for None the first that fits.

    Raises:
        MinidriverError: SCARD_E_NO_KEY_CONTAINER, NTE_NO_KEY.
    """
    one = choose_container(csp, container)
    for key in (KeyRef(one.number, key.spec, key.public) for key in one.keys):
        if key.spec is spec or (spec is None and fits(key)):
            return key
    raise MinidriverError(NTE.NO_KEY)
