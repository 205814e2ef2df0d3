# SPDX-License-Identifier: Apache-2.0
"""The page as text: it is whole, fetches nothing, and takes nothing for markup."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_pairings import answered, pairing

from vreader.pairing.report.matrix import Matrix
from vreader.pairing.report.page import matrix_page, page

HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;\u2028\ud800\x00",
]


class Page(HTMLParser):
    """What is in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def attributes(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def data(self):
        scripts = [text for tag, text in self.texts if tag == "script"]
        return json.loads(scripts[0])


def matrix():
    answers = [
        answered(card, module, packages=packages)
        for card in ("piv", "gids")
        for packages, module in (("ours", "fabrikam.dll"), ("none", ""))
    ]
    return Matrix.of_sweep("Fabrikam 2.0", answers)


def test_the_matrix():
    shown = Page(matrix_page(matrix()))
    cells = [cell for cell in shown.attributes("td") if "id" in cell]
    assert [cell["title"] for cell in cells] == ["fabrikam.dll", "none"] * 2
    assert ("title", "Fabrikam 2.0") in shown.texts
    assert set(shown.data["cells"]) == {cell["id"] for cell in cells}


def test_steps_and_drivers_are_in_it_once():
    data = Page(matrix_page(matrix())).data
    assert len(data["steps"]) == 5  # the first has the card in it
    assert len(data["drivers"]) == 2
    cells = list(data["cells"].values())
    assert [data["steps"][n]["stage"] for n in cells[0]["steps"]] == [
        "insertion", "plug and play", "driver search", "winscard",
    ]  # fmt: skip
    assert cells[0]["driver"] == cells[0]["candidates"][0]
    assert "driver" not in cells[1]


def test_links_stay_the_same():
    first, second = (Page(matrix_page(matrix())).data["cells"] for _ in range(2))
    assert list(first) == list(second)
    fewer = matrix()
    del fewer.records["piv", fewer.columns[0]]
    assert list(Page(matrix_page(fewer)).data["cells"]) == list(first)[1:]


def test_nothing_is_fetched_and_nothing_else_runs():
    text = matrix_page(matrix())
    shown = Page(text)
    assert not re.search(r"(?:src|href)=\"(?!data:)", text)
    assert not re.search(r"url\(|@import|https?:", text)
    assert [tag for tag, attributes in shown.tags if "style" in attributes] == []
    (policy,) = [m["content"] for m in shown.attributes("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; ")
    for tag, number in (("style", 0), ("script", 1)):
        own = [content for name, content in shown.texts if name == tag and content.strip()]
        digest = base64.b64encode(hashlib.sha256(own[number].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name):
    benign = Page(matrix_page(Matrix.of_sweep("x", [answered("x", packages=p) for p in "xy"])))
    answers = [answered(name, f"{name}.dll", packages=f"{name}{p}") for p in "xy"]
    shown = Page(matrix_page(Matrix.of_sweep(name, answers)))
    assert [tag for tag, _ in shown.tags] == [tag for tag, _ in benign.tags]
    assert all(set(a) <= ATTRIBUTES for _, a in shown.tags)
    readable = name.replace("\ud800", "?")
    assert [cell["card"] for cell in shown.data["cells"].values()] == [name] * 2
    assert (
        "title",
        readable.replace("\x00", "\ufffd"),
    ) in shown.texts or readable in "".join(text for tag, text in shown.texts if tag == "title")


ATTRIBUTES = {
    "aria-hidden", "aria-label", "aria-pressed", "autocomplete", "charset", "checked", "class",
    "colspan", "content", "data-axis", "data-card", "data-end", "data-first", "data-key",
    "data-outcome", "for", "hidden", "href", "http-equiv", "id", "lang", "name", "placeholder",
    "rel", "role", "scope", "tabindex", "title", "type", "value",
}  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(), max_size=30), st.text(max_size=30))
def test_any_names_are_text(card, module):
    shown = Page(matrix_page(Matrix.of_sweep("x", [answered(card, module)])))
    assert len(shown.attributes("script")) == 2
    assert [cell["card"] for cell in shown.data["cells"].values()] == [card]


def test_modules_have_colours_of_their_own():
    names = [f"m{n}.dll" for n in range(30)]
    answers = [answered(f"card {name}", name) for name in names]
    answers.append(answered("not loaded", "m0.dll", csp="", ksp=""))
    text = matrix_page(Matrix.of_sweep("x", answers))
    hues = re.findall(r"^\.k\d+ \{ --h: (\d+); \}$", text, re.MULTILINE)
    assert len(hues) == 31
    assert len(set(hues)) == 30  # the one that is not loaded looks like itself, but striped
    assert len(re.findall(r"^\.k\d+ \{ background-image: ", text, re.MULTILINE)) == 1


def test_a_page_of_pairings():
    text = page([pairing(), pairing(), pairing(os="6.1-x86", bits=32)], "vreader pair")
    cells = Page(text).data["cells"].values()
    assert [(cell["os"], cell["bits"]) for cell in cells] == [
        ("10.0-amd64", 64), ("10.0-amd64", 64), ("6.1-x86", 32),
    ]  # fmt: skip


def test_no_answers_at_all():
    assert Page(page([], "nothing")).data["cells"] == {}


def test_five_thousand_cells_stay_small():
    answers = [
        answered(f"atr:3B04{n:04X}", packages=f"set {m}") for n in range(250) for m in range(20)
    ]
    text = matrix_page(Matrix.of_sweep("large", answers))
    assert len(text) < 1000 * len(answers)
    assert 'class="compact"' in text
