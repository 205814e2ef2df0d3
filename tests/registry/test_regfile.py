# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from hives import told
from hypothesis import given
from hypothesis import strategies as st

from vreader.registry import REG_SZ, Registry, Value
from vreader.registry.regfile import VERSION_5, RegFileError, import_reg, parse_reg

V5 = "Windows Registry Editor Version 5.00\r\n\r\n"
V4 = "REGEDIT4\r\n\r\n"
CARD = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards\Fabrikam"


def read(text, header=V5):
    registry = Registry()
    import_reg(registry, b"\xff\xfe" + (header + text).encode("utf-16-le"))
    return registry


def values(text, header=V5):
    return dict(read(f"[HKEY_LOCAL_MACHINE\\A]\r\n{text}", header).open(r"HKLM\A").values())


def test_a_card_registration_as_reg_export_writes_it():
    registry = read(
        f"[{CARD}]\r\n"
        '"ATR"=hex:3b,04,51,ff,\\\r\n  08,00\r\n'
        '"ATRMask"=hex:ff,ff,ff,ff,ff,ff\r\n'
        '"Crypto Provider"="Microsoft Base Smart Card Crypto Provider"\r\n'
        '"80000001"="fabrikam.dll"\r\n'
    )
    key = registry.open(CARD)
    assert key.get("atr").decoded == bytes.fromhex("3B0451FF0800")
    assert key.get("80000001").decoded == "fabrikam.dll"
    assert [name for name, _ in key.values()] == ["ATR", "ATRMask", "Crypto Provider", "80000001"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"a\\\\b\\"c"', Value.sz('a\\b"c')),
        ('""', Value.sz("")),
        ('"two\r\nlines  "', Value.sz("two\r\nlines  ")),
        ('"a\nb\rc"', Value.sz("a\nb\rc")),
        ("dword:0000002a", Value.dword(42)),
        ("DWORD:2A", Value.dword(42)),
        ("dword:\t 0000002a ;x", Value.dword(42)),
        ("hex:", Value.binary(b"")),
        ("hex:1,02,", Value.binary(b"\1\2")),
        ("hex:01,\\\r\n\t02 , 03", Value.binary(b"\1\2\3")),
        ("hex:01,02,  \\ ;why\r\n\r\n ;[x]\\\r\n \t\r\n  03", Value.binary(b"\1\2\3")),
        ("hex:\\\r\n  01,\\\n02,;", Value.binary(b"\1\2")),
        ("hex(0):", Value.none()),
        ("hex(1):61,00", Value(REG_SZ, b"a\0")),
        ("hex(2):25,00,00,00", Value.expand_sz("%")),
        ("hex(7):61,00,00,00,00,00", Value.multi_sz(["a"])),
        ("hex(b):01,00,00,00,00,00,00,00", Value.qword(1)),
        ("hex(4):01,00", Value(4, b"\1\0")),
        ("hex(ffffffff):00", Value(0xFFFFFFFF, b"\0")),
        ('"x" ; why', Value.sz("x")),
        ("hex:01 ; why", Value.binary(b"\1")),
    ],
)
def test_every_type_is_read(written, value):
    assert values(f'"v"={written}') == {"v": value}


def test_version_4_holds_ansi_bytes():
    registry = Registry()
    text = V4 + '[HKEY_CURRENT_USER\\A]\r\n"é"="ü"\r\n@=hex(2):80,00\r\n"b"=hex(7):61,00,00\r\n'
    import_reg(registry, text.encode("cp1252"))
    assert dict(registry.open(r"HKCU\A").values()) == {
        "é": Value.sz("ü"),
        "": Value.expand_sz("€"),
        "b": Value.multi_sz(["a"]),
    }


@pytest.mark.parametrize("blank", ["", " \t"])
def test_version_4_is_never_utf_8(blank):
    registry = Registry()
    text = blank + V4 + '[HKEY_CURRENT_USER\\A]\r\n"v"="Ã©"\r\n'
    import_reg(registry, text.encode("cp1252"))
    assert registry.open(r"HKCU\A").get("v").decoded == "Ã©"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8"])
def test_every_line_end_and_encoding_is_read(end, mark, encoding):
    lines = ["[HKEY_CURRENT_USER\\Ключ] ;", '@="ö"', ' "b" = hex:01,\\', "  02", "", "\0\0"]
    text = mark + VERSION_5 + end + end.join(lines)
    registry = Registry()
    assert import_reg(registry, text.replace(" ;", " ;").encode(encoding)) == 3
    assert registry.open("HKCU\\Ключ").values() == [
        ("", Value.sz("ö")),
        ("b", Value.binary(b"\1\2")),
    ]


