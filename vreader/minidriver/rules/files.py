# SPDX-License-Identifier: Apache-2.0
"""The rules of the functions for files, and of those that only ask what the card can do."""

from vreader.minidriver.abi.files import MAY_CREATE_AND_DELETE, RIGHTS
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.rules.base import file_name, good_name, key_spec, require, struct_version


def read_file(_version: int, directory: str | None, name: str | None, flags: int) -> None:
    """A name is there and not too long; flags are zero."""
    file_name(directory, name, flags)


def write_file(
    version: int, directory: str | None, name: str | None, flags: int, data: bytes | None
) -> None:
    """As for reading; data may be empty but not NULL."""
    read_file(version, directory, name, flags)
    require(data is not None)


def create_file(
    _version: int, directory: str | None, name: str | None, _size: int, access: int
) -> None:
    """The access condition is one that a file can be created with."""
    file_name(directory, name)
    require(access in RIGHTS)


def enum_files(_version: int, directory: str | None, flags: int) -> None:
    """The root or a good name; flags are zero."""
    if directory:
        good_name(directory)
    require(not flags)


def get_file_info(
    _version: int, directory: str | None, name: str | None, info: CARD_FILE_INFO | None
) -> None:
    """A name as for reading, a structure of version 1."""
    file_name(directory, name)
    require(info)
    assert info
    struct_version(info.dwVersion, 1)


def create_directory(_version: int, name: str | None, access: int) -> None:
    """A good name, a known access condition."""
    good_name(name)
    require(access in MAY_CREATE_AND_DELETE)


def delete_directory(_version: int, name: str | None) -> None:
    """A good name."""
    good_name(name)


def query_free_space(_version: int, flags: int, info: CARD_FREE_SPACE_INFO | None) -> None:
    """Flags are zero, the structure is of version 1."""
    require(info and not flags)
    assert info
    struct_version(info.dwVersion, 1)


def query_key_sizes(_version: int, spec: int, flags: int, info: CARD_KEY_SIZES | None) -> None:
    """A known key specification, flags are zero, the structure is of version 1."""
    require(info and not flags)
    assert info
    struct_version(info.dwVersion, 1)
    key_spec(spec)


def query_capabilities(_version: int, info: CARD_CAPABILITIES | None) -> None:
    """The structure is of version 1."""
    require(info)
    assert info
    struct_version(info.dwVersion, 1)
