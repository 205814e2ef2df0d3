# SPDX-License-Identifier: Apache-2.0
"""XML with lines and columns."""

import pytest

from vreader.minidriver.certify.placedxml import XmlError, parse


def test_elements_know_where_they_are():
    root = parse(b"<a>\n <b>one</b><b> two <!-- no --> &lt;3 </b>\n</a>")
    first, second = root.find_all("b")
    assert (root.line, root.column) == (1, 1)
    assert (first.tag, first.text, first.line, first.column) == ("b", "one", 2, 2)
    assert (second.text, second.column) == ("two  <3", 12)
    assert root.find("b/c") is None


@pytest.mark.parametrize(
    ("data", "line", "column", "told"),
    [
        (b"", 1, 1, "no element found"),
        (b"<a>\n  <b></a>", 2, 8, "mismatched tag"),
        (b"<a>\n&nothing;</a>", 2, 1, "undefined entity"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd">\n<a/>', 1, 40, "document type"),
        (b"<a>\xff</a>", 1, 4, "invalid token"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', 1, 1, "encoding"),
    ],
)
def test_what_is_not_taken(data, line, column, told):
    with pytest.raises(XmlError, match=told) as failed:
        parse(data)
    assert (failed.value.line, failed.value.column) == (line, column)
