# SPDX-License-Identifier: Apache-2.0
"""Certificates of CAs in files, in whatever form; test_look has those on a card."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from scinfo_pki import bag, damaged, middle, root

from vreader.errors import UsageError
from vreader.minidriver.scinfo.authorities import from_file

PEM = root().public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (PEM, 1),
        (PEM + middle().public_bytes(Encoding.PEM), 2),
        (root().public_bytes(Encoding.DER), 1),
        (bag(root(), middle()), 2),
    ],
)
def test_any_form(tmp_path, content, count):
    path = tmp_path / "ca"
    path.write_bytes(content)
    found = from_file(str(path))
    assert len(found) == count
    assert found[0].certificate.subject.rfc4514_string() in ("CN=root", "CN=middle")
    assert all(one.trusted and one.source == str(path) for one in found)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN nothing", b"\x30\x00", PEM[:100]])
def test_no_certificate(tmp_path, content):
    path = tmp_path / "ca"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="no certificate"):
        from_file(str(path))


@given(
    st.sampled_from([PEM, bag(root(), middle())]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, raw, changes):
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged(raw, changes))
    try:
        assert from_file(str(path))
    except UsageError:
        pass
