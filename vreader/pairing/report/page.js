"use strict";
// What stands behind the cells is text, whatever it looks like: it is set as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const matrix = $("matrix");
const story = $("story");
const rows = [...matrix.tBodies[0].rows].map((row) => {
  const cells = [...row.cells].slice(1);
  const told = cells.map((cell) => data.cells[cell.id]);
  const words = [row.dataset.card, ...told.flatMap((t) => (t ? [t.outcome, t.atr, t.card_name] : []))];
  return { row, cells, told, words: [...new Set(words)].join("\n").toLowerCase() };
});
const heads = [...matrix.tHead.querySelectorAll("th[data-first]")];
const axes = [...document.querySelectorAll("select[data-axis]")];
const outcomes = [...document.querySelectorAll("#legend button")];
let columns = data.machines.map((_, number) => number);
let current = null;
const NARROW = "(max-width: 820px)";

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

// ---------------------------------------------------------------- which cells are seen

function chosen(id) {
  const select = $(id);
  return select && select.value !== "" ? Number(select.value) : null;
}

function refresh() {
  const find = $("find").value.trim().toLowerCase();
  const left = chosen("left");
  const right = chosen("right");
  const pair = left !== null && right !== null && left !== right ? [left, right] : null;
  const seen = data.machines.map((machine, number) => (pair ? pair.includes(number) :
    axes.every((select) => select.value === "" || String(machine[select.dataset.axis]) === select.value)));
  columns = [...seen.keys()].filter((number) => seen[number]);
  const only = $("differing") && $("differing").checked;
  const pressed = outcomes.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.outcome);
  let shown = 0;
  let different = 0;
  for (const { row, cells, told, words } of rows) {
    const compared = columns.map((number) => told[number]).filter(Boolean);
    const differs = new Set(compared.map((t) => t.outcome)).size > 1;
    const has = !pressed.length || columns.some((number) => told[number] && pressed.includes(told[number].outcome));
    row.hidden = !words.includes(find) || !has || (only && !differs);
    shown += !row.hidden;
    different += differs && !row.hidden;
    row.classList.toggle("differs", pair !== null && differs);
    cells.forEach((cell, number) => {
      cell.hidden = !seen[number];
      cell.classList.toggle("differs", pair !== null && differs);
      cell.classList.toggle("dim", pressed.length > 0 && !!told[number] && !pressed.includes(told[number].outcome));
    });
  }
  for (const head of heads) {
    const span = columns.filter((n) => n >= head.dataset.first && n < head.dataset.end).length;
    head.hidden = span === 0;
    head.colSpan = span || 1;
  }
  if (current && (current.hidden || current.parentElement.hidden)) {
    const first = matrix.querySelector("tr:not([hidden]) > td[id]:not([hidden])");
    if (first) mark(first);
  }
  $("nothing").hidden = shown > 0 && columns.length > 0;
  $("count").value = `${shown} of ${rows.length} cards` + (pair ? `, ${different} differ` : "");
  matrix.classList.toggle("compact", !$("words").checked);
  // Words above many columns stay in sight, beside the cards' names.
  matrix.style.setProperty("--first", `${rows.length ? matrix.tHead.rows[0].cells[0].offsetWidth + 8 : 0}px`);
}

// ---------------------------------------------------------------- the story of a cell

function fact(value) {
  if (Array.isArray(value)) {
    return value.length && typeof value[0] === "object"
      ? make("div", {}, ...value.map(fact))
      : document.createTextNode(value.join(", "));
  }
  return value !== null && typeof value === "object" ? facts(value) : document.createTextNode(String(value));
}

function facts(object) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of Object.entries(object)) {
    if (value === "" || value === null || (Array.isArray(value) && !value.length)) continue;
    list.append(make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, fact(value)));
  }
  return list;
}

function spaced(hex) {
  return hex.replace(/(..)(?=.)/g, "$1 ");
}

// `line` and `atr` are in the text.
function stepItem({ stage, text, line, atr, command, sw, data: answer, ...rest }) {
  const item = make("li", {}, text);
  if (command !== undefined) {
    item.append(make("code", { class: "apdu" }, `> ${spaced(command)}`));
    item.append(make("code", { class: "apdu" }, `< ${spaced(answer || "")} ${sw || ""}`.replace("<  ", "< ")));
  }
  if (Object.keys(rest).length) {
    item.append(make("details", {}, make("summary", {}, "facts"), facts(rest)));
  }
  return item;
}

function candidateTable(cell) {
  const head = ["rank", "package", "by", "signer", "DriverVer"];
  const body = cell.candidates.map((number) => {
    const each = data.drivers[number];
    const taken = number === cell.driver;
    return make("tr", { class: taken ? "taken" : undefined },
      make("td", {}, make("code", {}, each.rank), taken ? " ✓" : ""),
      make("td", {}, each.package, make("br"), make("small", {}, `${each.source}, ${each.section}`)),
      make("td", {}, make("code", {}, each.matching_id)),
      make("td", {}, each.signer),
      make("td", {}, `${each.date} ${each.version}`));
  });
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Candidates" }, make("table", { id: "candidates" },
    make("thead", {}, make("tr", {}, ...head.map((word) => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...body)));
}

