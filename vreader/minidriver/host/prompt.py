# SPDX-License-Identifier: Apache-2.0
"""Asking a person for a PIN: what is shown, and what comes back (WDK "Card PIN Operations").

The default texts are in our words. A Calais entry replaces them by its values 80000100 to 80000106,
one for each purpose, each ``en-US,text;de-DE,text``: all of them or none. The first text of a
language counts, and quotation marks protect nothing.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final, NamedTuple

from vreader.minidriver.abi.pins import SecretPurpose
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.winscard.codes import SCARD

ENGLISH: Final = "en-US"
DEFAULT_TEXTS: Final[dict[int, str]] = {
    SecretPurpose.AUTHENTICATION: "Please enter your authentication PIN.",
    SecretPurpose.DIGITAL_SIGNATURE: "Please enter your digital signature PIN.",
    SecretPurpose.ENCRYPTION: "Please enter your encryption PIN.",
    SecretPurpose.NON_REPUDIATION: "Please enter your non-repudiation PIN.",
    SecretPurpose.ADMINISTRATOR: "Please enter your administrator PIN.",
    SecretPurpose.PRIMARY_CARD: "Please enter your PIN.",
    SecretPurpose.UNBLOCK_ONLY: "Please enter your PIN to unblock the user PIN.",
}


class NoPin(Enum):
    """A prompt that ends without a PIN."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"


class PinRequest(NamedTuple):
    """What a prompt shows.

    Attributes:
        reader: the reader's name.
        card: the card's name.
        pin_id: which PIN.
        info: its PIN_INFO.
        context: the application's own string, or empty.
        purpose: the text for the PIN's purpose.
        attempts: tries left, where the card has told.
    """

    reader: str
    card: str
    pin_id: int
    info: PIN_INFO
    context: str
    purpose: str
    attempts: int | None


Prompt = Callable[[PinRequest], "str | bytes | NoPin"]
"""Asks a person. A text is sent to the card in Windows' code page 1252."""


def purpose_text(
    purpose: int, overrides: Iterable[tuple[int, str]] = (), language: str = ENGLISH
) -> str:
    """Return the text that asks for a PIN.

    Args:
        purpose: a SECRET_PURPOSE.
        overrides: of the Calais entry, pairs of purpose and ``language,text;…``.
        language: the person's; where there is no text in it English is taken, then the default
            (assumed).
    """
    default = DEFAULT_TEXTS.get(purpose, DEFAULT_TEXTS[SecretPurpose.PRIMARY_CARD])
    replaced = dict(overrides)
    if not replaced.keys() >= set(SecretPurpose):
        return default
    texts: dict[str, str] = {}
    for one in replaced.get(purpose, "").split(";"):
        tag, comma, text = one.partition(",")
        if comma:
            texts.setdefault(tag.strip().lower(), text.strip())
    return texts.get(language.lower()) or texts.get(ENGLISH.lower()) or default


def ask(prompt: Prompt | None, request: PinRequest) -> bytes:
    """Ask, and return the PIN.

    Raises:
        MinidriverError: SCARD_W_CANCELLED_BY_USER, SCARD_E_TIMEOUT, and SCARD_E_NO_PIN_CACHE where
            nobody can be asked.
    """
    if prompt is None:
        raise MinidriverError(SCARD.E_NO_PIN_CACHE)
    answer = prompt(request)
    if answer is NoPin.TIMED_OUT:
        raise MinidriverError(SCARD.E_TIMEOUT)
    if isinstance(answer, NoPin):
        raise MinidriverError(SCARD.W_CANCELLED_BY_USER)
    return encode_pin(answer)


def encode_pin(pin: str | bytes) -> bytes:
    """Return a PIN as the card is given it; SCARD_E_INVALID_CHV for letters that ANSI has not."""
    if isinstance(pin, str):
        try:
            return pin.encode("cp1252")
        except UnicodeEncodeError:
            raise MinidriverError(SCARD.E_INVALID_CHV) from None
    return bytes(pin)
