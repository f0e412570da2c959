"use strict";
// The page's two live parts: charts, and the browser of variants. All text goes into the page as text, never as markup.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};
/** A name that goes on in the next line after its punctuation, not within a word. */
const breakable = (name) => name.split(/(?<=[:/_])/).flatMap((part, k) => (k ? [el("wbr"), part] : [part]));

// ---- charts ----------------------------------------------------------------------------------------------------

const specs = read("charts-data");

/** Colours by the names of the style sheet: they follow the theme, and the printer, without drawing anew. */
function theme() {
  const [ink, soft, line] = ["var(--ink)", "var(--soft)", "var(--line)"];
  const text = { labelColor: ink, titleColor: soft, labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal" };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis: { ...text, gridColor: line, domainColor: line, tickColor: line },
    point: { color: ink, fill: ink },
    rule: { color: ink },
  };
}

const AXIS = 38; // pixels below the marks
const places = [...document.querySelectorAll("[data-chart]")];
for (const place of places) place.style.minHeight = `${specs[place.dataset.chart].height + AXIS}px`;

/** One after the other, so that the page answers in between. */
async function drawCharts() {
  for (const place of places) {
    // `ast` with Vega's interpreter: expressions are walked, not compiled, so that the page needs no eval.
    const spec = specs[place.dataset.chart];
    const chart = await vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg", config: theme() });
    chart.view.addEventListener("click", (event, item) => {
      if (item && item.datum && item.datum.link) location.hash = item.datum.link;
    });
    await new Promise((next) => setTimeout(next));
  }
}

// ---- variants --------------------------------------------------------------------------------------------------

const data = read("browser-data");
const named = (names, row) => Object.fromEntries(names.map((name, place) => [name, row[place]]));
const VARIANT = ["id", "clip", "source", "genre", "language", "delay", "truth", "length", "overlap", "start", "measured",
  "width", "height", "file", "fps", "flags"];
const ANSWER = ["variant", "outcome", "choice", "text", "probabilities", "details", "error", "prompt", "repeat",
  "estimate", "usage", "seconds"];

const variants = data.variants.map((row) => named(VARIANT, row));
for (const variant of variants) {
  variant.label = data.labels[variant.truth];
  variant.flags = named(data.flags.map(([name]) => name), variant.flags);
  variant.answers = data.models.map(() => []);
}
data.answers.forEach((rows, model) => {
  for (const row of rows) {
    const answer = named(ANSWER, row);
    const variant = variants[answer.variant];
    answer.outcome = data.outcomes[answer.outcome];
    answer.shown = answer.choice ?? (answer.outcome === "error" ? "missing" : "none");
    answer.right = answer.outcome === "error" ? "missing" : answer.choice === variant.label ? "yes" : "no";
    variant.answers[model].push(answer);
  }
});

const WORDS = { sync: "with the picture", ahead: "earlier than the picture", behind: "later than the picture" };
const number = (value) => String(+value.toFixed(6)).replace("-", "−");
const signed = (ms) => (ms > 0 ? "+" : "") + number(ms / 1000);
const distinct = (of) => [...new Set(variants.map(of))].sort((a, b) => (typeof a === "number" ? a - b : a < b ? -1 : 1));

const yesNo = (flag) => (flag === null ? "unknown" : flag ? "yes" : "no");

/** What another model answered to the same variant, at the same repeat; nothing where it did not. */
const partner = (a, model) => variants[a.variant].answers[model]?.find((b) => b.repeat === a.repeat);
const differs = (a, b) => b !== undefined && a.right !== "missing" && b.right !== "missing" && a.right !== b.right;

