# SPDX-License-Identifier: Apache-2.0
"""CryptAcquireContext: containers and prompts."""

import pytest

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host import NoPin
from vreader.minidriver.host.acquiring import AcquireFlag
from vreader.winscard.codes import SCARD

NEW, DELETE = AcquireFlag.NEWKEYSET, AcquireFlag.DELETEKEYSET
OPTIONAL, VERIFY = AcquireFlag.DEFAULT_CONTAINER_OPTIONAL, AcquireFlag.VERIFYCONTEXT


def code(call, *args, **kwargs):
    with pytest.raises(MinidriverError) as caught:
        call(*args, **kwargs)
    return caught.value.code


@pytest.fixture
def csp(desk):
    provider = desk.open(ksp=False)
    provider.generate(KeySpec.SIGNATURE, name="there")
    desk.wait()
    desk.prompt.requests.clear()
    return provider


@pytest.mark.parametrize(
    ("container", "flags"), [(None, VERIFY), (None, OPTIONAL), ("new", NEW), ("there", DELETE)]
)
def test_the_users_pin_is_asked_for_although_it_is_kept(desk, csp, container, flags):
    csp.acquire()
    assert desk.prompt.asked == 0
    csp.acquire(container, flags)
    assert desk.prompt.asked == 1
    desk.prompt.answers = [NoPin.CANCELLED]
    assert code(csp.acquire, None, VERIFY) is SCARD.W_CANCELLED_BY_USER


def test_which_container_it_is(csp):
    assert csp.acquire("there").number == csp.acquire().number == csp.acquire(0).number == 0
    assert csp.acquire(None, OPTIONAL).name == "there"
    assert csp.acquire(None, VERIFY) is None
    assert csp.acquire("new", NEW) is None
    assert code(csp.acquire, "there", NEW) is NTE.EXISTS
    assert csp.acquire("there", DELETE) is None
    assert csp.containers() == []
    assert csp.acquire(None, OPTIONAL) is None
    for given in (("there",), ("there", DELETE)):
        assert code(csp.acquire, *given) is SCARD.E_NO_KEY_CONTAINER


@pytest.mark.parametrize(
    ("container", "flags"),
    [("there", VERIFY), ("there", OPTIONAL), (None, NEW), (None, DELETE), (None, 1),
     ("there", NEW | DELETE), (None, 0x80000000)],
)  # fmt: skip
def test_flags_that_make_no_sense(desk, csp, container, flags):
    assert code(csp.acquire, container, flags) is NTE.BAD_FLAGS
    assert desk.prompt.asked == 0


def test_it_is_a_function_of_the_csp(desk):
    assert code(desk.open().acquire) is NTE.NOT_SUPPORTED


def test_nothing_is_made_or_deleted_on_a_read_only_card(desk, csp):
    desk.module.read_only = True
    other = desk.open(ksp=False)
    assert code(other.acquire, "new", NEW) is SCARD.E_READ_ONLY_CARD
    assert code(other.acquire, "there", DELETE) is SCARD.E_READ_ONLY_CARD
    assert other.acquire(None, OPTIONAL).name == "there"