function summaryList(cell) {
  const device = cell.device || {};
  const lines = {
    "ATR": cell.atr && spaced(cell.atr),
    "device": device.instance,
    "hardware ids": (device.hardware_ids || []).join(", "),
    "compatible ids": (device.compatible_ids || []).join(", "),
    "device problem": device.problem,
    "kept away by": cell.suppressed_by,
    "card name": cell.card_name && `${cell.card_name} (from ${cell.name_source})`,
    "module": cell.module && cell.module.path,
    "CSP": cell.csp,
    "KSP": cell.ksp,
    "class minidriver": cell.class_verdict && `takes it for ${cell.class_verdict}`,
  };
  const list = make("dl", {});
  for (const [name, value] of Object.entries(lines)) {
    if (value) list.append(make("dt", {}, name), make("dd", { class: name === "ATR" ? "hex" : undefined }, value));
  }
  return list;
}

function stagesOf(cell) {
  const stages = [];
  for (const step of cell.steps.map((number) => data.steps[number])) {
    if (!stages.length || stages.at(-1).stage !== step.stage) stages.push({ stage: step.stage, steps: [] });
    stages.at(-1).steps.push(step);
  }
  return stages;
}

// What each stage came to is its last step; of a card that nothing matched, also what came nearest.
// Of an INF's lines none is more than the others.
function whyList(stages) {
  const list = make("ul", { id: "why", "aria-label": "Why" });
  for (const { stage, steps } of stages) {
    const telling = steps.filter((step, n) => step.nearest || n === steps.length - 1);
    const texts = telling.map((step) => (step.line === undefined ? step.text : `${steps.length} steps, see below`));
    list.append(make("li", {}, make("b", {}, stage), make("span", {}, texts.join("; "))));
  }
  return stages.length ? list : null;
}

function stepLists(stages) {
  const all = make("div", { id: "steps" });
  let number = 1;
  for (const { stage, steps } of stages) {
    all.append(make("h4", { class: "stage" }, stage), make("ol", { start: number }, ...steps.map(stepItem)));
    number += steps.length;
  }
  return all;
}

function tell(id) {
  const cell = data.cells[id];
  const element = $(id);
  const mark = [...element.classList].find((name) => /^k\d+$/.test(name));
  const stages = stagesOf(cell);
  const { packages, policy } = data.machines[cell.column];
  const machine = [`Windows ${cell.os}`, `a ${cell.bits}-bit program`];
  if (packages) machine.push(`packages ${packages}`);
  if (policy) machine.push(`policy ${policy}`);
  story.replaceChildren(...[
    make("h2", {}, cell.card),
    make("p", { class: "machine" }, machine.join(", ")),
    make("p", { class: `answer mark ${mark}` }, cell.answer),
    whyList(stages),
    summaryList(cell)].filter(Boolean));
  if (cell.candidates.length) story.append(make("h3", {}, "Drivers that fit the device"), candidateTable(cell));
  if (stages.length) story.append(make("h3", {}, "Step by step"), stepLists(stages));
  story.scrollTop = 0;
}

function open(id) {
  const cell = document.getElementById(id);
  if (!cell || !data.cells[id]) return;
  if (cell.hidden || cell.parentElement.hidden) {
    // A link leads to its cell, whatever is filtered.
    $("tools").reset();
    $("words").checked = !matrix.classList.contains("compact");
    outcomes.forEach((button) => button.setAttribute("aria-pressed", "false"));
    refresh();
  }
  mark(cell);
  for (const other of matrix.querySelectorAll("[aria-selected]")) other.removeAttribute("aria-selected");
  cell.setAttribute("aria-selected", "true");
  tell(id);
  // The story has taken room from the matrix.
  if (!matchMedia(NARROW).matches) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// ---------------------------------------------------------------- by mouse and keyboard

function mark(cell) {
  if (current) current.tabIndex = -1;
  current = cell;
  cell.tabIndex = 0;
}

function choose(cell) {
  if (location.hash === `#${cell.id}`) open(cell.id);
  else location.hash = cell.id; // the browser remembers it, and tells us
  if (matchMedia(NARROW).matches) story.scrollIntoView();
}

function neighbour(cell, down, right) {
  const list = rows.filter(({ row }) => !row.hidden);
  let y = list.findIndex(({ cells }) => cells.includes(cell));
  let x = list[y] ? columns.indexOf(list[y].cells.indexOf(cell)) : 0;
  for (;;) {
    y += down;
    x += right;
    if (!list[y] || columns[x] === undefined) return null;
    const found = list[y].cells[columns[x]];
    if (found.id) return found;
  }
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

matrix.addEventListener("click", (event) => {
  const cell = event.target.closest("td[id]");
  if (cell) choose(cell);
});
matrix.addEventListener("keydown", (event) => {
  const cell = event.target.closest("td[id]");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") {
    choose(cell);
  } else if (event.key in MOVES) {
    const next = neighbour(cell, ...MOVES[event.key]);
    if (next) {
      mark(next);
      next.focus();
    }
  } else {
    return;
  }
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && story.contains(event.target) && current) current.focus();
});
$("tools").addEventListener("input", refresh);
$("tools").addEventListener("change", refresh);
$("tools").addEventListener("submit", (event) => event.preventDefault());
$("legend").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  refresh();
});
addEventListener("hashchange", () => open(location.hash.slice(1)));

$("tools").reset(); // a reload keeps what was typed, but not what was hidden
refresh();
const first = matrix.querySelector("td[id]");
if (first) mark(first);
const only = Object.keys(data.cells).length === 1; // there is nothing to choose
open(location.hash.slice(1) || (only ? first.id : ""));
