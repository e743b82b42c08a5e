/* The table of scans: Tabulator draws the rows in view alone, so that 30,000 of them stay quick. */
"use strict";

const THUMB_HEIGHT = 56;
const SHOWN_AT_FIRST = new Set([
  "attention", "scan_id", "session_id", "station", "review", "scan_status", "stage", "flags", "outlier_rows", "range_rows",
  "largest_modified_z", "level_confidence", "first_level", "last_level", "vertebrae_found", "age", "sex",
  "cobb_angle_deg", "lumbar_lordosis_deg", "detail",
]);
const WIDTHS = { flags: 230, detail: 420, scan_id: 150, review: 130, attention: 110 };
const WIDEST_NAME = 300, CHARACTER = 8.5;

/** Whether a number fits what was typed: ">3", "<=2", "3..5", "=" for none, else the number itself. */
function numberFits(typed, value) {
  const text = typed.trim();
  if (!text) return true;
  const has = value !== null && value !== undefined && value !== "";
  if (text === "=") return !has;
  if (!has) return false;
  const range = text.match(/^(-?[\d.]+)\s*\.\.\s*(-?[\d.]+)$/);
  if (range) return value >= Number(range[1]) && value <= Number(range[2]);
  const bound = text.match(/^(>=|<=|>|<|=)\s*(-?[\d.]+)$/);
  if (!bound) return Number(text) === value;
  const limit = Number(bound[2]);
  return { ">": value > limit, "<": value < limit, ">=": value >= limit, "<=": value <= limit, "=": value === limit }[bound[1]];
}

/** Whether a text holds all the words that were typed; "=" for none, "!word" for without. */
function textFits(typed, value) {
  const text = String(value || "").toLowerCase();
  if (typed.trim() === "=") return !text;
  return typed.toLowerCase().split(/\s+/).filter(Boolean).every((word) => (
    word.startsWith("!") && word.length > 1 ? !text.includes(word.slice(1)) : text.includes(word)));
}

/** Whether the flags fit: each condition (parted by ";" or ",") names a whole flag, "!flag" none such, "begin*" any such. */
function flagsFit(typed, value) {
  const plain = (text) => text.trim().toLowerCase().replaceAll("_", " ");
  const flags = String(value || "").split(";").map(plain).filter(Boolean);
  if (typed.trim() === "=") return !flags.length;
  return typed.split(/[;,]/).map(plain).filter(Boolean).every((condition) => {
    const without = condition.startsWith("!");
    const wanted = without ? condition.slice(1).trim() : condition;
    if (!wanted) return true;
    const fits = wanted.endsWith("*") ? (flag) => flag.startsWith(wanted.slice(0, -1)) : (flag) => flag === wanted;
    return flags.some(fits) !== without;
  });
}

const FORMATTERS = {
  scan_id: (cell) => make("a", { href: scanAddress(cell.getValue()), text: cell.getValue() }),
  scan_status: (cell) => {
    const failed = cell.getValue() !== "ok";
    return make("span", { class: failed ? "badge bad" : "badge good", text: failed ? inWords(cell.getValue()) : "measured" });
  },
  flags: (cell) => make("span", {}, ...String(cell.getValue()).split(";").filter(Boolean)
    .map((flag) => make("span", { class: "badge warn", text: inWords(flag) }))),
  review: (cell) => {
    const told = cell.getValue();
    return told ? make("span", { class: `badge review ${told.split(" ")[0]}`, text: told }) : "";
  },
  attention: (cell) => {
    const value = cell.getValue();
    const level = value >= 100 ? "bad" : value >= 10 ? "warn" : value > 0 ? "some" : "none";
    return make("span", { class: `attention ${level}`, text: String(value) });
  },
};

/** Wide enough for the scans' names: those of a session differ at their ends. */
function nameWidth(names) {
  const longest = names.reduce((most, name) => Math.max(most, name.length), 0);
  return Math.min(WIDEST_NAME, Math.max(WIDTHS.scan_id, Math.ceil(CHARACTER * longest) + 16));
}

function tableColumn(column) {
  const number = column.kind === "number";
  return {
    field: column.name,
    title: column.unit ? `${column.title} (${column.unit})` : column.title,
    headerTooltip: column.description || column.title,
    visible: SHOWN_AT_FIRST.has(column.name),
    hozAlign: number ? "right" : "left",
    sorter: number ? "number" : "alphanum",
    sorterParams: number ? { alignEmptyValues: "bottom" } : {},
    headerSortStartingDir: number ? "desc" : "asc",
    headerFilter: "input",
    headerFilterPlaceholder: number ? "> < .." : column.name === "flags" ? "flag, begin*, !flag" : "filter",
    headerFilterFunc: number ? numberFits : column.name === "flags" ? flagsFit : textFits,
    width: column.name === "scan_id" ? nameWidth(column.texts) : WIDTHS[column.name],
    frozen: column.name === "attention" || column.name === "scan_id",
    formatter: FORMATTERS[column.name] || (number ? (cell) => shown(cell.getValue()) : "plaintext"),
  };
}

