# SPDX-License-Identifier: Apache-2.0
"""The memory of a call as it is told to mdhost."""

from vreader.minidriver.abi.structs import CARD_SIGNING_INFO
from vreader.minidriver.dll.frame import Frame, Place, Result
from vreader.minidriver.values import Oaep


def test_arguments_are_numbers_and_addresses_of_buffers():
    frame = Frame()
    frame.number(3, -1)
    frame.text("é", None)
    frame.data(b"ab")
    frame.data(None)
    assert frame.request()["args"] == [3, 2**64 - 1, {"b": 0}, 0, {"b": 1}, 2, 0, 0]
    assert [one["hex"] for one in frame.request()["buffers"]] == ["e9000000", "6162"]


def test_names_of_files_are_ansi():
    frame = Frame()
    frame.ansi("\u20ac", "\u2603", None)
    assert [one["hex"] for one in frame.request()["buffers"]] == ["8000", "3f00"]
    assert frame.request()["args"] == [{"b": 0}, {"b": 1}, 0]


def test_structures_point_to_buffers_where_their_version_has_the_member():
    frame = Frame()
    data = frame.buffer(b"hash")
    padding = frame.padding(Oaep("SHA1", b"label"))
    new = frame.struct(CARD_SIGNING_INFO(), pbData=data, pPaddingInfo=padding)
    old = frame.struct(CARD_SIGNING_INFO(dwVersion=1), pbData=data, pPaddingInfo=padding)
    buffers = frame.request()["buffers"]
    assert buffers[padding.number]["to"] == [[0, 1], [8, 2]]
    offsets = CARD_SIGNING_INFO.layout().offsets
    assert buffers[new.number]["to"] == [[offsets["pbData"], 0], [offsets["pPaddingInfo"], 3]]
    assert buffers[old.number]["to"] == [[offsets["pbData"], 0]]


def test_results_are_read_by_their_place():
    result = Result({"r": 5, "buffers": ["07000000ff"], "reads": [None, "6162"]})
    assert (result.code, result.dword(Place(0)), result.data(Place(0))[4]) == (5, 7, 255)
    assert (result.read(0), result.read(1)) == (None, b"ab")