const FILTERS = {
  genre: { options: distinct((v) => v.genre), keep: (v, value) => v.genre === value },
  language: { options: distinct((v) => v.language ?? "not given"), keep: (v, value) => (v.language ?? "not given") === value },
  length: { options: distinct((v) => v.length), words: (s) => `${number(s)} s`, keep: (v, value) => v.length === +value },
  delay: { options: distinct((v) => v.delay), words: (ms) => `${signed(ms)} s`, keep: (v, value) => v.delay === +value },
  size: { options: distinct((v) => Math.abs(v.delay)), words: (ms) => `${number(ms / 1000)} s`, keep: (v, value) => Math.abs(v.delay) === +value },
  label: { options: data.labels, keep: (v, value) => v.label === value },
  overlap: { options: ["some", "none"], words: (o) => (o === "some" ? "some moment" : "no moment"), keep: (v, value) => (v.overlap > 0) === (value === "some") },
  periodic: { options: ["yes", "no", "unknown"], keep: (v, value) => yesNo(v.flags.periodic) === value },
  still: { options: ["yes", "no", "unknown"], keep: (v, value) => yesNo(v.flags.still) === value },
  cut: { options: ["yes", "no", "unknown"], keep: (v, value) => yesNo(v.flags.scene_cut) === value },
  id: { keep: (v, value) => [v.id, v.clip, v.source, fileOf(v)].some((id) => id.includes(value)) },
  model: { options: data.models, any: "any" },
  choice: { options: [...data.labels, "none"], words: (c) => (c === "none" ? "no choice" : c), answer: (a, value) => a.shown === value },
  outcome: { options: data.outcomes, words: (o) => (o === "error" ? "error: no answer" : o), answer: (a, value) => a.outcome === value },
  unlike: { options: data.models, any: "any", answer: (a, value) => differs(a, partner(a, data.models.indexOf(value))) },
  right: { options: ["yes", "no"], words: (r) => (r === "yes" ? "right" : "wrong"), answer: (a, value) => a.right === value },
};
const PAGE_SIZE = 25;

// What the list can be sorted by: one column each, in their order. The first is the order of the set.
const COLUMNS = [
  { title: "variant" },
  { title: "genre", key: (v) => v.genre },
  { title: "length", key: (v) => v.length, right: true },
  { title: "delay", key: (v) => v.delay, right: true },
  { title: "truth", key: (v) => v.truth },
  ...data.models.map((title, model) => ({ title, key: (v) => v.answers[model].map((answer) => answer.shown).join(), model: true })),
];

const form = document.getElementById("filters");
const field = (name) => form.elements.namedItem(name); // form.elements.length is something else
const [head, body] = [...document.getElementById("variants").children];
let state = {}; // the filters set, and `sort`, `page`, `open`: just what the address says

function kept() {
  const set = Object.entries(FILTERS).filter(([name]) => state[name] !== undefined && state[name] !== "");
  const onVariant = set.filter(([, filter]) => filter.keep);
  const onAnswer = set.filter(([, filter]) => filter.answer);
  const models = data.models.map((_, model) => model).filter((model) => !state.model || data.models[model] === state.model);
  return sorted(variants.filter((variant) =>
    onVariant.every(([name, filter]) => filter.keep(variant, state[name])) &&
    (!(state.model || onAnswer.length) ||
      models.some((model) => variant.answers[model].some((answer) =>
        onAnswer.every(([name, filter]) => filter.answer(answer, state[name])))))));
}

/** In the order that the address asks for: `sort=delay`, `sort=-delay`; equals stay in the order of the set. */
function sorted(rows) {
  const down = (state.sort ?? "").startsWith("-");
  const column = COLUMNS.find(({ title, key }) => key && title === (down ? state.sort.slice(1) : state.sort));
  if (!column) return rows;
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
  return rows.sort((a, b) => order(column.key(a), column.key(b)));
}

function fillHead() {
  head.append(el("tr", {}, ...COLUMNS.map(({ title, key, right, model }) => {
    const sort = () => change({ sort: !key ? undefined : state.sort === title ? `-${title}` : title });
    return el("th", { scope: "col", className: `${right ? "" : "left"}${model ? " name" : ""}` },
      el("button", { type: "button", className: "sort", title: key ? "Sort by this" : "The order of the set", onclick: sort }));
  })));
}

