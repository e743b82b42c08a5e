/* The page of the cohort: tabs, the list of scans beside what is known of the chosen one, charts. */
"use strict";

const rows = scanRows();
const scanIds = rows.map((row) => row.scan_id);
for (const row of rows) row.review = row.review_read = row.review && row.review !== "not_reviewed" ? inWords(row.review) : "";

const QUICK = {
  all: ["All", () => true],
  look: ["Needs a look", (row) => row.attention > 0],
  failed: ["Failed", (row) => row.scan_status !== "ok"],
  flagged: ["Flagged", (row) => row.flags !== ""],
  open: ["To review", (row) => row.attention > 0 && !row.review],
  rejected: ["Rejected", (row) => row.review.startsWith("reject")],
};

const kept = Reviews.read().items;
for (const row of rows) row.review = reviewWords(kept[row.scan_id]) || row.review;

const list = new ScanList(rows, showChosen);

/** What is known of the chosen scan, beside the list. */
function showChosen(row) {
  const place = byId("chosen");
  if (!row) return fill(place, make("p", { class: "quiet", text: "Choose a scan: click a row, or press j and k." }));
  const item = Reviews.of(row.scan_id);
  const facts = [
    ["Attention", row.attention], ["Levels", row.first_level ? `${row.first_level} to ${row.last_level}` : "–"],
    ["Confidence", shown(row.level_confidence)], ["Outlier rows", row.outlier_rows], ["Out of range", row.range_rows],
    ["Largest |z|", shown(row.largest_modified_z)], ...person(row),
  ];
  return fill(place,
    make("h2", {}, make("a", { href: scanAddress(row.scan_id), text: row.scan_id })),
    make("a", { href: scanAddress(row.scan_id), class: "big", "aria-label": `Open ${row.scan_id}` }, thumbnail(row.place, 224)),
    row.scan_status === "ok" ? null : make("p", { class: "failure" }, make("strong", { text: `${inWords(row.scan_status)} at ${row.stage}. ` }), row.detail),
    row.scan_status === "ok" ? flagList(row.flags, WIRBEL.data.study.warnings[row.scan_id]) : null,
    make("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: String(value) })])),
    item ? make("p", { class: "reviewed", text: `${reviewWords(item)}${item.comment ? `: ${item.comment}` : ""}` }) : null,
    make("div", { class: "buttons" },
      make("button", { text: "Accept (a)", onclick: () => decideSimply(row, "accept") }),
      make("button", { text: "Reject (r)", onclick: () => decideSimply(row, "reject") }),
      make("button", { text: "Relabel (l)", onclick: () => askRelabel(row), disabled: !row.first_level }),
      make("button", { text: "Comment (c)", onclick: () => askComment(row) })),
  );
}

/** Buttons that choose some of the scans. */
function showQuick() {
  byId("quick").replaceChildren(...Object.entries(QUICK).map(([name, [words, holds]]) => make("button", {
    "data-name": name, "aria-pressed": String(name === "all"), text: `${words} (${rows.filter(holds).length})`, onclick: () => chooseQuick(name),
  })));
}

function chooseQuick(name) {
  document.querySelectorAll("#quick button").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.name === name)));
  list.filter({ quick: QUICK[name][1] });
}

/** Columns that can be shown and hidden. */
function showColumnChoice() {
  const boxes = list.table.getColumns().filter((column) => column.getField() !== "place").map((column) => {
    const { title } = column.getDefinition();
    const box = make("input", { type: "checkbox", checked: column.isVisible(), onchange: () => column.toggle() });
    return make("label", {}, box, ` ${title}`);
  });
  byId("columns").replaceChildren(...boxes);
}

/** One of the tabs; its panel alone is shown. */
function showTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
  }
  if (name === "spread" || name === "age") showMeasure();
  if (name === "scans") list.table.redraw();
}

function makeTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => showTab(tab.id.slice(4)));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(i + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });
}

/** Counts of flags; a click shows the scans that have one. */
function showFlags() {
  const counts = new Map();
  for (const row of rows) for (const flag of row.flags.split(";").filter(Boolean)) counts.set(flag, (counts.get(flag) || 0) + 1);
  const most = Math.max(1, ...counts.values());
  const lines = [...counts].sort((a, b) => b[1] - a[1]).map(([flag, n]) => countLine([inWords(flag), WIRBEL.data.study.flag_meanings[flag] || ""], n, most, () => showOnly("flags", flag)));
  byId("flag-rows").replaceChildren(...lines);
  byId("no-flags").hidden = lines.length > 0;
}

