/* What all pages share: data that scripts hand over, elements made without HTML from strings, colours. */
"use strict";

const WIRBEL = {
  data: {},
  waiting: {},

  /** Called by every data file. */
  put(name, value) {
    this.data[name] = value;
    if (this.waiting[name]) this.waiting[name](value);
  },

  /** Load a data file once; resolves to its value, or to null where there is none. */
  load(path, name) {
    if (name in this.data) return Promise.resolve(this.data[name]);
    return new Promise((resolve) => {
      const script = document.createElement("script");
      this.waiting[name] = (value) => { delete this.waiting[name]; resolve(value); };
      script.onload = () => { if (this.waiting[name]) this.waiting[name](null); };
      script.onerror = () => { if (this.waiting[name]) this.waiting[name](null); };
      script.src = path.split("/").map(encodeURIComponent).join("/");
      document.head.append(script);
    });
  },
};

/* Okabe and Ito, Color Universal Design, 2008. */
const COLOURS = {
  orange: "#e69f00", sky: "#56b4e9", green: "#009e73", yellow: "#f0e442",
  blue: "#0072b2", vermilion: "#d55e00", purple: "#cc79a7", grey: "#5b6470",
};

/** Make an element: attributes as given, `text` as text, the rest as children. Nothing is ever parsed as HTML. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Replace what an element holds; nothing stands for what is not there. */
const fill = (place, ...children) => place.replaceChildren(...children.filter((child) => child !== null && child !== undefined));

const byId = (id) => document.getElementById(id);

/** A number with few digits; a dash where there is none. */
function shown(value, digits = 3) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  return String(Number(value.toPrecision(digits)));
}

const inWords = (code) => String(code).replaceAll("_", " ");

/** The scans as one object each, made from columns. */
function scanRows() {
  const { n, columns } = WIRBEL.data.scans;
  const rows = Array.from({ length: n }, (_, place) => ({ place }));
  for (const column of columns) {
    const { name } = column;
    if (column.kind === "text") {
      const { codes, texts } = column;
      for (let i = 0; i < n; i++) rows[i][name] = codes[i] < 0 ? "" : texts[codes[i]];
    } else {
      const { values } = column;
      for (let i = 0; i < n; i++) rows[i][name] = values[i];
    }
  }
  return rows;
}

/** Age and sex as names and values of a list, as far as they are known. */
function person(row) {
  const known = [row.age === null || row.age === undefined ? "" : shown(row.age), row.sex || ""].filter(Boolean);
  return known.length ? [["Age, sex", known.join(", ")]] : [];
}

/** A list of flags with what each means; `warnings` is flag -> a sentence on this scan. */
function flagList(flags, warnings = {}) {
  const meanings = WIRBEL.data.study.flag_meanings;
  const items = String(flags || "").split(";").filter(Boolean);
  if (!items.length) return make("p", { class: "quiet", text: "No flags." });
  return make("ul", { class: "flags" }, ...items.map((flag) => make("li", {},
    make("strong", { text: inWords(flag) }),
    meanings[flag] ? make("span", { text: `: ${meanings[flag]}` }) : null,
    warnings[flag] ? make("span", { class: "here", text: `. Here: ${warnings[flag]}` }) : null)));
}

/** The thumbnail of a scan: its place in the sprite sheet of its batch. */
function thumbnail(place, height) {
  const picture = (WIRBEL.data.pictures.scans || [])[place];
  if (!picture || !picture.sheet) return make("span", { class: "thumb none" });
  const scale = height / picture.height;
  return make("span", {
    class: "thumb",
    style: `width:${Math.round(picture.width * scale)}px;height:${height}px;`
      + `background-image:url("${picture.sheet.split("/").map(encodeURIComponent).join("/")}");`
      + `background-size:${picture.columns * picture.width * scale}px auto;`
      + `background-position:-${picture.x * scale}px -${picture.y * scale}px`,
  });
}

const scanAddress = (scan) => `scan.html#${encodeURIComponent(scan)}`;
