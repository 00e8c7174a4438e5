// Tables that work: sorting, filters, views, copies. Without this script every table is still there.
"use strict";

const tables = () => document.querySelectorAll("table.sortable");
const text = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
const add = (parent, tag, words = "", properties = {}) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.textContent = words;
  parent.append(made);
  return made;
};

// What a number is sorted by: 0.0314 for 8/255, 1234 for 1,234; its beginning if more follows: 1 (1 to 2), 6 of 14.
function sortKey(cell) {
  if (cell.classList.contains("empty") || text(cell) === "–") return "";
  const found = text(cell).replaceAll(",", "").match(/^([+-]?[\d.]+)(?:\/([\d.]+))?(?![\w.])/);
  return found ? String(found[1] / (found[2] ?? 1)) : text(cell);
}
for (const cell of document.querySelectorAll("table.sortable td:not(.words, [data-sort])")) cell.dataset.sort = sortKey(cell);

// Sorting: each heading is a button, so that a keyboard reaches it; the library sorts where a heading is clicked.
for (const heading of document.querySelectorAll("table.sortable > thead th:not(.axis)")) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = "sort by this column";
  button.append(...heading.childNodes);
  heading.append(button);
}

// Filters: a column is an attack if it says what it assumes, a row is a method or an attack as its heading says.
const form = document.getElementById("filter");
const matches = (wanted, words) => {
  const parts = wanted.toLowerCase().split(",").map((part) => part.trim()).filter(Boolean);
  return !parts.length || parts.some((part) => words.toLowerCase().includes(part));
};

function columnShown(heading, state) {
  const { attack, assumes, cost } = heading.dataset;
  if (attack === undefined) return true;
  const wanted = !state.assumes || assumes.split(", ").includes(state.assumes);
  const cheap = !state.cost || (cost !== undefined && Number(cost) <= Number(state.cost));
  return matches(state.attack, attack) && wanted && cheap;
}

function rowShown(row, kinds, state) {
  if (state.controls && row.classList.contains("control")) return false;
  return kinds.every((kind, place) => !["method", "attack"].includes(kind) || matches(state[kind], text(row.cells[place])));
}

function filter() {
  const state = Object.fromEntries(new FormData(form));
  const found = document.querySelectorAll("#tables table.sortable");
  const asked = [...(state.method ? ["method"] : []), ...(state.attack || state.assumes || state.cost ? ["attack"] : [])];
  let [left, concerned] = [0, 0];
  for (const chapter of document.querySelectorAll("#tables .plan")) chapter.classList.toggle("unmatched", asked.length > 0);
  for (const table of found) {
    const headings = [...table.tHead.rows[0].cells];
    const shown = headings.map((heading) => columnShown(heading, state));
    const kinds = headings.map((heading) => (heading.dataset.attack === undefined ? text(heading) : ""));
    for (const row of table.rows) [...row.cells].forEach((cell, place) => { cell.hidden = !shown[place]; });
    for (const row of table.tBodies[0].rows) row.hidden = !rowShown(row, kinds, state);
    const attacks = headings.map((heading, place) => heading.dataset.attack === undefined || shown[place]);
    const empty = !attacks.slice(1).some(Boolean) || [...table.tBodies[0].rows].every((row) => row.hidden);
    table.parentElement.classList.toggle("nothing", empty);
    const has = { method: kinds.includes("method"), attack: kinds.includes("attack") || kinds.includes("") };
    if (asked.some((one) => !has[one])) continue;
    concerned += 1;
    if (empty) continue;
    left += 1;
    table.closest(".plan").classList.remove("unmatched");
  }
  form.querySelector("output").value = asked.length ? `matches something in ${left} of ${concerned} tables` : "";
}

if (form) {
  form.hidden = false;
  const assumed = [...document.querySelectorAll("th[data-assumes]")].flatMap((one) => one.dataset.assumes.split(", "));
  for (const word of [...new Set(assumed)]) add(form.elements.assumes, "option", word, { value: word });
  add(form, "output");
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
}

// Views of the same conditions: one is shown, and all blocks follow the choice.
const blocks = [...document.querySelectorAll(".views")].map((block, number) => {
  const views = [...block.querySelectorAll(":scope > .view")];
  const choice = document.createElement("fieldset");
  choice.className = "choice";
  add(choice, "legend", "show");
  for (const { dataset } of views) {
    const label = add(choice, "label");
    add(label, "input", "", { type: "radio", name: `view${number}`, value: dataset.view });
    label.append(dataset.view);
  }
  block.prepend(choice);
  choice.addEventListener("change", (event) => blocks.forEach((one) => show(one, event.target.value)));
  return { views, choice };
});

