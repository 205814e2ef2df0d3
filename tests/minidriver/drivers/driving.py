# SPDX-License-Identifier: Apache-2.0
"""A minidriver on a card of this project, through a resource manager, as a host would have it."""

from contextlib import contextmanager

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from minidriver_fakes import NoHost

from vreader.card import MemoryStore
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.kinds import find_kind
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.load import load_module
from vreader.winscard.profile import WINDOWS

USER_PIN, ADMIN_KEY = b"123456", bytes(range(1, 9)) * 3


class Driven:
    """One host with one card; ``md`` is a context of version 7 in a transaction."""

    def __init__(self, card, module="msclmd.dll", version=7, pinpad=None, protocols=3):
        self.host = Host(WINDOWS)
        try:
            self.slot = self.host.add_reader("Reader", pinpad=pinpad)
            self.commands = []
            self.slot.insert(Counted(card, self.commands))
            self.api = ScardApi(self.host)
            self.module = load_module(module, self.api)
            self.context = self.api.SCardEstablishContext()
            self.card, _ = self.api.SCardConnect(self.context, self.slot.name, 2, protocols)
            self.api.SCardBeginTransaction(self.card)
            self.atr = self.api.SCardStatus(self.card).atr
            self.md = self.acquire(version)
        except BaseException:
            self.host.close()
            raise

    def data(self, version=7, **changes):
        given = CardData(version, self.atr, "card", self.context, self.card, NoHost())
        return given._replace(**changes)

    def acquire(self, version=7, **changes):
        return self.module.CardAcquireContext(self.data(version, **changes), 0)

    def reset(self):
        """End the transaction with a reset, as a host without CardDeauthenticate does."""
        self.api.SCardEndTransaction(self.card, 1)
        self.api.SCardReconnect(self.card)
        self.api.SCardBeginTransaction(self.card)


class Counted:
    """A card that lists the C-APDUs that come."""

    def __init__(self, inner, commands):
        self.inner, self.commands = inner, commands

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def transmit(self, c_apdu):
        self.commands.append(c_apdu)
        return self.inner.transmit(c_apdu)


def new_card(kind, profile="", slots=(), **options):
    """Return a card of a kind, with keys and certificates."""
    found = find_kind(kind)
    card = found.create(profile or next(iter(found.profiles())), options, MemoryStore(), None)
    if slots:
        found.provision(card, {"slot": list(slots)})
    return card


@contextmanager
def driving(*args, **options):
    driven = Driven(*args, **options)
    try:
        yield driven
    finally:
        driven.host.close()


def code_of(call, *parameters):
    """Return what a call fails with."""
    return error_of(call, *parameters).code


def code_or_none(call, *parameters):
    try:
        call(*parameters)
    except MinidriverError as error:
        return error.code
    return None


def error_of(call, *parameters):
    try:
        call(*parameters)
    except MinidriverError as error:
        return error
    raise AssertionError(f"{call.__name__} succeeded")


def answer(challenge, key=ADMIN_KEY):
    """Return the response to a challenge."""
    worker = Cipher(TripleDES(key), modes.CBC(bytes(8))).encryptor()
    return worker.update(challenge) + worker.finalize()


def log_in_as_admin(md, key=ADMIN_KEY):
    md.CardAuthenticateChallenge(answer(md.CardGetChallenge(), key))
