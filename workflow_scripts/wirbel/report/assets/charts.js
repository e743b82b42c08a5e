/* Distributions by level, and curves over age, drawn by uPlot. */
"use strict";

const NEAR = 9;

/** A chart's usual frame; `draw` is called with the context after the axes are there. */
function frame(place, options, data) {
  place.replaceChildren();
  const width = Math.max(480, place.clientWidth || 900);
  const axis = { stroke: "#2d333b", grid: { stroke: "#e4e7eb", width: 1 }, ticks: { stroke: "#c5cad1" }, font: "12px system-ui" };
  const axes = options.axes.map((one) => ({ ...axis, ...one }));
  return new uPlot({ width, height: 420, legend: { show: false }, cursor: { drag: { x: false, y: false } }, ...options, axes }, data, place);
}

/** The smallest interval that holds all values, with a margin. */
function limits(values) {
  const good = values.filter((value) => value !== null && Number.isFinite(value));
  if (!good.length) return [0, 1];
  const low = Math.min(...good), high = Math.max(...good), margin = (high - low) * 0.06 || 1;
  return [low - margin, high + margin];
}

/** Make points answer: a label beside the nearest one, a click goes to its scan. */
function touchable(chart, points, told) {
  const tip = make("div", { class: "tip" });
  chart.over.append(tip);
  const nearest = (event) => {
    const box = chart.over.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = null, distance = NEAR;
    for (const point of points) {
      const away = Math.hypot(chart.valToPos(point.x, "x") - x, chart.valToPos(point.y, "y") - y);
      if (away < distance) { best = point; distance = away; }
    }
    return best;
  };
  chart.over.addEventListener("mousemove", (event) => {
    const point = nearest(event);
    chart.over.style.cursor = point ? "pointer" : "default";
    tip.hidden = !point;
    if (!point) return;
    tip.textContent = told(point);
    tip.style.left = `${chart.valToPos(point.x, "x") + 12}px`;
    tip.style.top = `${chart.valToPos(point.y, "y") - 10}px`;
  });
  chart.over.addEventListener("mouseleave", () => { tip.hidden = true; });
  chart.over.addEventListener("click", (event) => {
    const point = nearest(event);
    if (point) location.href = scanAddress(point.scan);
  });
  tip.hidden = true;
}

function dot(context, x, y, radius, colour, filled) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = 1.4 * devicePixelRatio;
  context.strokeStyle = context.fillStyle = colour;
  if (filled) context.fill();
  else context.stroke();
}

/** One level's spread: the histogram's outline, a box from the 25th to the 75th centile, a line from 5th to 95th. */
function drawLevel(chart, content, place) {
  const context = chart.ctx, wide = 0.42;
  const x = (value) => chart.valToPos(value, "x", true), y = (value) => chart.valToPos(value, "y", true);
  const counts = content.counts[place], most = Math.max(...counts), { edges } = content;
  context.fillStyle = "#56b4e955";
  if (content.n[place] >= 10) {
    counts.forEach((count, i) => {
      const half = (count / most) * wide;
      context.fillRect(x(place - half), y(edges[i + 1]), x(place + half) - x(place - half), y(edges[i]) - y(edges[i + 1]));
    });
  }
  const [, p5, p25, p50, p75, p95] = content.percentiles[place];
  context.strokeStyle = COLOURS.blue;
  context.lineWidth = 1.5 * devicePixelRatio;
  context.beginPath();
  context.moveTo(x(place), y(p5)); context.lineTo(x(place), y(p95));
  context.stroke();
  context.fillStyle = "#ffffffcc";
  const box = [x(place - 0.16), y(p75), x(place + 0.16) - x(place - 0.16), y(p25) - y(p75)];
  context.fillRect(...box); context.strokeRect(...box);
  context.lineWidth = 3 * devicePixelRatio;
  context.beginPath();
  context.moveTo(x(place - 0.16), y(p50)); context.lineTo(x(place + 0.16), y(p50));
  context.stroke();
}

