# SPDX-License-Identifier: Apache-2.0
"""What all functions need: the card, and whether somebody may."""

from memory.card import CARDS, OPEN, SELECT
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.rules.checked import Checked
from vreader.winscard.codes import SCARD, ScardError

INJECTION = {f.name for f in FUNCTIONS if f.no_card_mode} - {"CardDeleteContext"}
INJECTION |= {"CardImportSessionKey"}
AGREEMENT = {"CardConstructDHAgreement", "CardDeriveKey", "CardDestroyDHAgreement"}


class Base(Checked):
    """A context and its connection."""

    def __init__(self, module, data, version, no_card):
        super().__init__(data, version, no_card=no_card)
        self.module = module
        self.api = module.api
        self.deleted = False
        self.key_handles = {}
        self.options = None if no_card else self.open()

    def table(self):
        """See Minidriver."""
        names = super().table()
        if self.options is not None and not self.options.injection:
            names -= INJECTION
        if self.options is not None and not self.options.curves:
            names -= AGREEMENT
        return names

    def protocol(self):
        """Return the protocol in force."""
        try:
            return self.api.SCardStatus(self.data.card).protocol
        except ScardError as error:
            raise MinidriverError(error.code) from None

    def send(self, command):
        """Send a command."""
        protocol = self.protocol()
        try:
            return self.api.SCardTransmit(self.data.card, protocol, command)
        except ScardError as failed:
            raise MinidriverError(failed.code) from None

    def open(self):
        """Select the application; return the card."""
        if self.deleted:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        self.send(SELECT)
        answer = self.send(OPEN)
        number = int.from_bytes(answer[:-2], "big")
        if answer[-2:] != b"\x90\x00" or number not in CARDS:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return CARDS[number]

    def writable(self):
        """Return the card, which can be written."""
        card = self.open()
        if card.read_only:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        return card

    def CardDeleteContext(self):
        if self.deleted:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        self.deleted = True


def may(card, roles):
    """Raise SCARD_W_SECURITY_VIOLATION unless one of the roles is authenticated."""
    if Role.EVERYONE not in roles and not card.authenticated & set(roles):
        raise MinidriverError(SCARD.W_SECURITY_VIOLATION)


def invalid(condition):
    """Raise SCARD_E_INVALID_PARAMETER where the condition holds."""
    if condition:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)
