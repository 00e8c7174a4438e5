// Every number opens the records that it is computed from.
const dialog = document.getElementById("opened");
let known = null;

// The records are packed: base64 of deflated JSON. They are unpacked when the first number is opened.
async function unpacked() {
  const packed = Uint8Array.from(atob(document.getElementById("records").textContent), (one) => one.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

function record(place) {
  const values = known.cells[place];
  const whole = (name, value) => (known.shared.includes(name) && value !== null ? known.parts[value] : value);
  return Object.fromEntries(known.fields.map((name, at) => [name, whole(name, values[at] ?? null)]));
}

// "12-14 20": the places of records, runs of them in short.
function places(told) {
  return told.split(" ").flatMap((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

const percent = (share) => (100 * share).toFixed(1);
const quoted = (value) => (typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value));
const listed = (value) => Object.entries(value).map(([key, one]) => `${key.replaceAll("_", " ")} ${quoted(one)}`).join(", ");

function line(steps, values, style) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  const last = steps[steps.length - 1] || 1;
  made.setAttribute("points", steps.map((step, at) => `${300 * step / last},${100 - 100 * values[at]}`).join(" "));
  made.setAttribute("class", style);
  return made;
}

function curves(parent, records) {
  const trained = records.filter((one) => one.step);
  if (!trained.length) return;
  const figure = add(parent, "figure");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 300 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Accuracy over training");
  for (const one of trained) svg.append(line(one.step, one.seen, "seen"), line(one.step, one.test, "test"));
  figure.append(svg);
  const steps = Math.max(...trained.map((one) => one.step[one.step.length - 1])).toLocaleString("en");
  add(figure, "figcaption", `Accuracy over ${steps} steps, from 0 to 100 %: solid on clean test images, dashed on its training images.`);
}

function seeds(parent, records) {
  const table = add(add(parent, "div", "", { className: "scroll" }), "table");
  const row = (part, tag, words) => { const made = part.insertRow(); words.forEach((word) => add(made, tag, word)); };
  const tested = records.some((one) => one.final !== null);
  row(table.createTHead(), "th", tested
    ? ["victim seed", "noise seed", "final, %", "best look, %", "training images, %", "record"]
    : ["noise seed", "found", "record"]);
  const body = table.createTBody();
  for (const one of records) {
    if (one.status !== "finished") row(body, "td", [`${one.seed}`, `${one.noise_seed}`, "failed", one.error, "", one.key]);
    else if (tested) row(body, "td", [one.seed, one.noise_seed, ...[one.final, one.peak, one.trained].map(percent), one.key]);
    else row(body, "td", [one.noise_seed, listed(one.found), one.key]);
  }
}

function facts(parent, records) {
  const list = add(parent, "dl", "", { className: "facts" });
  const told = (name, of) => {
    const words = [...new Set(records.map(of).filter(Boolean))];
    if (!words.length) return;
    add(list, "dt", name);
    const place = add(list, "dd");
    words.forEach((word) => add(place, "div", word));
  };
  told("data set", (one) => one.dataset);
  told("method", (one) => one.method);
  told("measure", (one) => one.measure);
  told("attacks", (one) => one.attacks.join(" + "));
  told("victim", (one) => [one.model, one.train].filter(Boolean).join(", "));
  told("noise", (one) => one.noise && listed(one.noise));
  told("cost", (one) => one.cost && listed(one.cost));
  told("notes", (one) => one.notes);
  told("made on", (one) => listed(one.provenance));
  told("ended", (one) => `${one.ended} UTC`);
}

const MANY = 6;

function folded(parent, title, count) {
  if (count <= MANY) {
    add(parent, "h3", title);
    return parent;
  }
  const made = add(parent, "details", "", { className: "fold" });
  add(made, "summary", `${title}: ${count} cells`);
  return made;
}

function commands(parent, records) {
  const again = folded(parent, "Make it again", records.length);
  for (const one of records) {
    const where = one.dataset.startsWith("synthetic") ? [] : ["--data-root DIR"];
    const seed = one.model === null || one.seed === null ? [] : [`--only seed=${one.seed}`];
    const noise = one.noises ? [`--only noise_seed=${one.noise_seed}`] : [];
    add(add(again, "pre"), "code", [one.run, one.filters, ...seed, ...noise, ...where, known.again].join(" "));
  }
  const whole = folded(parent, "See the whole record", records.length);
  for (const one of records) add(add(whole, "pre"), "code", known.whole.replace("KEY", one.key));
}

function title(cell) {
  const row = cell.closest("tr");
  const heading = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  return `${plain(row.cells[0])}: ${plain(heading)} ${text(cell)}`;
}

async function open(cell) {
  known ??= await unpacked();
  const records = places(cell.dataset.cells).map(record);
  const inside = dialog.querySelector("div");
  inside.replaceChildren();
  add(inside, "h2", title(cell));
  add(inside, "p", cell.closest("table").dataset.name, { className: "note" });
  for (const part of [seeds, curves, facts, commands]) part(inside, records);
  dialog.showModal();
  dialog.scrollTop = 0;
}

// One number of a table, which is shown, is in the order of the tabulator; arrows lead to the others.
function place() {
  for (const table of tables()) {
    const numbers = [...table.querySelectorAll("td[data-cells]")];
    for (const cell of numbers) cell.tabIndex = -1;
    const first = numbers.find((cell) => !cell.hidden && !cell.parentElement.hidden);
    if (first) first.tabIndex = 0;
  }
}

for (const cell of document.querySelectorAll("td[data-cells]")) cell.setAttribute("aria-haspopup", "dialog");
place();
for (const event of ["input", "reset"]) document.querySelector("#filter")?.addEventListener(event, () => setTimeout(place));

function moved(cell, key) {
  const [across, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const rows = [...cell.closest("table").tBodies[0].rows].filter((row) => !row.hidden);
  const usable = (one) => one && one.dataset.cells !== undefined && !one.hidden;
  let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
  do {
    row += down;
    column += across;
  } while (rows[row]?.cells[column] && !usable(rows[row].cells[column]));
  return usable(rows[row]?.cells[column]) ? rows[row].cells[column] : cell;
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest("td[data-cells]");
  if (cell) open(cell);
});
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("td[data-cells]");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") open(cell);
  else if (event.key.startsWith("Arrow")) {
    const next = moved(cell, event.key);
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  } else return;
  event.preventDefault();
});
