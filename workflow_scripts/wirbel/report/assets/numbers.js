/* A scan's measures: one table for all, coloured by where each value lies among those of its level. */
"use strict";

const FEWEST_NORM = 20;
let chosenMeasure = "vertebrae.height_middle_mm";

/** Where a value lies: 0 in the middle half, 1 beyond the 5th or 95th centile, 2 beyond the 1st or 99th; with its sign. */
function standing(value, norm) {
  if (!norm || norm[0] < FEWEST_NORM || value === null || value === undefined) return 0;
  const [, p1, p5, , , , p95, p99] = norm;
  if (value < p1) return -2;
  if (value > p99) return 2;
  if (value < p5) return -1;
  return value > p95 ? 1 : 0;
}

const STANDING_WORDS = { "-2": "below the 1st centile of its level", "-1": "below the 5th", 0: "", 1: "above the 95th", 2: "above the 99th centile of its level" };

/** The scan's complete values of a measure by level. */
function valuesOf(panel, measure) {
  if (measure.table === "scans") {
    const value = panel.scan[measure.name];
    return value === null || value === undefined ? new Map() : new Map([["", value]]);
  }
  const table = panel.tables[measure.table];
  if (!table || !table[measure.name]) return new Map();
  const found = new Map();
  table.level.forEach((level, i) => {
    const value = table[measure.name][i];
    if (value !== null && value !== undefined) found.set(level, value);
  });
  return found;
}

function measureTable(panel, table, words) {
  const measures = WIRBEL.data.study.measures.filter((one) => one.table === table);
  const all = measures.map((measure) => [measure, valuesOf(panel, measure)]).filter(([, values]) => values.size);
  const levels = table === "scans" ? [""] : (panel.tables[table] || { level: [] }).level;
  if (!all.length) return null;
  const head = make("tr", {}, make("th", { scope: "col", text: "Measure" }), ...levels.map((level) => make("th", { scope: "col", text: level || "Value" })));
  const body = all.map(([measure, values]) => make("tr", {},
    make("th", { scope: "row" }, make("button", { class: "link", text: measure.unit ? `${measure.title} (${measure.unit})` : measure.title, title: measure.description,
      onclick: () => { chosenMeasure = measure.key; showNumber(panel); byId("strip").scrollIntoView({ block: "nearest" }); } })),
    ...levels.map((level) => {
      const value = values.get(level), where = standing(value, (WIRBEL.data.norms[measure.key] || {})[level]);
      const told = value === undefined ? "" : shown(value);
      return make("td", { class: `at${where}`, title: where ? STANDING_WORDS[where] : null }, told, where ? make("span", { class: "hidden", text: ` (${STANDING_WORDS[where]})` }) : null);
    })));
  return make("details", { open: table === "vertebrae" }, make("summary", { text: words }),
    make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": words }, make("table", { class: "matrix" }, make("thead", {}, head), make("tbody", {}, ...body))));
}

/** All measures of a scan, and one of them against its levels. */
function numbers(panel) {
  const tables = [["vertebrae", "Vertebrae"], ["discs", "Discs"], ["levels", "Canal and cord"], ["scans", "The whole scan"]];
  const shownTables = tables.map(([table, words]) => measureTable(panel, table, words)).filter(Boolean);
  if (!shownTables.length) return null;
  return make("section", { id: "numbers" }, make("h2", { text: "Measures" }),
    make("p", { class: "quiet" }, "Beyond the centiles of the level in this cohort: ",
      ...[["at-2", "below 1st"], ["at-1", "below 5th"], ["at1", "above 95th"], ["at2", "above 99th"]].map(([name, words]) => make("span", { class: `sample ${name}`, text: words })),
      ` Levels with fewer than ${FEWEST_NORM} people are not coloured. Choose a measure to see it against its levels.`),
    make("div", { id: "strip" }), ...shownTables);
}

/** Draw the chosen measure: this scan's values on the spread of every level. */
function showNumber(panel) {
  const place = byId("strip");
  const measure = WIRBEL.data.study.measures.find((one) => one.key === chosenMeasure) || WIRBEL.data.study.measures[0];
  if (!place || !measure) return;
  const norms = WIRBEL.data.norms[measure.key] || {}, values = valuesOf(panel, measure);
  const levels = [...values.keys()];
  const title = make("h3", { text: measure.unit ? `${measure.title} (${measure.unit})` : measure.title });
  if (!levels.length) return fill(place, title, make("p", { class: "quiet", text: "No complete value in this scan." }));
  const all = levels.flatMap((level) => [values.get(level), ...(norms[level] || [0]).slice(1)]);
  const low = Math.min(...all), high = Math.max(...all), span = high - low || 1;
  const width = Math.max(320, 46 * levels.length + 60), height = 190;
  const y = (value) => 14 + (1 - (value - low) / span) * (height - 44);
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${measure.title} of this scan against the cohort, level by level` });
  for (const value of [low, low + span / 2, high]) {
    chart.append(svg("line", { x1: 46, x2: width, y1: y(value), y2: y(value), stroke: "#e4e7eb" }), svg("text", { x: 40, y: y(value) + 4, "text-anchor": "end", class: "tick" }, shown(value)));
  }
  levels.forEach((level, i) => {
    const x = 70 + i * 46, norm = norms[level], value = values.get(level);
    if (norm && norm[0] >= 2) {
      chart.append(svg("line", { x1: x, x2: x, y1: y(norm[2]), y2: y(norm[6]), stroke: COLOURS.blue, "stroke-width": 1.5 }));
      chart.append(svg("rect", { x: x - 8, width: 16, y: y(norm[5]), height: Math.max(1, y(norm[3]) - y(norm[5])), fill: "#fff", stroke: COLOURS.blue }));
      chart.append(svg("line", { x1: x - 8, x2: x + 8, y1: y(norm[4]), y2: y(norm[4]), stroke: COLOURS.blue, "stroke-width": 2.5 }));
    }
    const dot = svg("circle", { cx: x, cy: y(value), r: 4.5, fill: COLOURS.vermilion, stroke: "#fff" });
    dot.append(svg("title", {}, `${level || "scan"}: ${shown(value)} ${measure.unit}`));
    chart.append(dot, svg("text", { x, y: height - 8, "text-anchor": "middle", class: "tick" }, level));
  });
  fill(place, title, make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Chart of the chosen measure" }, chart),
    make("p", { class: "quiet", text: "Orange: this scan. Box: 25th to 75th centile and median of the cohort; line: 5th to 95th." }));
}
