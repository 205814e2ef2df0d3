# SPDX-License-Identifier: Apache-2.0
"""Cards that answer nonsense: every function fails with a code, none with a traceback."""

import random

import pytest
from driving import USER_PIN, driving, new_card

from vreader.minidriver.abi.codes import Padding
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_FILE_INFO, CARD_FREE_SPACE_INFO
from vreader.minidriver.values import ContainerInfo, DecryptInfo, DhAgreementInfo, SigningInfo

ROOM = bytes(64)


class Noisy:
    """A card whose answers are damaged once it is told to be."""

    def __init__(self, inner, seed):
        self.inner, self.random, self.noise = inner, random.Random(seed), False

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def transmit(self, c_apdu):
        answer = bytearray(self.inner.transmit(c_apdu))
        if self.noise and len(answer) > 2:
            dice = self.random
            how = dice.randrange(4)
            if how == 0:
                answer[dice.randrange(len(answer) - 2)] ^= 1 << dice.randrange(8)
            elif how == 1:
                del answer[dice.randrange(len(answer) - 2) : -2]
            elif how == 2:
                answer[:-2] = dice.randbytes(dice.randrange(40))
        return bytes(answer)


def calls(md):
    yield md.CardReadFile, (None, "cardid", 0)
    yield md.CardReadFile, ("mscp", "cmapfile", 0)
    yield md.CardReadFile, ("mscp", "kxc00", 0)
    yield md.CardEnumFiles, ("mscp", 0)
    yield md.CardGetFileInfo, ("mscp", "cmapfile", CARD_FILE_INFO())
    yield md.CardQueryFreeSpace, (0, CARD_FREE_SPACE_INFO())
    yield md.CardGetContainerInfo, (0, 0, ContainerInfo())
    yield md.CardGetContainerInfo, (1, 0, ContainerInfo())
    yield md.CardGetProperty, ("Card Identifier", ROOM, 0)
    yield md.CardGetProperty, ("Authenticated State", ROOM, 0)
    yield md.CardAuthenticatePin, ("user", USER_PIN)
    yield md.CardSignData, (SigningInfo(0, 1, bytes(32), 0x800C, version=1),)
    yield md.CardSignData, (SigningInfo(1, 3, bytes(32), version=1),)
    yield md.CardRSADecrypt, (DecryptInfo(0, 1, bytes(128), None, Padding.PKCS1),)
    yield md.CardGetChallenge, ()
    if "CardConstructDHAgreement" in md.table():
        yield md.CardConstructDHAgreement, (DhAgreementInfo(1, bytes(72)),)
    if "CardCreateFile" in md.table():
        yield md.CardCreateFile, ("mscp", "file", 1, 1)
        yield md.CardDeleteFile, ("mscp", "file", 0)
        yield md.CardCreateContainer, (2, 1, 3, 0, None)
        yield md.CardDeleteContainer, (2, 0)


@pytest.mark.parametrize(
    ("kind", "slots"), [("piv", ["9a:rsa1024", "9c:p256"]), ("gids", ["rsa1024", "sign:p256"])]
)
def test_nonsense_is_an_error(kind, slots):
    card = Noisy(new_card(kind, "", slots), seed=7)
    failed = 0
    with driving(card) as driven:
        for _ in range(60):
            card.noise = False
            md = driven.acquire()
            md.CardAuthenticatePin("user", USER_PIN)
            card.noise = True
            for call, parameters in calls(md):
                try:
                    call(*parameters)
                except MinidriverError:
                    failed += 1
    assert failed > 100