/** Draw a measure's distribution at every level into `place`. */
function drawDistribution(place, measure, content, scanIds) {
  const spots = content.points.map(([level, scan, value, outlier], i) => ({
    x: level + (((i * 7919) % 13) - 6) / 60, y: value, level, outlier, scan: scanIds[scan],
  }));
  const levels = content.levels.map((level) => level || "all scans");
  const range = limits([...content.percentiles.flat(), ...spots.map((spot) => spot.y)]);
  const chart = frame(place, {
    scales: { x: { time: false, range: [-0.6, levels.length - 0.4] }, y: { range } },
    axes: [
      { splits: () => levels.map((_, i) => i), values: () => levels, grid: { show: false }, rotate: levels.length > 16 && levels[0].includes("-") ? -45 : 0, size: levels[0].includes("-") ? 60 : 40 },
      { label: measure.unit || measure.title, size: 64 },
    ],
    series: [{}, { show: false }],
    hooks: { draw: [(self) => {
      levels.forEach((_, i) => drawLevel(self, content, i));
      for (const spot of spots) {
        const at = [self.valToPos(spot.x, "x", true), self.valToPos(spot.y, "y", true)];
        dot(self.ctx, ...at, (spot.outlier ? 3.6 : 2.2) * devicePixelRatio, spot.outlier ? COLOURS.vermilion : "#0072b2aa", spot.outlier);
      }
    }] },
  }, [levels.map((_, i) => i), content.percentiles.map((row) => row[3])]);
  touchable(chart, spots, (spot) => `${spot.scan}, ${levels[spot.level]}: ${shown(spot.y)} ${measure.unit}${spot.outlier ? " (outlier)" : ""}`);
}

const SEX_STYLES = [[COLOURS.vermilion, []], [COLOURS.blue, [8, 5]], [COLOURS.green, [2, 4]]];

/** Draw the centiles over age of one level, a colour and a dash for each sex. */
function drawCurves(place, measure, curves, scanIds, key) {
  const spots = curves.flatMap((curve, i) => curve.points.map(([x, y, scan]) => ({ x, y, scan: scanIds[scan], style: i })));
  const ages = [...new Set(curves.flatMap((curve) => curve.ages))].sort((a, b) => a - b);
  const aligned = (curve, line) => { const at = new Map(curve.ages.map((age, i) => [age, line[i]])); return ages.map((age) => at.get(age) ?? null); };
  const series = [{}], data = [ages], bands = [];
  curves.forEach((curve, i) => {
    const [stroke, dash] = SEX_STYLES[i % SEX_STYLES.length];
    const first = series.length;
    curve.centiles.forEach((line, c) => {
      series.push({ stroke, dash, width: c === 2 ? 3 : 1, spanGaps: true, points: { show: false } });
      data.push(aligned(curve, line));
    });
    bands.push({ series: [first + 4, first], fill: `${stroke}18` });
  });
  const chart = frame(place, {
    scales: { x: { time: false }, y: { range: limits([...spots.map((spot) => spot.y), ...data.slice(1).flat()]) } },
    axes: [{ label: "Age (years)" }, { label: measure.unit || measure.title, size: 64 }],
    series, bands,
    hooks: { drawAxes: [(self) => spots.forEach((spot) => dot(self.ctx, self.valToPos(spot.x, "x", true), self.valToPos(spot.y, "y", true), 1.7 * devicePixelRatio, `${SEX_STYLES[spot.style % 3][0]}66`, true))] },
  }, data);
  touchable(chart, spots, (spot) => `${spot.scan}: ${shown(spot.y)} ${measure.unit} at ${shown(spot.x)} years`);
  key.replaceChildren(...curves.map((curve, i) => make("span", { class: "key" },
    make("span", { class: `line style${i % 3}` }), `${curve.sex} (${curve.n})`)));
}
