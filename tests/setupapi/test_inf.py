# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.setupapi.inf import InfError, parse_inf, read_inf, tokens

STRINGS = "[Strings]\nMfg=plain\n[Strings.0009]\nMFG=neutral\n[Strings.0407]\nmfg=german\n"


@pytest.mark.parametrize(
    ("language", "chosen"),
    [(0x0407, "german"), (0x0C07, "german"), (0x0409, "neutral"), (0x0809, "neutral"),
     (0x040C, "plain")],
)  # fmt: skip
def test_one_strings_section_is_chosen(language, chosen):
    assert parse_inf(STRINGS, language=language).expand("%MFG%") == chosen


@pytest.mark.parametrize(
    ("numbers", "chosen"),
    [
        ("0809 0009", "0009"),  # the neutral one, wherever it stands
        ("0c09 0809", "0c09"),
        ("0109", "plain"),  # ten bits are the primary language
        ("xyz", "plain"),
    ],
)
def test_a_strings_section_for_american_english(numbers, chosen):
    sections = "".join(f"[Strings.{number}]\na={number}\n" for number in numbers.split())
    assert parse_inf(f"{sections}[Strings]\na=plain\n", language=0x0409).expand("%a%") == chosen


def test_of_two_texts_for_a_token_the_first_counts():
    inf = parse_inf("[Version]\nx=%A%\nx=y\n[Strings]\na=1\nA=2\n[strings]\na=3\n")
    assert inf.value("Version", "X") == "1"


def test_sections_do_not_mix():
    inf = parse_inf("[Strings]\na=1\nb=2\n[Strings.0409]\na=3\n")
    assert inf.expand("%a%%b%") == "3%b%"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%Vendor% x", "Fabrikam, Inc. x"),
        ("%vendor%%VENDOR%", "Fabrikam, Inc.Fabrikam, Inc."),
        (r"%%SystemRoot%%\x.sys", r"%SystemRoot%\x.sys"),
        ("%none%", "%none%"),
        (r"%12%\x.sys", r"D:\drivers\x.sys"),
        (r"%13%\x.sys", r"%13%\x.sys"),
        ("100%", "100%"),
        ("%%%vendor%%%", "%Fabrikam, Inc.%"),
        ("%nested%", "%vendor%"),
    ],
)
def test_tokens_are_replaced(text, expanded):
    inf = parse_inf('[Strings]\nVendor="Fabrikam, Inc."\nnested="%vendor%"\n')
    assert inf.expand(text, {12: r"D:\drivers"}) == expanded


def test_a_token_defined_as_a_number_wins_over_a_directory():
    assert parse_inf("[Strings]\n12=x").expand("%12%", {12: "d"}) == "x"


def test_tokens_of_a_text():
    assert list(tokens("%a%%%%b%c%")) == ["a", "b"]
    assert list(tokens("%%SystemRoot%%")) == []


def test_blanks_around_a_section_s_name_do_not_matter():
    inf = parse_inf('[;; Std Mfg ]\na=x\n[ B ]\na=y\n["  C"]\na=z\n')
    assert [inf.value(name, "a") for name in (";; Std Mfg ", ";; std mfg", "B", "C")] == list(
        "xxyz"
    )


def test_values_and_directives():
    inf = parse_inf("[Version]\nclass=%c%\nCLASS=x\n[Strings]\nc=Reader\n")
    assert inf.value("VERSION", "Class") == "Reader"
    assert inf.value("Version", "Provider") is None
    assert inf.value("None", "Provider") is None
    assert [entry.line for entry in inf.find("version").directives("Class")] == [2, 3]


def test_an_entry_that_becomes_too_long_is_refused():
    inf = parse_inf(f"[A]\nx={'%a%,' * 300}\n[Strings]\na={'b' * 4000}")
    with pytest.raises(InfError, match="line 2: its values have more than 1048576 characters"):
        inf.fields(inf.find("A").entries[0])


def test_a_value_that_becomes_too_long_is_refused():
    inf = parse_inf(f"[A]\nx=%a%%a%\n[Strings]\na={'b' * 3000}")
    with pytest.raises(InfError, match="line 2: a value has more"):
        inf.fields(inf.find("A").entries[0])


@pytest.mark.parametrize(
    "data",
    [
        "[A]\na=é".encode("utf-16"),
        b"\xef\xbb\xbf[A]\na=\xc3\xa9",
        b"[A]\na=\xc3\xa9",
        b"[A]\na=\xe9",
    ],
)
def test_every_encoding_is_read(data):
    assert read_inf(data).value("A", "a") == "é"


def test_a_file_in_no_encoding_is_refused():
    with pytest.raises(InfError, match=r"x\.inf, line 1: byte"):
        read_inf(b"\xff\xfe[", "x.inf")
