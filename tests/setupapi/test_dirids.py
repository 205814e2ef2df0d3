# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.setupapi.dirids import destination, dirids
from vreader.setupapi.inf import parse_inf

STORE = r"C:\Windows\System32\DriverStore\FileRepository"


@pytest.mark.parametrize(
    ("text", "files", "folder"),
    [
        ("", "F", r"C:\Windows\System32"),
        ("[DestinationDirs]\nF=12", "f", r"C:\Windows\System32\drivers"),
        ("[DestinationDirs]\nDefaultDestDir=10,sub", "f", r"C:\Windows\sub"),
        ("[DestinationDirs]\nF=12\nDefaultDestDir=10", "", r"C:\Windows"),
        ("[DestinationDirs]\nG=12", "F", r"C:\Windows\System32"),
        ("[DestinationDirs]\nF=99999", "F", "%99999%"),
        ("[DestinationDirs]\nF=x", "F", "%x%"),
        ("[DestinationDirs]\nF=13", "F", rf"{STORE}\a.inf_x86"),
    ],
)  # fmt: skip
def test_where_files_go(text, files, folder):
    assert destination(parse_inf(text), files, dirids("a.inf_x86", "x86")) == folder