function showFailures() {
  const { failures } = WIRBEL.data.study;
  const most = Math.max(1, ...failures.map((one) => one.n));
  byId("failure-rows").replaceChildren(...failures.map((one) => countLine([one.stage, inWords(one.reason), one.meaning], one.n, most, one.stage === "listing" ? null : () => showOnly("scan_status", one.reason))));
  byId("no-failures").hidden = failures.length > 0;
}

function countLine(cells, n, most, show) {
  const bar = make("span", { class: "bar", style: `width:${Math.max(2, (100 * n) / most)}%` });
  const number = show ? make("button", { class: "link", text: String(n), onclick: show, "aria-label": `Show ${n} scans: ${cells[0]}` }) : make("span", { text: String(n) });
  return make("tr", {}, ...cells.map((cell) => make("td", { text: cell })), make("td", { class: "number" }, number), make("td", { class: "bars" }, bar));
}

/** Show all scans with a word in one column, whatever was searched or chosen before. */
function showOnly(column, word) {
  showTab("scans");
  byId("search").value = list.conditions.words = "";
  chooseQuick("all");
  list.table.clearHeaderFilter();
  list.table.setHeaderFilterValue(column, word);
}

/** Choose a measure for both kinds of charts. */
function makeMeasureChoice() {
  const names = { vertebrae: "Vertebrae", discs: "Discs", levels: "Canal and cord", scans: "Whole scan" };
  for (const [id, listed] of [["spread-measure", WIRBEL.data.study.measures], ["age-measure", WIRBEL.data.study.measures.filter((one) => one.curves)]]) {
    const groups = Object.entries(names).map(([table, words]) => make("optgroup", { label: words },
      ...listed.filter((one) => one.table === table).map((one) => make("option", { value: one.key, text: one.unit ? `${one.title} (${one.unit})` : one.title }))));
    byId(id).replaceChildren(...groups.filter((group) => group.children.length));
    byId(id).addEventListener("change", showMeasure);
  }
  byId("age-level").addEventListener("change", showMeasure);
  byId("no-curves").hidden = WIRBEL.data.study.measures.some((one) => one.curves);
}

const measureWords = (measure) => `${measure.description}. ${measure.definition}`.replace(/\.*$/, ".");

async function showMeasure() {
  const age = !byId("panel-age").hidden;
  const measure = WIRBEL.data.study.measures.find((one) => one.key === byId(age ? "age-measure" : "spread-measure").value);
  if (!measure) return;
  const content = await WIRBEL.load(`data/measures/${measure.key}.js`, measure.key);
  if (age) return showCurves(measure, content);
  byId("spread-words").textContent = measureWords(measure);
  drawDistribution(byId("spread-chart"), measure, content, scanIds);
  byId("spread-rows").replaceChildren(...content.levels.map((level, i) => make("tr", {}, make("th", { scope: "row", text: level || "all scans" }),
    ...[content.n[i], ...content.percentiles[i]].map((value) => make("td", { class: "number", text: shown(value, 4) })))));
}

function showCurves(measure, content) {
  const levels = [...new Set(content.curves.map((curve) => curve.level))], choice = byId("age-level"), before = choice.value;
  choice.replaceChildren(...levels.map((level) => make("option", { value: level, text: level || "all scans", selected: level === before })));
  byId("age-words").textContent = measureWords(measure);
  drawCurves(byId("age-chart"), measure, content.curves.filter((curve) => curve.level === choice.value), scanIds, byId("age-key"));
}

function countReviews() {
  byId("reviewed").textContent = String(rows.filter((row) => row.review).length);
}

Reviews.listeners.push((scan) => { list.reviewed(scan); countReviews(); });
reviewKeys(() => (byId("panel-scans").hidden ? null : list.current), () => { showTab("scans"); list.nextFlagged(); });
document.addEventListener("keydown", (event) => {
  if (isTyping(event) || byId("panel-scans").hidden) return;
  const acts = { j: () => list.move(1), k: () => list.move(-1), ArrowDown: () => list.move(1), ArrowUp: () => list.move(-1),
    Enter: () => { if (list.current) location.href = scanAddress(list.current.scan_id); }, "/": () => byId("search").focus() };
  if (!(event.key in acts) || (event.key === "Enter" && event.target.closest("button, a, [role=tab]"))) return;
  event.preventDefault();
  acts[event.key]();
});

byId("search").addEventListener("input", (event) => { clearTimeout(showChosen.timer); showChosen.timer = setTimeout(() => list.filter({ words: event.target.value }), 200); });
list.counted = (n) => { byId("counted").textContent = n === rows.length ? `${n} scans` : `${n} of ${rows.length} scans`; };
wireReviewTools(); makeTabs(); makeMeasureChoice(); showFailures(); showFlags(); showChosen(null);
list.ready.then(() => {
  showColumnChoice(); showQuick(); countReviews(); list.counted(rows.length);
  document.body.dataset.ready = "true";
});
