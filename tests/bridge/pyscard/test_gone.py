# SPDX-License-Identifier: Apache-2.0
"""What is answered for a world that has been left: the shapes are the same."""

import pytest
from smartcard.scard import SCARD_E_NO_SERVICE, _scard

from vreader.bridge.pyscard.functions import Functions
from vreader.bridge.pyscard.gone import Gone
from vreader.bridge.pyscard.numbers import Numbers


@pytest.fixture
def left(world):
    """Functions of a world with a context and a connection, those after its end, what came back."""
    functions = Functions(world.scard, Numbers(_scard))
    _, context = functions.SCardEstablishContext(0)
    _, card, _ = functions.SCardConnect(context, "Virtual Reader 00 00", 2, 3)
    back: list[int] = []
    gone = Gone(functions.numbers, functions, back.append)
    functions.end(0)
    return gone, context, card, back


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("SCardEstablishContext", [0]),
        ("SCardIsValidContext", None),
        ("SCardCancel", None),
        ("SCardListReaders", [[]]),
        ("SCardConnect", [0, 0]),
        ("SCardReconnect", [0]),
        ("SCardBeginTransaction", None),
        ("SCardEndTransaction", None),
        ("SCardStatus", ["", 0, 0, []]),
        ("SCardTransmit", [[]]),
        ("SCardControl", [[]]),
        ("SCardGetAttrib", [[]]),
        ("SCardSetAttrib", None),
        ("SCardIntroduceReader", None),
        ("SCardListCards", [[]]),
        ("SCardGetCardTypeProviderName", [""]),
    ],
)
def test_there_is_no_service(left, name, values):
    gone, *_ = left
    answer = getattr(gone, name)(1, 2, 3)
    assert answer == (SCARD_E_NO_SERVICE if values is None else [SCARD_E_NO_SERVICE, *values])


def test_nothing_is_known_of_readers(left):
    gone, context, *_ = left
    answer = gone.SCardGetStatusChange(context, 0, [("Virtual Reader 00 00", 0x22)])
    assert answer == [SCARD_E_NO_SERVICE, [("Virtual Reader 00 00", 0, [])]]


def test_handles_are_taken_back(left):
    gone, context, card, back = left
    assert gone.SCardDisconnect(card, 0) == 0
    assert gone.SCardReleaseContext(context) == 0
    assert back == [card, context]


def test_a_context_takes_its_cards_with_it(left):
    gone, context, card, back = left
    assert gone.SCardReleaseContext(context) == 0
    assert back == [card, context]


def test_it_has_no_other_attributes(left):
    gone, *_ = left
    with pytest.raises(AttributeError):
        gone.contexts  # noqa: B018
