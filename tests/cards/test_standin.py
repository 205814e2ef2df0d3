# SPDX-License-Identifier: Apache-2.0
"""Cards that stand in for another: what they refuse alike."""

import pytest

from vreader.card import CardKind, FileStore, MemoryStore
from vreader.errors import UsageError, VreaderError
from vreader.kinds import find_kind

KINDS = ["scripted", "replay", "relay"]


@pytest.mark.parametrize("name", KINDS)
def test_they_keep_nothing_and_take_nothing(name):
    kind = find_kind(name)
    assert isinstance(kind, CardKind)
    with pytest.raises(UsageError, match="keeps no state file"):
        kind.create(next(iter(kind.profiles())), {}, FileStore("a.card"), None)
    with pytest.raises(VreaderError, match="is not kept in a file"):
        kind.open(FileStore("a.card"))
    with pytest.raises(UsageError, match="takes no keys"):
        kind.provision(None, {})
    with pytest.raises(UsageError, match="has no option 'colour'"):
        kind.create(next(iter(kind.profiles())), {"colour": "red"}, MemoryStore(), None)


@pytest.mark.parametrize("name", ["scripted", "replay"])
def test_no_file_is_named(name):
    kind = find_kind(name)
    with pytest.raises(UsageError, match="is named") as caught:
        kind.create(next(iter(kind.profiles())), {}, MemoryStore(), None)
    assert "file=" in caught.value.hint