/** All columns: those of the data, the thumbnail, and what was decided. */
function tableColumns() {
  const columns = WIRBEL.data.scans.columns.map(tableColumn);
  const review = { name: "review", title: "Review", kind: "text", description: "What was decided here, or read back" };
  const own = columns.findIndex((column) => column.field === "review");
  if (own >= 0) columns.splice(own, 1);
  const at = columns.findIndex((column) => column.field === "scan_id");
  columns.splice(at + 1, 0, { ...tableColumn(review), visible: true });
  const hasPictures = (WIRBEL.data.pictures.scans || []).some((picture) => picture && picture.sheet);
  if (hasPictures) {
    columns.unshift({
      title: "Picture", field: "place", headerSort: false, width: 84, hozAlign: "center", headerTooltip: "Sagittal view",
      formatter: (cell) => thumbnail(cell.getValue(), THUMB_HEIGHT),
    });
  }
  return columns;
}

/** Say in roles what Tabulator's boxes are: the one that scrolls, which has the focus, holds the rows. */
function nameParts(grid) {
  grid.removeAttribute("aria-owns");
  grid.setAttribute("aria-label", "Scans");
  grid.querySelector(".tabulator-tableholder").setAttribute("role", "rowgroup");
  grid.querySelector(".tabulator-table").setAttribute("role", "presentation");
}

/** The table in `#scans`, filled; `chosen(row)` is called for the row that the keyboard or a click is at. */
class ScanList {
  constructor(rows, chosen) {
    this.rows = rows;
    this.chosen = chosen;
    this.current = null;
    this.conditions = { words: "", quick: () => true };
    this.table = new Tabulator("#scans", {
      data: rows,
      index: "place",
      height: "100%",
      layout: "fitDataFill",
      rowHeight: tableColumns()[0].field === "place" ? THUMB_HEIGHT + 8 : 34,
      columns: tableColumns(),
      columnDefaults: { headerWordWrap: true, vertAlign: "middle" },
      initialSort: [{ column: "attention", dir: "desc" }],
      placeholder: "No scan fits these filters.",
      headerFilterLiveFilterDelay: 200,
      movableColumns: true,
      rowFormatter: (row) => row.getElement().classList.toggle("current", this.current !== null && row.getIndex() === this.current.place),
    });
    this.table.on("rowClick", (event, row) => this.choose(this.rows[row.getIndex()]));
    this.table.on("rowDblClick", (event, row) => { location.href = scanAddress(row.getData().scan_id); });
    this.table.on("dataFiltered", (filters, found) => this.counted && this.counted(found.length));
    this.ready = new Promise((resolve) => this.table.on("tableBuilt", () => { nameParts(byId("scans")); resolve(); }));
  }

  /** Filter by words anywhere in a row's names, and by one of the quick choices. */
  filter(changes) {
    Object.assign(this.conditions, changes);
    const { words, quick } = this.conditions;
    this.table.setFilter((row) => quick(row)
      && (!words || textFits(words, `${row.scan_id} ${row.flags} ${row.scan_status} ${row.review} ${row.detail}`)));
  }

  /** The rows as they are sorted and filtered now; Tabulator's own objects are copies of them. */
  listed() { return this.table.getRows("active").map((row) => this.rows[row.getIndex()]); }

  /** Go to a row: shown, marked, and told. */
  choose(data, scroll = false) {
    const before = this.current;
    this.current = data;
    for (const one of [before, data]) {
      const row = one && this.table.getRow(one.place);
      if (row) row.reformat();
    }
    if (scroll && data) this.table.scrollToRow(data.place, "nearest", false).catch(() => {});
    this.chosen(data);
  }

  /** Go so many rows down the list as it is sorted and filtered now. */
  move(step) {
    const listed = this.listed();
    const at = this.current ? listed.indexOf(this.current) : -1;
    const next = listed[Math.max(0, Math.min(listed.length - 1, at + step))];
    if (next) this.choose(next, true);
  }

  /** Go to the next row below that needs a look and has no review; around to the top. */
  nextFlagged() {
    const listed = this.listed();
    const at = this.current ? listed.indexOf(this.current) : -1;
    const waiting = (row) => row.attention > 0 && !row.review;
    const next = listed.slice(at + 1).find(waiting) || listed.slice(0, at + 1).find(waiting);
    if (!next) return say("No scan that needs a look is left without a review in this list.");
    return this.choose(next, true);
  }

  /** Show what was decided about a scan, or about all where `scan` is null. */
  reviewed(scan) {
    const items = Reviews.read().items, changes = [];
    for (const row of this.rows) {
      if (scan !== null && row.scan_id !== scan) continue;
      const told = reviewWords(items[row.scan_id]) || row.review_read || "";
      if (told === row.review) continue;
      row.review = told;
      changes.push({ place: row.place, review: told });
    }
    if (changes.length) this.table.updateData(changes);
    if (this.current && (scan === null || scan === this.current.scan_id)) this.chosen(this.current);
  }
}
