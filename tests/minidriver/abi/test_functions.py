# SPDX-License-Identifier: Apache-2.0
from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.abi.carddata import CARD_DATA, HOST_MEMBERS
from vreader.minidriver.abi.ctype import Abi
from vreader.minidriver.abi.functions import FUNCTION, FUNCTIONS, Parameter, ReadOnly


def test_every_function_pointer_of_card_data_is_a_function_or_a_callback():
    pointers = {name for name in CARD_DATA.layout().offsets if name.startswith("pfn")}
    functions, callbacks = {f.member for f in FUNCTIONS}, {c.member for c in CALLBACKS}
    assert functions | callbacks == pointers
    assert callbacks <= set(HOST_MEMBERS)
    assert not functions & set(HOST_MEMBERS)


def test_a_function_is_in_the_table_of_its_version():
    for function in (*FUNCTIONS, *CALLBACKS):
        for version in CARD_DATA.VERSIONS:
            there = function.member in CARD_DATA.layout(version=version).offsets
            assert there is (version >= function.since), function.name


def test_offset():
    assert FUNCTION["CardReadFile"].offset() == 248
    assert FUNCTION["CardReadFile"].offset(Abi.X86) == 124


def test_parameters():
    *_, data, size = FUNCTION["CardReadFile"].parameters
    assert (data, size) == (Parameter("PBYTE *", "ppbData"), Parameter("PDWORD", "pcbData"))


def test_what_works_without_a_card():
    works = {f.name for f in FUNCTIONS if f.no_card_mode} - {"CardDeleteContext"}
    assert len(works) == 8
    assert "CardImportSessionKey" not in works


def test_what_a_read_only_card_must_refuse():
    refused = {f.name for f in FUNCTIONS if f.read_only is ReadOnly.REFUSES}
    assert refused == {
        *("CardCreateDirectory", "CardDeleteDirectory", "CardCreateFile", "CardWriteFile"),
        *("CardDeleteFile", "CardCreateContainer", "CardDeleteContainer"),
        "CardSetContainerProperty",
    }


def test_what_may_be_null():
    assert not FUNCTION["CardDeauthenticateEx"].optional
    assert FUNCTION["CardDeauthenticate"].optional
