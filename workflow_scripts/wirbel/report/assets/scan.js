/* The page of one scan: pictures with layers, names and measured lines; numbers against their level's spread. */
"use strict";

const rows = scanRows();
const order = [...rows].sort((a, b) => b.attention - a.attention || a.place - b.place);
const shownLayers = { structures: true, vertebrae: false, names: true, lines: false };
const LAYERS = { structures: "Structures (s)", vertebrae: "Vertebrae (v)", names: "Names (m)", lines: "Measured lines (i)" };
const LINE_COLOURS = { height: "#f0e442", depth: "#56b4e9", disc_height: "#e69f00", endplate: "#ffffff", canal_ap: "#cc79a7", cobb: "#f0e442", width: "#56b4e9" };
const LINE_NAMES = { height: "Heights", depth: "Depth", disc_height: "Disc height", endplate: "Endplates (angles)", canal_ap: "Canal AP", cobb: "Cobb", width: "Width" };
let current = null;

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A picture with its layers; names and lines lie over it as vectors. */
function picture(view, unsure, about) {
  const size = { width: view.width, height: view.height, alt: "" };
  const stack = make("div", { class: "stack", style: `aspect-ratio:${view.width}/${view.height};--shape:${view.width / view.height}` },
    make("img", { ...size, src: view.image, alt: about }),
    make("img", { ...size, src: view.structures, class: "layer-structures" }),
    make("img", { ...size, src: view.vertebrae, class: "layer-vertebrae" }));
  const over = svg("svg", { viewBox: `0 0 ${view.width} ${view.height}`, "aria-hidden": "true" });
  for (const [kind, , x1, y1, x2, y2] of view.lines || []) {
    over.append(svg("line", { x1, y1, x2, y2, class: "layer-lines", stroke: LINE_COLOURS[kind], "stroke-width": 1.6 }));
  }
  for (const [level, x, y] of view.marks || []) {
    const at = view.kind === "coronal" ? view.width - 4 : Math.max(unsure ? 40 : 30, x - 32);
    const within = Math.min(Math.max(y + 4, 16), view.height - 5);
    over.append(svg("text", { x: at, y: within, class: "layer-names", "text-anchor": "end" }, unsure ? `${level}?` : level));
  }
  if (view.titles) {
    view.titles.forEach((level, i) => {
      const x = (i % view.columns) * view.tile_width + 4, y = Math.floor(i / view.columns) * view.tile_height + 15;
      over.append(svg("text", { x, y, class: "layer-names" }, unsure ? `${level}?` : level));
    });
  }
  stack.append(over);
  return make("figure", {}, stack, make("figcaption", { text: `${view.title || "At right angles to each body"}${view.kind === "sagittal" ? "" : "; the person's right is on the left"}` }));
}

function layerButtons() {
  const apply = () => {
    for (const name of Object.keys(shownLayers)) byId("views").classList.toggle(`no-${name}`, !shownLayers[name]);
    document.querySelectorAll("#layers button").forEach((one) => one.setAttribute("aria-pressed", String(shownLayers[one.dataset.name])));
  };
  const toggle = (name) => {
    shownLayers[name] = !shownLayers[name];
    if (name === "structures" && shownLayers.structures) shownLayers.vertebrae = false;
    if (name === "vertebrae" && shownLayers.vertebrae) shownLayers.structures = false;
    apply();
  };
  layerButtons.toggle = toggle;
  const buttons = make("div", { id: "layers", class: "quick", role: "group", "aria-label": "Layers" },
    ...Object.entries(LAYERS).map(([name, words]) => make("button", { "data-name": name, text: words, onclick: () => toggle(name) })));
  layerButtons.apply = apply;
  return buttons;
}

function views(panel, unsure) {
  const curved = panel.axial ? ", curved through the spine" : "";
  const kinds = [["sagittal", `Sagittal${curved}`], ["coronal", `Coronal${curved}`]];
  const parts = kinds.map(([kind, words]) => make("section", {}, make("h2", { text: words }),
    make("div", { class: "pictures" }, ...panel.views.filter((view) => view.kind === kind).map((view) => picture(view, unsure, `${words}, ${view.title}`)))));
  if (panel.axial) parts.push(make("section", { class: "axial" }, make("h2", { text: "Axial" }), make("div", { class: "pictures" }, picture(panel.axial, unsure, "Axial views of every vertebra"))));
  const kindsShown = [...new Set(panel.views.flatMap((view) => view.lines.map((line) => line[0])))];
  const key = make("p", { class: "layer-lines quiet" }, ...kindsShown.map((kind) => make("span", { class: "key" },
    make("span", { class: "swatch", style: `background:${LINE_COLOURS[kind]}` }), LINE_NAMES[kind])));
  return make("div", { id: "views" }, ...parts.slice(0, 2), key, ...parts.slice(2));
}

