# SPDX-License-Identifier: Apache-2.0
import pytest
from hives import told
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.registry import REG_SZ, KeyNotFoundError, Registry, Value
from vreader.registry.regexport import export_reg
from vreader.registry.regfile import import_reg

V5 = "Windows Registry Editor Version 5.00\r\n\r\n"


def test_export_is_what_regedit_writes():
    registry = Registry()
    key = registry.create(r"HKLM\SOFTWARE\B")
    key.set("", Value.sz('say "C:\\"'))
    key.set("n", Value.dword(0x2A))
    key.set("long", Value.binary(bytes(range(40))))
    key.set("e", Value.expand_sz("%a%"))
    registry.create(r"HKLM\SOFTWARE\A")
    assert export_reg(registry, ["HKLM"]).decode("utf-16") == (
        V5 + "[HKEY_LOCAL_MACHINE]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n"
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\r\n\r\n"
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\B]\r\n"
        '@="say \\"C:\\\\\\""\r\n"n"=dword:0000002a\r\n'
        '"long"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\\\r\n'
        "  16,17,18,19,1a,1b,1c,1d,1e,1f,20,21,22,23,24,25,26,27\r\n"
        '"e"=hex(2):25,00,61,00,25,00,00,00\r\n\r\n'
    )


@pytest.mark.parametrize("text", ["a\nb", "a\r\n", "\r"])
def test_a_line_end_in_a_text_does_not_depend_on_the_reader(text):
    registry = Registry()
    registry.create(r"HKLM\A").set("v", Value.sz(text))
    written = export_reg(registry).decode("utf-16")
    assert f'"v"=hex(1):{Value.sz(text).data.hex(",")}\r\n' in written


def test_the_whole_is_without_roots_that_have_no_values():
    registry = Registry()
    assert export_reg(registry).decode("utf-16") == V5
    registry.root("HKU").set("v", Value.none())
    registry.create(r"HKLM\A")
    assert export_reg(registry).decode("utf-16") == (
        V5 + '[HKEY_LOCAL_MACHINE\\A]\r\n\r\n[HKEY_USERS]\r\n"v"=hex(0):\r\n\r\n'
    )


def test_export_of_a_key_that_is_not_there():
    with pytest.raises(KeyNotFoundError):
        export_reg(Registry(), [r"HKLM\A"])


@pytest.mark.parametrize(
    ("name", "value", "version"),
    [("Ж", Value.none(), 4), ("a", Value.sz("Ж"), 4), ("a", Value.expand_sz("Ж"), 4),
     ("a\nb", Value.none(), 5), ("a", Value(REG_SZ, b"a\0b"), 4)],
)  # fmt: skip
def test_what_a_version_cannot_say_is_refused(name, value, version):
    registry = Registry()
    registry.create(r"HKLM\A").set(name, value)
    with pytest.raises(UsageError):
        export_reg(registry, version=version)


@pytest.mark.parametrize("version", [4, 5])
def test_a_key_with_a_line_end_in_its_name_is_refused(version):
    registry = Registry()
    registry.create("HKLM\\a\rb\\c")
    with pytest.raises(UsageError, match=r"no \.reg file can name"):
        export_reg(registry, version=version)


names = st.text(
    st.characters(exclude_characters="\\\0\r\n"), min_size=1, max_size=8
)  # lone surrogates among them
ansi_names = st.text(st.sampled_from('aB "]=;[-é€\x81'), min_size=1, max_size=8)
types = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 11, 0x38, 0xFFFFFFFF])


def fill(registry, content):
    for path, name, value in content:
        key = registry.create("HKLM\\" + "\\".join(path))
        if value is not None:
            key.set(name, value)


texts = st.text(st.characters(exclude_characters="\0"), max_size=12)
any_value = st.none() | st.builds(Value, types, st.binary(max_size=90)) | st.builds(Value.sz, texts)


@given(st.lists(st.tuples(st.lists(names, min_size=1, max_size=3), names, any_value), max_size=6))
def test_version_5_comes_back(content):
    registry, again = Registry(), Registry()
    fill(registry, content)
    import_reg(again, export_reg(registry))
    assert told(again) == told(registry)


ansi_text = st.text(st.sampled_from('aB\\"\r\n é€\x81Ã©'), max_size=8)
ansi_value = st.builds(Value.sz, ansi_text) | st.builds(Value.expand_sz, ansi_text)


@given(
    st.lists(
        st.tuples(st.lists(ansi_names, min_size=1, max_size=3), ansi_names, ansi_value), max_size=6
    )
)
def test_version_4_comes_back(content):
    registry, again = Registry(), Registry()
    fill(registry, content)
    import_reg(again, export_reg(registry, version=4))
    assert told(again) == told(registry)
