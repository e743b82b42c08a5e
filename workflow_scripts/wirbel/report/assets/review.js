/* What readers decide about scans: kept in this browser, exported as reviews.tsv, undone step by step. */
"use strict";

const DECISIONS = { accept: "accepted", reject: "rejected", relabel: "relabelled", comment: "commented" };
const REVIEW_COLUMNS = ["scan_id", "decision", "shift", "comment", "reader", "reviewed_at"];
const STANDARD_LEVELS = [
  ...Array.from({ length: 7 }, (_, i) => `C${i + 1}`),
  ...Array.from({ length: 12 }, (_, i) => `T${i + 1}`),
  ...Array.from({ length: 6 }, (_, i) => `L${i + 1}`),
];
const MOST_UNDO = 200;

const Reviews = {
  listeners: [],

  get key() { return `wirbel-reviews:${WIRBEL.data.study.identity}`; },

  /** What is kept; an unreadable entry counts as none. */
  read() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(this.key)); } catch (error) { kept = null; }
    return { reader: "", items: {}, undo: [], ...(kept || {}) };
  },

  write(state, scan) {
    localStorage.setItem(this.key, JSON.stringify(state));
    this.listeners.forEach((told) => told(scan));
  },

  of(scan) { return this.read().items[scan] || null; },

  count() { return Object.keys(this.read().items).length; },

  /** Decide about a scan; `null` forgets what was decided. */
  decide(scan, item) {
    const state = this.read();
    state.undo = [...state.undo, [scan, state.items[scan] || null]].slice(-MOST_UNDO);
    this._set(state, scan, item && { ...item, reader: state.reader, reviewed_at: new Date().toISOString() });
    this.write(state, scan);
  },

  /** Take the last decision or import back; returns its scan, or what it was, or null. */
  undo() {
    const state = this.read();
    const last = state.undo.pop();
    if (!last) return null;
    const many = Array.isArray(last[0]);
    for (const [scan, item] of many ? last : [last]) this._set(state, scan, item);
    this.write(state, many ? null : last[0]);
    return many ? `Import of ${last.length} reviews` : last[0];
  },

  _set(state, scan, item) {
    if (item) state.items[scan] = item;
    else delete state.items[scan];
  },

  setReader(name) {
    const state = this.read();
    state.reader = name;
    this.write(state, null);
  },

  /** The file that `reviews=FILE` reads. */
  asText() {
    const { items } = this.read();
    const clean = (cell) => String(cell ?? "").replace(/[\s\u0085\u2028\u2029]+/g, " ").trim();
    const lines = Object.keys(items).sort().map((scan) => (
      REVIEW_COLUMNS.map((name) => clean(name === "scan_id" ? scan : items[scan][name])).join("\t")));
    return [REVIEW_COLUMNS.join("\t"), ...lines, ""].join("\n");
  },

  /** Take the rows of an exported file over, in one step that can be undone; returns of how many scans. */
  fromText(text) {
    const [head = "", ...lines] = text.split(/\r?\n/).filter(Boolean);
    const names = head.split("\t");
    const known = new Set(WIRBEL.data.scans.columns.find((c) => c.name === "scan_id").texts);
    const state = this.read();
    const before = new Map();
    for (const line of lines) {
      const cells = Object.fromEntries(line.split("\t").map((cell, i) => [names[i], cell]));
      const shift = Number(cells.shift) || null;
      if (!known.has(cells.scan_id) || !Object.hasOwn(DECISIONS, cells.decision) || (cells.decision === "relabel" && !shift)) continue;
      const { scan_id: scan, ...item } = cells;
      if (!before.has(scan)) before.set(scan, state.items[scan] || null);
      state.items[scan] = { ...item, shift, comment: item.comment || "" };
    }
    if (!before.size) return 0;
    state.undo = [...state.undo, [...before]].slice(-MOST_UNDO);
    this.write(state, null);
    return before.size;
  },

  download() {
    const address = URL.createObjectURL(new Blob([this.asText()], { type: "text/tab-separated-values" }));
    const link = make("a", { href: address, download: "reviews.tsv" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  },
};

/** A review in a few words. */
function reviewWords(item) {
  if (!item) return "";
  const shift = item.decision === "relabel" ? ` ${item.shift > 0 ? "+" : ""}${item.shift}` : "";
  return `${DECISIONS[item.decision]}${shift}`;
}

/**
 * Show a dialog and call `answered` when its form is confirmed. The form's submit event comes before the next key does;
 * the dialog's close event comes later, when a quick reader may already have decided about the next scan.
 */
function askWith(box, answered) {
  box.querySelector("form").onsubmit = (event) => {
    if (event.submitter?.value !== "cancel") answered();
  };
  box.showModal();
}

/** Ask which level the uppermost vertebra really is, then record the shift of all names. */
function askRelabel(row) {
  const box = byId("relabel");
  const first = STANDARD_LEVELS.indexOf(row.first_level);
  if (first < 0) return say("This scan has no named vertebra to relabel.");
  const choice = byId("relabel-level");
  choice.replaceChildren(...STANDARD_LEVELS.map((level, i) => make("option", {
    value: i - first,
    text: i === first ? `${level} (as now)` : `${level} (all names ${i > first ? "down" : "up"} by ${Math.abs(i - first)})`,
    selected: i === first,
  })));
  byId("relabel-now").textContent = row.first_level;
  askWith(box, () => {
    if (Number(choice.value) === 0) return;
    const before = Reviews.of(row.scan_id) || {};
    Reviews.decide(row.scan_id, { decision: "relabel", shift: Number(choice.value), comment: before.comment || "" });
  });
  choice.focus();
}

/** Ask for a comment; it stays with whatever is decided. */
function askComment(row) {
  const box = byId("comment");
  const before = Reviews.of(row.scan_id);
  byId("comment-text").value = before ? before.comment : "";
  askWith(box, () => {
    const text = byId("comment-text").value.trim();
    const item = { decision: "comment", shift: null, ...before, comment: text };
    Reviews.decide(row.scan_id, text || item.decision !== "comment" ? item : null);
  });
  byId("comment-text").focus();
}

function decideSimply(row, decision) {
  const before = Reviews.of(row.scan_id);
  Reviews.decide(row.scan_id, { decision, shift: null, comment: (before && before.comment) || "" });
}

/** Tell something once; screen readers read it out. */
function say(words) {
  const place = byId("said");
  place.textContent = words;
  place.classList.add("visible");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => place.classList.remove("visible"), 4000);
}

