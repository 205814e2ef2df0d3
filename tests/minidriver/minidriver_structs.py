# SPDX-License-Identifier: Apache-2.0
"""Every structure of the interface, a nested one before the one it is in."""

from hypothesis import strategies as st

from vreader.minidriver.abi import blobs, carddata, injection, structs
from vreader.minidriver.abi.ctype import Abi, Scalar, Tail, Truth, Wide
from vreader.minidriver.abi.layout import Nested, Struct

STRUCTS = [
    found
    for module in (structs, injection, blobs, carddata)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, Struct) and found.__module__ == module.__name__
]


def values_of(type_, abi):
    match type_:
        case Truth():
            return st.booleans()
        case Scalar():
            return st.integers(0, (1 << 8 * type_.size(abi)) - 1)
        case Wide():
            text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
            return text.filter(lambda t: len(t.encode("utf-16-le")) <= 2 * (type_.characters - 1))
        case Nested():
            return instances(type_.struct, abi)
        case Tail():
            return st.binary(max_size=40)
    raise AssertionError(type_)


@st.composite
def instances(draw, struct, abi=Abi.X64):
    """A structure with random members, those of the version that it says; counts fit their data."""
    versions = st.sampled_from(sorted(struct.VERSIONS)) if struct.VERSIONS else st.none()
    version = draw(versions)
    values = {}
    for name, type_ in struct.layout(abi, version).fields:
        values[name] = draw(values_of(type_, abi))
        if isinstance(type_, Tail):
            first, *others = type_.counts
            values |= {first: len(values[name]), **dict.fromkeys(others, 0)}
    if version is not None:
        values["dwVersion"] = version
    return struct(**values)
