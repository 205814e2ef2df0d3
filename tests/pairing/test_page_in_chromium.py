# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: what a person clicks, types and reads."""

import os
import shutil
from pathlib import Path

import pytest
from sample_pairings import answered

from vreader.pairing.report.matrix import Matrix
from vreader.pairing.report.page import matrix_page

HOSTILE = "</script><img src=x onerror=alert(1)>"
MODULES = {
    "piv": ("msclmd.dll", "msclmd.dll"),
    "Fabrikam": ("", "fabrikam.dll"),
    HOSTILE: ("msclmd.dll", "contoso.dll"),
}
PATIENCE_S = 20

pytestmark = pytest.mark.clients


def matrix() -> Matrix:
    """Three cards, and two sets of packages on two Windows."""
    answers = [
        answered(card, module, packages=packages, os=system)
        for card, modules in MODULES.items()
        for packages, module in zip(("inbox only", "ours"), modules, strict=True)
        for system in ("10.0-amd64", "6.1-amd64")
    ]
    return Matrix.of_sweep("Fabrikam 2.0", answers)


@pytest.fixture(scope="module")
def browser(need, tmp_path_factory):
    """A browser without a screen, a network and a profile of somebody's."""
    try:
        from selenium import webdriver
    except ImportError:
        reason = "selenium is missing: pip install selenium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = need("chromium", "chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which wants another user than root; the page is ours
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--window-size=1440,900",
        f"--user-data-dir={folder}",
        "--proxy-server=127.0.0.1:9",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(need("chromedriver", "chromium-driver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(PATIENCE_S)
    yield driver
    driver.quit()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shown(browser, tmp_path):
    """The page, opened; nobody must have complained in the end."""
    path = tmp_path / "report.html"
    path.write_text(matrix_page(matrix()), encoding="utf-8")
    browser.get(f"file://{path}")
    browser.get_log("browser")
    yield Shown(browser, path)
    assert browser.get_log("browser") == []


class Shown:
    """A page in a browser."""

    def __init__(self, browser, path: Path) -> None:
        self.browser = browser
        self.path = path

    def find(self, css: str):
        return self.browser.find_element("css selector", css)

    def all(self, css: str) -> list:
        found = self.browser.find_elements("css selector", css)
        return [each for each in found if each.is_displayed()]

    def cell(self, card: str, outcome: str):
        for row in self.all("#matrix tbody tr"):
            if row.get_attribute("data-card") == card:
                for cell in row.find_elements("css selector", "td"):
                    if cell.is_displayed() and cell.get_attribute("title") == outcome:
                        return cell
        raise AssertionError(f"{card} has no {outcome}")

    def story(self) -> str:
        return self.find("#story").text

    def until(self, condition):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, PATIENCE_S, 0.02).until(lambda _: condition())

    def choose(self, css: str, text: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.find(css)).select_by_visible_text(text)

    def cards(self) -> list[str]:
        return [row.get_attribute("data-card") for row in self.all("#matrix tbody tr")]

    def press(self, *keys: str) -> None:
        self.browser.switch_to.active_element.send_keys(*keys)


def test_a_click_tells_the_story(shown, tmp_path):
    shown.cell("Fabrikam", "fabrikam.dll").click()
    shown.until(lambda: "fabrikam.dll is loaded through" in shown.story())
    stages = [each.text for each in shown.all("#steps h4")]
    assert stages == ["insertion", "plug and play", "driver search", "winscard"]
    why = [each.text.split("\n") for each in shown.all("#why li")]
    assert why[2:] == [
        ["driver search", "best: fabrikam.inf"],
        ["winscard", "entry 'Fabrikam': equal"],
    ]
    apdus = [each.text for each in shown.all("#steps .apdu")]
    assert apdus == ["> 00 A4 04 00 09 A0 00 00 03 08 00 00 10 00 00", "< 6A82"]
    ranks = [row.text.split()[0] for row in shown.all("#candidates tbody tr")]
    assert ranks == ["00FF0000", "00FF2000"]
    assert "fabrikam.inf" in shown.find("#candidates .taken").text
    shown.all("#steps details summary")[-1].click()
    assert "Fabrikam" in shown.all("#steps details")[-1].text
    picture = tmp_path / "page.png"
    assert shown.browser.save_screenshot(str(picture))
    assert picture.stat().st_size > 10_000


def test_the_matrix_has_the_room_until_a_cell_is_chosen(shown):
    def width():
        return shown.find("#story").size["width"]

    before = width()
    shown.cell("Fabrikam", "fabrikam.dll").click()
    shown.until(lambda: width() > before)


def test_a_chosen_cell_stays_in_sight(shown):
    shown.browser.set_window_size(900, 700)
    try:
        shown.all("#matrix tbody tr:first-child td")[-1].click()
        shown.until(lambda: "is loaded through" in shown.story())
        chosen, frame = shown.find("#matrix [aria-selected]").rect, shown.find("#frame").rect
        assert frame["x"] <= chosen["x"] + 1
        assert chosen["x"] + chosen["width"] <= frame["x"] + frame["width"] + 1
    finally:
        shown.browser.set_window_size(1440, 900)


def test_a_screen_reader_finds_its_way(shown):
    shown.cell("Fabrikam", "none").click()
    shown.until(lambda: "no minidriver" in shown.story())
    nodes = shown.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    told = [(n["role"]["value"], n["name"]["value"]) for n in nodes if "name" in n and "role" in n]
    assert [name for role, name in told if role == "heading"] == [
        "Fabrikam 2.0", "Fabrikam", "Step by step",
        "insertion", "plug and play", "driver search", "winscard",
    ]  # fmt: skip
    assert ("grid", "Minidriver for each card and machine") in told
    assert [name for role, name in told if role == "gridcell"].count("fabrikam.dll") == 2
    fields = [name for role, name in told if role in ("combobox", "searchbox", "checkbox")]
    assert all(fields)
    assert len(fields) == 7


def test_filters(shown):
    shown.find("#find").send_keys("FABRIKAM.D")
    assert shown.cards() == ["Fabrikam"]
    assert shown.find("#count").text == "1 of 3 cards"
    shown.find("#find").send_keys("xyz")
    assert shown.find("#nothing").is_displayed()
    shown.find("#find").clear()
    shown.choose("select[data-axis=os]", "6.1-amd64")
    assert len(shown.all("#matrix td")) == 6
    heads = [[th.text for th in row.find_elements("css selector", "th") if th.is_displayed()]
             for row in shown.all("#matrix thead tr")]  # fmt: skip
    assert heads == [["packages", "inbox only", "ours"], ["Windows", "6.1-amd64", "6.1-amd64"]]
    shown.find("#differing").click()
    assert shown.cards() == ["Fabrikam", HOSTILE]
    shown.find("#legend button[data-outcome='contoso.dll']").click()
    assert shown.cards() == [HOSTILE]


def test_two_columns_compared(shown):
    shown.choose("#left", "inbox only, 10.0-amd64")
    shown.choose("#right", "ours, 10.0-amd64")
    assert shown.find("#count").text == "3 of 3 cards, 2 differ"
    assert [cell.text for cell in shown.all("#matrix td.differs")] == [
        "none", "fabrikam.dll", "msclmd.dll", "contoso.dll",
    ]  # fmt: skip


def test_a_link_leads_to_a_cell_whatever_is_filtered(shown):
    shown.cell(HOSTILE, "contoso.dll").click()
    shown.until(lambda: HOSTILE in shown.story())
    link = shown.browser.current_url
    shown.browser.get("about:blank")
    shown.browser.get(link)
    assert "contoso.dll is loaded through" in shown.story()
    shown.find("#find").send_keys("piv")
    other = shown.browser.execute_script("return data.cells && Object.keys(data.cells)[6]")
    shown.browser.execute_script(f"location.hash = '{other}'")
    shown.until(lambda: shown.story().startswith("Fabrikam"))
    assert shown.cards() == list(MODULES)
    shown.browser.back()
    shown.until(lambda: shown.story().startswith(HOSTILE))


def test_by_keyboard_alone(shown):
    from selenium.webdriver.common.keys import Keys

    shown.find("#legend li:last-child button").send_keys(Keys.TAB)
    shown.press(Keys.ARROW_DOWN)
    shown.press(Keys.ARROW_RIGHT)
    shown.press(Keys.ARROW_RIGHT)
    shown.press(Keys.ENTER)
    shown.until(lambda: shown.story().startswith("Fabrikam\nWindows 10.0-amd64"))
    assert "packages ours" in shown.story()


def test_hostile_names_run_nothing(shown):
    assert shown.all("img") == []
    shown.cell(HOSTILE, "msclmd.dll").click()
    shown.until(lambda: HOSTILE in shown.story())
    assert shown.all("img") == []