function showSort() {
  [...head.querySelectorAll("th")].forEach((cell, k) => {
    const { title, key } = COLUMNS[k];
    const how = key && state.sort === title ? "ascending" : key && state.sort === `-${title}` ? "descending" : "none";
    cell.ariaSort = how;
    cell.firstChild.replaceChildren(...breakable(title), { ascending: " ↑", descending: " ↓", none: "" }[how]);
  });
}

function fillForm() {
  for (const [name, filter] of Object.entries(FILTERS)) {
    if (!filter.options) continue;
    const select = field(name);
    select.append(el("option", { value: "" }, filter.any ?? "all"));
    for (const option of filter.options) {
      select.append(el("option", { value: String(option) }, filter.words ? filter.words(option) : String(option)));
    }
  }
}

function show() {
  for (const name of Object.keys(FILTERS)) field(name).value = state[name] ?? "";
  showSort();
  const rows = kept();
  const pages = Math.max(1, Math.ceil(rows.length / PAGE_SIZE));
  const page = Math.min(Math.max(1, +state.page || 1), pages);
  const first = (page - 1) * PAGE_SIZE;
  const part = rows.slice(first, first + PAGE_SIZE);
  const total = `${variants.length.toLocaleString("en")} variants`;
  const range = rows.length ? `${first + 1}–${first + part.length} of ${rows.length.toLocaleString("en")}` : "None";
  document.getElementById("shown").textContent = rows.length < variants.length ? `${range}, filtered from ${total}` : range;
  for (const button of document.querySelectorAll("[data-step]")) {
    const target = page + +button.dataset.step;
    button.disabled = target < 1 || target > pages;
    button.onclick = () => change({ page: target });
  }
  body.replaceChildren(...part.flatMap((variant) => {
    const open = state.open === variant.id;
    return open ? [row(variant, true), opened(variant)] : [row(variant, false)];
  }));
}

const choice = (answer) => el("span", { className: answer.right === "no" ? "wrong" : "" },
  el("span", { className: `swatch ${answer.shown}` }),
  `${answer.choice ?? answer.outcome} ${answer.right === "yes" ? "✓" : answer.right === "no" ? "✗" : ""}`);

function row(variant, open) {
  const opener = el("button", { type: "button", className: "opener mono", ariaExpanded: String(open), "aria-controls": `open-${variant.id}`,
    onclick: () => change({ page: state.page, open: open ? undefined : variant.id }, variant.id) }, `${open ? "▾" : "▸"} ${variant.id.slice(0, 12)}`);
  opener.dataset.id = variant.id;
  return el("tr", { className: open ? "open" : "" },
    el("td", {}, opener),
    el("td", { className: "left" }, variant.genre),
    el("td", {}, `${number(variant.length)} s`),
    el("td", {}, `${signed(variant.delay)} s`),
    el("td", { className: "left" }, el("span", { className: `swatch ${variant.label}` }), variant.label),
    ...variant.answers.map((answers) => el("td", { className: "left" },
      ...(answers.length ? answers.map(choice).flatMap((node, k) => (k ? [el("br"), node] : [node])) : ["–"]))));
}

// ---- the address keeps the state -------------------------------------------------------------------------------

function fromAddress() {
  const text = location.hash.slice(1);
  return text.includes("=") ? Object.fromEntries(new URLSearchParams(text)) : null;
}

/** Change the filters without leaving the place; any change but those given starts at the first page, all closed. */
function change(changes, focus) {
  state = { ...state, page: undefined, open: undefined, ...changes };
  const set = Object.entries(state).filter(([, value]) => value !== undefined && value !== "");
  history.replaceState(null, "", set.length ? `#${new URLSearchParams(set)}` : "#browser");
  show();
  if (focus) body.querySelector(`[data-id="${CSS.escape(focus)}"]`)?.focus();
}

function follow() {
  const found = fromAddress();
  if (found === null) return;
  state = found;
  show();
  document.getElementById("browser").scrollIntoView();
}

fillHead();
fillForm();
form.addEventListener("input", (event) => change({ [event.target.name]: event.target.value }));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => { event.preventDefault(); state = {}; change({}); });
window.addEventListener("hashchange", follow);
show();
follow();
drawCharts();