/** Whether a key belongs to a field that is being written into. */
function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")
    || (event.target.closest && event.target.closest("input, textarea, select"));
}

/** The keys of a review; `current()` is the row it is about, `next()` goes to the next flagged scan. */
function reviewKeys(current, next) {
  const acts = {
    a: (row) => decideSimply(row, "accept"),
    r: (row) => decideSimply(row, "reject"),
    l: askRelabel,
    c: askComment,
  };
  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) return;
    if (event.key === "u") { say(undoneWords(Reviews.undo())); return event.preventDefault(); }
    if (event.key === "n") { next(); return event.preventDefault(); }
    if (event.key === "?") { byId("help").showModal(); return event.preventDefault(); }
    const row = current();
    if (!row || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key](row);
    if (event.key === "a" || event.key === "r") say(`${row.scan_id}: ${reviewWords(Reviews.of(row.scan_id))}`);
  });
}

const undoneWords = (scan) => (scan ? `${scan}: taken back` : "Nothing to take back.");

const importedWords = (n, name) => (n ? `${n} reviews taken over from ${name}`
  : `${name} has no review of these scans: expected a reviews.tsv exported here, with the columns ${REVIEW_COLUMNS.join(", ")}`);

/** The fields and buttons around reviews, where a page has them. */
function wireReviewTools() {
  byId("show-help").addEventListener("click", () => byId("help").showModal());
  if (!byId("export")) return;
  byId("reader").value = Reviews.read().reader;
  byId("reader").addEventListener("change", (event) => Reviews.setReader(event.target.value.trim()));
  byId("export").addEventListener("click", () => Reviews.download());
  byId("import").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) say(importedWords(Reviews.fromText(await file.text()), file.name));
    event.target.value = "";
  });
}
