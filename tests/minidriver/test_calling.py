# SPDX-License-Identifier: Apache-2.0
"""Words that become the parameters of a Card* function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, Padding
from vreader.minidriver.abi.structs import CARD_CAPABILITIES, PIN_INFO
from vreader.minidriver.calling import callable_functions, parameters, read_arguments, usage
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    KdfParameter,
    Oaep,
    Pkcs1,
    Pss,
    SigningInfo,
)


@pytest.mark.parametrize("function", callable_functions())
def test_every_function_has_a_usage(function):
    told = usage(function)
    assert told.startswith(function)
    assert all(one.form in ("NUMBER", "HEX", "TEXT") or one.form.isidentifier()
               for one in parameters(function))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("CardReadFile mscp cmapfile", ["mscp", "cmapfile", 0]),
        ("CardReadFile NULL cardid 0x1", [None, "cardid", 1]),
        ("CardAuthenticatePin user 31323334", ["user", b"1234"]),
        ("CardAuthenticatePin user NULL", ["user", None]),
        ("CardGetContainerInfo 0", [0, 0, ContainerInfo()]),
        ("CardGetContainerInfo 0 0 NULL", [0, 0, None]),
        ("CardQueryCapabilities", [CARD_CAPABILITIES()]),
        ("CardQueryCapabilities dwVersion=2", [CARD_CAPABILITIES(2)]),
        ("CardCreateContainer 0 1 AT_SIGNATURE 2048 NULL", [0, 1, 2, 2048, None]),
        ("CardDeleteContainer 3", [3, 0]),
        (
            "CardSignData container=0,key_spec=1,data=0102,hash_alg=0x8004,version=1",
            [SigningInfo(0, 1, b"\1\2", 0x8004, version=1)],
        ),
        (
            "CardSignData container=0,key_spec=1,data=00,padding=pss:SHA256:32",
            [
                SigningInfo(
                    0, 1, b"\0", flags=PADDING_INFO_PRESENT, padding=Pss("SHA256", 32),
                    padding_type=Padding.PSS,
                )
            ],
        ),
        (
            "CardRSADecrypt container=0,key_spec=1,data=00,padding=oaep:SHA1",
            [DecryptInfo(0, 1, b"\0", Oaep("SHA1"), Padding.OAEP)],
        ),
        (
            "CardSignData container=0,key_spec=1,data=00,padding=pkcs1",
            [
                SigningInfo(
                    0, 1, b"\0", flags=PADDING_INFO_PRESENT, padding=Pkcs1(None),
                    padding_type=Padding.PKCS1,
                )
            ],
        ),
        (
            "CardProcessEncryptedData 1 Authenticate 01,02 16",
            [1, "Authenticate", [b"\1", b"\2"], 16, 0],
        ),
    ],
)  # fmt: skip
def test_words_become_parameters(words, arguments):
    function, *rest = words.split()
    assert read_arguments(function, rest) == arguments


@pytest.mark.parametrize(
    ("name", "size"),
    [("PIN Information", len(PIN_INFO().encode())), ("Cache Mode", 4), ("Made Up", 1024)],
)
def test_a_buffer_is_as_large_as_the_property(name, size):
    assert len(read_arguments("CardGetProperty", [name])[1]) == size


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["CardReedFile"], "no function", "did you mean CardReadFile"),
        (["CardDeleteContext"], "no function", ""),
        (["CardReadFile"], "also needs directory", "CardReadFile directory: TEXT name: TEXT"),
        (["CardReadFile", "a", "b", "0", "1"], "no more than 3", ""),
        (["CardDeleteContainer", "x"], "'x' is no number", "AT_KEYEXCHANGE"),
        (["CardDeleteContainer", "256"], "from 0 to 255", ""),
        (["CardReadFile", "a", "b", "-1"], "from 0 to 4294967295", ""),
        (["CardAuthenticatePin", "user", "1234x"], "not hexadecimal", "NULL"),
        (["CardSignData", "container=0"], "needs", ""),
        (["CardSignData", "contaner=0"], "no member 'contaner'", "did you mean container"),
        (["CardSignData", "container=0,key_spec=1,data=00,padding=x"], "no padding", "pss:"),
    ],
)
def test_nonsense_is_told(words, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        read_arguments(words[0], words[1:])
    assert hint in caught.value.hint


def test_a_pin_is_not_repeated_in_an_error():
    with pytest.raises(UsageError) as caught:
        read_arguments("CardAuthenticatePin", ["user", "secret"])
    assert "secret" not in str(caught.value) + caught.value.hint


@given(st.sampled_from(callable_functions()), st.lists(st.text(max_size=20), max_size=7))
def test_words_are_read_or_refused(function, words):
    try:
        assert len(read_arguments(function, words)) == len(parameters(function))
    except UsageError:
        pass


def test_parameters_of_a_derivation():
    (info,) = read_arguments("CardDeriveKey", ["kdf=HASH,secret=1,parameters=0:SHA1+1:0102"])
    name = "SHA1\0".encode("utf-16-le")
    assert info == DeriveKeyInfo("HASH", 1, (KdfParameter(0, name), KdfParameter(1, b"\1\2")))


def test_a_label():
    word = "container=0,key_spec=1,data=00,padding=oaep:SHA1:6C"
    assert read_arguments("CardRSADecrypt", [word])[0].padding == Oaep("SHA1", b"l")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("CardDeriveKey kdf=HASH,secret=1,parameters=1", "no parameter of a derivation"),
        ("CardDeriveKey kdf=HASH,secret=1,parameters=1:x", "not hexadecimal"),
        ("CardDeriveKey kdf=HASH,secret=256", "from 0 to 255"),
        ("CardSignData container", "container has no value"),
        ("CardSignData container=0,container=1", "container is there twice"),
        ("CardSignData container=0,key_spec=1,data=00,padding=pss:SHA1:-1", "is no padding"),
        ("CardRSADecrypt container=0,key_spec=1,data=00,padding=oaep:SHA1:x", "is no padding"),
    ],
)
def test_members_that_are_nothing(words, message):
    function, *rest = words.split()
    with pytest.raises(UsageError, match=message):
        read_arguments(function, rest)
