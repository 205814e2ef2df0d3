# SPDX-License-Identifier: Apache-2.0
"""A registry and a model of it, under whatever programs do to them in whatever order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vreader.registry import KeyRefusedError, Registry, Value
from vreader.registry.names import fold

# Few names, so that they meet: case, letters that must not become others, what .reg files escape.
NAMES = st.sampled_from(["a", "A", "b", "ß", "ẞ", "é", "É", "]", '"'])
PATHS = st.tuples(
    st.sampled_from(["HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER"]), st.lists(NAMES, max_size=3)
)
VALUES = st.builds(Value.binary, st.binary(max_size=1))


class Model:
    """Keys by their folded names: name, then values by folded name; dicts keep their order."""

    def __init__(self):
        self.keys = {}

    def copy(self):
        copied = Model()
        copied.keys = {path: (name, dict(values)) for path, (name, values) in self.keys.items()}
        return copied

    def create(self, root, names):
        self.keys.setdefault((root,), (root, {}))
        for length, name in enumerate(names, 1):
            self.keys.setdefault((root, *map(fold, names[:length])), (name, {}))
        return self.keys[root, *map(fold, names)][1]

    def below(self, path):
        return [key for key in self.keys if key[: len(path)] == path]

    def told(self):
        """Return paths, sub-keys by age and values by age, in the order of the paths."""
        told = []
        for path in sorted(self.keys):
            spelled = [self.keys[path[:length]][0] for length in range(1, len(path) + 1)]
            below = [self.keys[key][0] for key in self.below(path) if len(key) == len(path) + 1]
            told.append(("\\".join(spelled), below, list(self.keys[path][1].values())))
        return told


def told(registry):
    return [
        (key.path, [below.name for below in key.subkeys("created")], key.values())
        for root in sorted(registry.roots(), key=lambda each: each.name)
        for key in root.walk()
    ]


class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.registry, self.model = Registry(), Model()
        for root in self.registry.roots():
            self.model.create(root.name, [])
        self.others = []  # copies, which nobody touches

    def key(self, path):
        return self.registry.find("\\".join((path[0], *path[1])))

    @rule(path=PATHS)
    def create(self, path):
        made = self.registry.create("\\".join((path[0], *path[1])))
        self.model.create(*path)
        assert made is self.key(path)
        assert made.depth == len(path[1])

    @rule(path=PATHS, name=st.just("") | NAMES, value=VALUES)
    def set(self, path, name, value):
        self.registry.create("\\".join((path[0], *path[1]))).set(name, value)
        values = self.model.create(*path)
        spelled, _ = values.get(fold(name), (name, value))
        values[fold(name)] = (spelled, value)

    @rule(path=PATHS, name=st.just("") | NAMES)
    def delete_value(self, path, name):
        key = self.key(path)
        if key is not None and key.find_value(name) is not None:
            key.delete_value(name)
            del self.model.create(*path)[fold(name)]

    @rule(path=PATHS, tree=st.booleans())
    def delete(self, path, tree):
        key = self.key(path)
        if key is None or not path[1]:
            return
        gone = self.model.below((path[0], *map(fold, path[1])))
        keys = list(key.walk())
        try:
            key.remove(tree=tree)
        except KeyRefusedError:
            assert not tree
            assert len(gone) > 1
            return
        assert tree or len(gone) == 1
        assert all(each.deleted for each in keys)
        for each in gone:
            del self.model.keys[each]

    @rule(stay=st.booleans())
    def copy(self, stay):
        copied = self.registry.copy()
        assert told(copied) == told(self.registry)
        self.others.append((self.registry if stay else copied, self.model.copy()))
        if stay:
            self.registry = copied

    @rule()
    def merge_into_an_empty_one(self):
        merged = Registry()
        merged.merge(self.registry)
        assert told(merged) == told(self.registry)

    @invariant()
    def they_agree(self):
        assert told(self.registry) == self.model.told()

    def teardown(self):
        for registry, model in self.others:
            assert told(registry) == model.told()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
