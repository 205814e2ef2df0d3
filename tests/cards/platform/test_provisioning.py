# SPDX-License-Identifier: Apache-2.0
"""The values of provisioning options: files, passwords, what is given twice."""

import pytest

from cards.platform import provisioning
from vreader.errors import UsageError


@pytest.mark.parametrize(
    ("text", "password"),
    [("", None), ("secret", b"secret"), ("pass:env:x", b"env:x"), ("env:SECRET", b"from env"),
     ("file:word", b"from file"), ("file:dos", b"from file"), ("file:empty", None),
     ("Grüße", "Grüße".encode())],
)  # fmt: skip
def test_password(tmp_path, monkeypatch, text, password):
    monkeypatch.setenv("SECRET", "from env")
    (tmp_path / "word").write_text("from file\nnot this\n")
    (tmp_path / "dos").write_bytes(b"from file\r\n")
    (tmp_path / "empty").touch()
    options = {"password": [text], "folder": [str(tmp_path)]}
    assert provisioning.password(options) == password


@pytest.mark.parametrize("text", ["env:VREADER_NOT_THERE", "env:", "file:missing", "file:"])
def test_no_password(tmp_path, text):
    with pytest.raises(UsageError) as caught:
        provisioning.password({"password": [text], "folder": [str(tmp_path)]})
    assert caught.value.hint


def test_located():
    assert provisioning.located({}, "a.pem") == "a.pem"
    assert provisioning.located({"folder": ["there"]}, "a.pem") == "there/a.pem"
    assert provisioning.located({"folder": ["there"]}, "/a.pem") == "/a.pem"


def test_check():
    provisioning.check({"ca": ["x"]}, provisioning.OPTIONS, "piv")
    with pytest.raises(UsageError, match="a piv card cannot be provisioned with 'CA'") as caught:
        provisioning.check({"CA": ["x"]}, provisioning.OPTIONS, "piv")
    assert "ca-key" in caught.value.hint
