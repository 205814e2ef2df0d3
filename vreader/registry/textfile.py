# SPDX-License-Identifier: Apache-2.0
"""The encodings of Windows' text files: UTF-16LE or UTF-8 with a mark, or ANSI without one."""

_BOM_UTF16LE, _BOM_UTF16BE, _BOM_UTF8 = b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"

# Bytes a code page leaves out are control characters of the same number, as Windows reads them.
_HIGH = range(0x80, 0x100)
_ESCAPED = {0xDC00 + byte: byte for byte in _HIGH}


def decode(data: bytes, ansi: str = "cp1252") -> str:
    """Return the text of a file.

    Without a mark it is UTF-16LE where its second byte is 0, UTF-8 where it can be, and else in the
    code page ``ansi``. A lone surrogate of UTF-16 is kept.

    Raises:
        ValueError: it is in none of these, half a character at its end for example.
    """
    if data.startswith(_BOM_UTF8):
        return _strict(data, 3, "utf-8", "strict")
    if data.startswith(_BOM_UTF16BE):
        raise ValueError("it is big-endian UTF-16, which Windows does not read")
    if data.startswith(_BOM_UTF16LE):
        return _strict(data, 2, "utf-16-le", "surrogatepass")
    if data[1:2] == b"\0":
        return _strict(data, 0, "utf-16-le", "surrogatepass")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return decode_ansi(data, ansi)


def _strict(data: bytes, mark: int, encoding: str, errors: str) -> str:
    try:
        return data[mark:].decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {mark + error.start} is not {encoding.upper()}") from None


def decode_ansi(data: bytes, ansi: str = "cp1252") -> str:
    """Return text in a code page."""
    return data.decode(ansi, "surrogateescape").translate(_ESCAPED)


def encode_ansi(text: str, ansi: str = "cp1252") -> bytes:
    """Return text in a code page; UnicodeEncodeError, a ValueError, where it cannot be said."""
    try:
        return text.encode(ansi)
    except UnicodeEncodeError:
        undefined = {
            byte: 0xDC00 + byte
            for byte in _HIGH
            if "\ufffd" in bytes((byte,)).decode(ansi, "replace")
        }
        if any(0xDC80 <= ord(letter) <= 0xDCFF for letter in text):
            raise  # a lone surrogate must not pass for a byte
        return text.translate(undefined).encode(ansi, "surrogateescape")