/** What is known of the scan, and the buttons of a review. */
function aside(row, panel) {
  const item = Reviews.of(row.scan_id), scan = (panel && panel.scan) || {};
  const described = (panel && panel.described) || {};
  const codes = WIRBEL.data.study.codes.level_method || {};
  const facts = [
    ...(row.station ? [["Station", row.station]] : []),
    ["Levels", row.first_level ? `${row.first_level} to ${row.last_level}` : "–"],
    ["Named", codes[row.level_method] || inWords(row.level_method || "–")],
    ["Confidence", shown(row.level_confidence)],
    ...(scan.level_alternative ? [["Second choice", `${scan.level_alternative} on top`]] : []),
    ...person(row), ["Attention", row.attention],
    ["Outlier rows", row.outlier_rows], ["Out of range", row.range_rows],
  ];
  const origin = [
    ["Networks", scan.model || "–"], ["Wirbel", scan.wirbel_version || "–"], ["Scan", (described.Sources || []).join(", ") || "–"],
    ["Bias field", "BiasFieldCorrection" in described ? (described.BiasFieldCorrection ? "corrected" : "not corrected") : "–"],
    ...Object.entries(described.Models || {}).map(([kind, model]) => [`SHA-256, ${kind}`, String(model.SHA256 || "–").slice(0, 16)]),
  ];
  const list = (pairs) => make("dl", { class: "facts" }, ...pairs.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: String(value) })]));
  return make("aside", { class: "about", "aria-label": "About this scan" },
    row.scan_status === "ok" ? flagList(row.flags, { ...((panel && panel.warnings) || {}), ...(WIRBEL.data.study.warnings[row.scan_id] || {}) }) : make("p", { class: "failure" }, make("strong", { text: `${inWords(row.scan_status)} at ${row.stage}. ` }), row.detail),
    make("div", { class: "buttons" },
      make("button", { text: "Accept (a)", onclick: () => decideSimply(row, "accept") }),
      make("button", { text: "Reject (r)", onclick: () => decideSimply(row, "reject") }),
      make("button", { text: "Relabel (l)", onclick: () => askRelabel(row), disabled: !row.first_level }),
      make("button", { text: "Comment (c)", onclick: () => askComment(row) }),
      make("button", { text: "Undo (u)", onclick: () => say(undoneWords(Reviews.undo())) })),
    make("p", { class: "reviewed", role: "status", text: item ? `Review: ${reviewWords(item)}${item.comment ? ` (${item.comment})` : ""}` : "Not reviewed here." }),
    list(facts), make("h3", { text: "Where it comes from" }), list(origin));
}

/** A view in three planes: embedded for flagged scans; for others, how to open it. */
function planes(row, panel) {
  if (row.scan_status !== "ok") return null;
  const words = make("p", { class: "quiet" }, "Only flagged scans lie inside their page. For the maps of this one, open the page through ", make("code", { text: "wirbel view OUTPUT_DIR" }), "; the scan itself opens in any NIfTI viewer.");
  const served = location.protocol.startsWith("http") && panel && panel.map;
  if (!panel || !(panel.volumes || served)) return make("section", { id: "planes" }, make("h2", { text: "Three planes" }), words);
  const button = make("button", { text: panel.volumes ? "Load the three planes" : "Load the map in three planes", onclick: () => showPlanes(panel) });
  return make("section", { id: "planes" }, make("h2", { text: "Three planes" }), button,
    make("div", { id: "planes-box", hidden: true }, make("canvas", { id: "planes-canvas", "aria-label": "Scan in three planes" })));
}

/** The whole page, for the scan in the address. */
async function showScan() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const row = rows.find((one) => one.scan_id === wanted) || order[0];
  if (!row) return;
  if (row.scan_id !== wanted) { history.replaceState(null, "", `#${encodeURIComponent(row.scan_id)}`); }
  current = row;
  document.title = `${row.scan_id}: ${WIRBEL.data.study.name}`;
  byId("name").textContent = row.scan_id;
  byId("place").textContent = `${order.indexOf(row) + 1} of ${order.length}, the worst first`;
  const kept = (WIRBEL.data.pictures.scans || [])[row.place];
  const panel = kept && kept.panel ? await WIRBEL.load(kept.panel, `panel:${row.scan_id}`) : null;
  if (current !== row) return;
  const unsure = row.level_confidence !== null && row.level_confidence < WIRBEL.data.study.low_confidence || (panel && panel.scan.levels_agree === false);
  byId("unsure").hidden = !unsure;
  fill(byId("main"), make("div", { class: "scan" },
    make("div", { class: "seen" }, panel ? layerButtons() : make("p", { class: "quiet", text: "No picture: the scan could not be drawn." }),
      panel ? views(panel, unsure) : null, panel ? planes(row, panel) : null, panel ? numbers(panel, row) : null),
    aside(row, panel)));
  if (panel) { layerButtons.apply(); showNumber(panel); }
  document.body.dataset.ready = "true";
}

/** Go to a scan at once: the next key is about it already, while its pictures are still being loaded. */
function goTo(row) {
  history.pushState(null, "", `#${encodeURIComponent(row.scan_id)}`);
  showScan();
}

function go(step) {
  const next = order[order.indexOf(current) + step];
  if (next) goTo(next);
}

function nextFlagged() {
  const at = order.indexOf(current), waiting = (row) => row.attention > 0 && !Reviews.of(row.scan_id);
  const next = order.slice(at + 1).find(waiting) || order.slice(0, at).find(waiting);
  if (next) goTo(next);
  else say("No scan that needs a look is left without a review.");
}