function show({ views, choice }, wanted) {
  if (!views.some((view) => view.dataset.view === wanted)) return;
  for (const view of views) view.hidden = view.dataset.view !== wanted;
  for (const input of choice.querySelectorAll("input")) input.checked = input.value === wanted;
}
for (const block of blocks) show(block, block.views[0].dataset.view);

// What is shown of a table, as text for elsewhere.
const shownCells = (table) => [...table.rows].filter((row) => !row.hidden)
  .map((row) => [...row.cells].filter((cell) => !cell.hidden && !cell.matches(".dot, .axis")));
function plain(cell) {
  const copy = cell.cloneNode(true);
  if (cell.matches("thead th")) copy.querySelectorAll("small").forEach((one) => one.remove());
  return text(copy);
}

// The text of a cell with what is special in it escaped, and what stands for bold and italics around it.
function marked(cell, special, by, around) {
  const [before, after] = around[["strong", "em"].find((tag) => cell.querySelector(tag))] ?? ["", ""];
  return before + plain(cell).replace(special, by) + after;
}

function markdown(table) {
  const around = { strong: ["**", "**"], em: ["*", "*"] };
  const [head, ...rows] = shownCells(table).map((row) => row.map((cell) => marked(cell, /[\\|*_`<]/g, "\\$&", around)));
  const lines = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  return [table.dataset.name, "", ...lines, ""].join("\n");
}

function latex(table) {
  const signs = { "±": "$\\pm$", "–": "--", "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    "<": "\\textless{}", ">": "\\textgreater{}", "≥": "$\\ge$" };
  const around = { strong: ["\\textbf{", "}"], em: ["\\textit{", "}"] };
  const escaped = (one) => signs[one] ?? `\\${one}`;
  const [head, ...rows] = shownCells(table)
    .map((row) => row.map((cell) => marked(cell, /[&%$#_{}~^\\<>±–≥]/g, escaped, around)).join(" & ") + " \\\\");
  const columns = "l" + "r".repeat(head.split(" & ").length - 1);
  return [`% ${table.dataset.name}`, `\\begin{tabular}{${columns}}`, "\\toprule", head, "\\midrule", ...rows, "\\bottomrule", "\\end{tabular}", ""].join("\n");
}

// A spreadsheet takes text that begins like a formula for one; an apostrophe before it keeps it text.
const field = (words) => {
  const safe = /^[=+@]|^-[^\d]/.test(words) ? `'${words}` : words;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const csv = (table) => shownCells(table).map((row) => row.map((cell) => field(plain(cell))).join(",")).join("\n") + "\n";

async function copied(button, words) {
  try {
    await navigator.clipboard.writeText(words);
  } catch { // a page from a file may not be allowed to
    const area = add(document.body, "textarea", words, { className: "away" });
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = "copied";
  setTimeout(() => { button.textContent = before; }, 1200);
}

function download(name, words) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([words], { type: "text/csv" }));
  link.download = `${name.replace(/[^\w]+/g, "-")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

for (const table of tables()) {
  const tools = document.createElement("p");
  tools.className = "tools";
  table.parentElement.after(tools);
  for (const [name, made] of [["copy Markdown", markdown], ["copy LaTeX", latex]]) {
    add(tools, "button", name, { type: "button", onclick: (event) => copied(event.target, made(table)) });
  }
  add(tools, "button", "download CSV", { type: "button", onclick: () => download(table.dataset.name, csv(table)) });
}

// A table that needs no scrolling sideways keeps its head in sight while the page scrolls, below the bar of filters.
const boxes = [...document.querySelectorAll("#tables table.sortable")].map((table) => table.parentElement);
function fit() {
  const bar = form && getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
  document.documentElement.style.setProperty("--bar", `${bar}px`);
  const fits = boxes.map((box) => box.firstElementChild.offsetWidth <= box.clientWidth); // all read before any is changed
  boxes.forEach((box, place) => box.classList.toggle("fits", fits[place]));
}
const fitting = new ResizeObserver(fit);
for (const one of [...boxes, ...boxes.map((box) => box.firstElementChild), form].filter(Boolean)) fitting.observe(one);

// On paper nothing scrolls: a table that is too wide for a page across is made smaller.
const PAPER = 980; // pixels of A4 across, between its margins
window.addEventListener("beforeprint", () => {
  for (const table of tables()) table.style.zoom = Math.min(1, PAPER / Math.max(1, table.offsetWidth));
});
window.addEventListener("afterprint", () => { for (const table of tables()) table.style.zoom = ""; });

// A link into something folded opens it.
function unfold() {
  for (let one = document.getElementById(decodeURIComponent(location.hash.slice(1))); one; one = one.parentElement) {
    if (one.tagName === "DETAILS") one.open = true;
  }
}
window.addEventListener("hashchange", unfold);
unfold();