def test_keys_and_values_are_deleted():
    registry = read('[HKEY_LOCAL_MACHINE\\A]\r\n"v"="1"\r\n"w"="2"\r\n[HKEY_LOCAL_MACHINE\\B\\C]')
    text = (
        "[HKEY_LOCAL_MACHINE\\A]\r\n\"V\"=-\r\n\"gone\"=-\r\n"
        "[-HKEY_LOCAL_MACHINE\\B]\r\n[-HKEY_LOCAL_MACHINE\\never]\r\n"
        '[HKEY_LOCAL_MACHINE\\A]\r\n@="x"\r\n'
    )  # fmt: skip
    import_reg(registry, (V5 + text).encode())
    assert registry.open(r"HKLM\A").values() == [("w", Value.sz("2")), ("", Value.sz("x"))]
    assert registry.find(r"HKLM\B") is None


def test_deleting_below_an_alias_makes_no_key():
    registry = read("[-HKEY_CLASSES_ROOT\\.inf]\r\n")
    assert told(registry) == told(Registry())


def test_deleting_a_value_makes_no_key():
    registry = read("")
    import_reg(registry, (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=-').encode())
    assert registry.find(r"HKLM\A") is not None  # the key's own line does
    assert registry.open(r"HKLM\A").values() == []


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("Windows Registry Editor\r\n", 1, 1, "not a .reg file"),
        ("", 1, 1, "not a .reg file"),
        (V5 + '"v"="x"', 3, 1, "outside of a key"),
        (V5 + "[-HKEY_LOCAL_MACHINE\\A]\r\n @=-", 4, 2, "deleted key"),
        (V5 + "[HKEY_LOCAL_MACHINE\\A", 3, 22, "does not end with ]"),
        (V5 + "[HKEY_LOCAL_MACHINE\\A] x", 3, 24, "does not end with ]"),
        (V5 + "[HKLX\\A]", 3, 2, "no root"),
        (V5 + "[-HKEY_LOCAL_MACHINE]", 3, 3, "cannot be deleted"),
        (V5 + "[HKEY_LOCAL_MACHINE\\A\\\\B]", 3, 2, "1 to 255"),
        (V5 + "[HKEY_USERS\\A]\r\n[HKEY_CURRENT_CONFIG" + "\\a" * 509 + "]", 4, 2, "at most 512"),
        (V5 + "[HKEY_LOCAL_MACHINE\\A]\r\nx", 4, 1, "neither a key nor a value"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"', 4, 4, "no ="),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v" = qword:1', 4, 7, "no value"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"="C:\\x"', 4, 8, "single"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"="a\r\nb\\', 5, 2, "single"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n\r\n"v"="x\r\ny', 5, 5, "closing"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"="x" y', 4, 9, "more after"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=dword:1 2', 4, 13, "more after"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:01, 0g', 4, 13, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,\\\r\n 01,0x', 5, 5, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,,1', 4, 12, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:,\\\r\n01', 4, 9, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,\\\r\n ,01', 5, 2, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00, ,1', 4, 13, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,\\', 4, 12, "nothing after"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,\\\r\n\r\n;x', 4, 12, "nothing after"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,7\\\r\n5', 4, 13, "no comma before"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00\\\r\n,75', 4, 11, "no comma before"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,\\\r\n  \\\r\n75', 5, 3, "no comma before"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex:00,\\\r\n"w"="x"', 5, 1, "no byte"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"=hex(100000000):00', 4, 5, "no value"),
        (V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n"v"="\\0"', 4, 6, "single"),
        (V5 + f'[HKEY_LOCAL_MACHINE\\A]\r\n"{"v" * 16384}"=-', 4, 1, "at most 16383"),
    ],
)
def test_a_bad_file_names_line_and_column_and_changes_nothing(text, line, column, problem):
    registry = Registry()
    with pytest.raises(RegFileError, match=problem.replace("]", r"\]")) as error:
        import_reg(registry, text.encode(), "x.reg")
    assert (error.value.line, error.value.column) == (line, column)
    assert str(error.value).startswith(f"x.reg, line {line}, column {column}: ")
    assert error.value.hint
    assert told(registry) == told(Registry())


def test_a_file_in_no_encoding_is_refused():
    with pytest.raises(RegFileError, match="line 1: byte 4"):
        parse_reg(b"\xff\xfea\0b")


@given(st.binary(max_size=200) | st.text(st.sampled_from('[]HKLM\\A"=;-hex:()17,\n\r0b@'))
       .map(lambda text: (V5 + text).encode()))  # fmt: skip
def test_anything_is_read_or_refused(data):
    with contextlib.suppress(RegFileError):
        parse_reg(data)
