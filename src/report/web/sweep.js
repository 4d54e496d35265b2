// Bandwidth and latency against size, and the distribution and the course of one size.
import { grid, intervalSeries, linearAxis, logAxis, makeFigure, sizeAxis, tooltip } from "./charts.js";
import { h, section, select, tableDetails } from "./dom.js";
import { facetSentence, makeFacets } from "./facets.js";
import { formatBandwidth, formatCount, formatInterval, formatMicroseconds, formatSize, formatTick, formatTime, formatTimeTick, isNumber } from "./format.js";
import { makeLegend } from "./legend.js";
import { FLAG, distinct, makePoints, samplesOf } from "./model.js";
import { extent, rising, steps } from "./numbers.js";
import { lineColour, lineDash, lineSymbol } from "./theme.js";

const STEPS_MAX = 400; // of a distribution, drawn
const DOTS_MAX = 16000; // of a course, drawn
const LAUNCHES_MAX = 20; // distributions of one line, drawn

// What a mark stands for hangs on it as a function: ECharts copies everything else, to any depth.
function lineSeries(line, points, toY, colours) {
  const colour = lineColour(line, colours);
  return {
    type: "line",
    name: line.name,
    data: points.map((point) => ({ value: [Math.log2(Math.max(point.size, 1)), Math.log10(toY(point.time, point))], of: () => point })),
    symbol: lineSymbol(line),
    symbolSize: 7,
    lineStyle: { color: colour, width: 2, type: lineDash(line) },
    itemStyle: { color: colour, borderWidth: 1.5 },
    z: 3,
  };
}

// Everything of one chart over size; toY(time, point) is the figure that belongs to a time.
function sizeChart(points, hidden, name, toY, format, colours, width) {
  const shown = points.filter((point) => !hidden.has(point.line.key) && toY(point.time, point) > 0);
  if (shown.length === 0) return null;
  const ends = (point) => [toY(point.low, point), toY(point.high, point), toY(point.time, point)].filter((value) => value > 0 && isNumber(value));
  const [low, high] = extent(shown.flatMap(ends));
  const series = distinct(shown.map((point) => point.line)).flatMap((line) => {
    const mine = shown.filter((point) => point.line === line);
    const bars = mine
      .filter((point) => point.low > 0 && isNumber(point.high))
      .map((point) => [Math.log2(Math.max(point.size, 1)), Math.log10(toY(point.high, point)), Math.log10(toY(point.low, point))]);
    return [lineSeries(line, mine, toY, colours), intervalSeries(line.name, bars, lineColour(line, colours))];
  });
  return {
    grid: grid(),
    xAxis: sizeAxis(distinct(shown.map((point) => point.size)), "message size", formatSize, colours, width - 80),
    yAxis: logAxis(low, high, name, format, colours),
    tooltip: tooltip(colours, ({ data }) => data?.of && describePoint(data.of())),
    series,
  };
}

function describePoint(point) {
  const launches = point.rows.length;
  const interval = point.range ? `range of ${launches} launches` : "95% interval";
  return [
    `${point.line.name}, ${formatSize(point.size)}`,
    `time ${formatTime(point.time)}`,
    `${interval} ${formatInterval(point.low, point.high)}`,
    isNumber(point.perTime) && `bandwidth ${formatBandwidth(point.perTime / point.time)} GB/s`,
    launches > 1 && `median of ${launches} launches`,
  ].filter(Boolean);
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const only = (point, field) => (point.rows.length === 1 ? point.rows[0][field] : null);

const POINT_COLUMNS = [
  { name: "line", cell: (point) => point.line.name },
  { name: "size", number: true, cell: (point) => formatSize(point.size) },
  { name: "launches", number: true, cell: (point) => String(point.rows.length) },
  { name: "time µs", number: true, cell: (point) => formatMicroseconds(point.time) },
  { name: "low", number: true, cell: (point) => formatMicroseconds(point.low) },
  { name: "high", number: true, cell: (point) => formatMicroseconds(point.high) },
  { name: "p95", number: true, cell: (point) => formatMicroseconds(only(point, "p95_ns")) },
  { name: "p99", number: true, cell: (point) => formatMicroseconds(only(point, "p99_ns")) },
  { name: "busbw GB/s", number: true, cell: (point) => formatBandwidth(point.perTime / point.time) },
  { name: "iterations", number: true, cell: (point) => formatCount(sum(point.rows.map((row) => row.iterations))) },
  { name: "checked", cell: (point) => (point.rows.every((row) => row.verified === 1) ? "yes" : "NO") },
  { name: "stopped by", cell: (point) => distinct(point.rows.map((row) => row.stop_reason)).join(", ") },
];

// ---- one size -------------------------------------------------------------------------------------------------------

const counted = (samples) => samples.time.filter((_, index) => samples.flags[index] === 0);

function distributionSeries(points, hidden, colours) {
  const series = [];
  for (const point of points.filter((candidate) => !hidden.has(candidate.line.key)))
    for (const row of point.rows.slice(0, LAUNCHES_MAX)) {
      const samples = samplesOf(row);
      const times = samples ? rising(counted(samples)) : [];
      if (times.length === 0) continue;
      series.push({
        type: "line",
        name: point.line.name,
        step: "end",
        symbol: "none",
        data: steps(times, STEPS_MAX).map(([time, share]) => [Math.log10(Math.max(time, 0.1)), share]),
        lineStyle: { color: lineColour(point.line, colours), width: point.rows.length > 1 ? 1.3 : 2, type: lineDash(point.line) },
      });
    }
  return series;
}

function distributionChart(points, hidden, colours) {
  const series = distributionSeries(points, hidden, colours);
  if (series.length === 0) return null;
  const [low, high] = extent(series.flatMap((one) => one.data.map(([time]) => 10 ** time)));
  return {
    grid: grid(),
    xAxis: { ...logAxis(low, high, "time of one operation", formatTimeTick, colours, { gap: 28, wanted: 6 }) },
    yAxis: linearAxis("share of iterations", colours, (value) => `${Math.round(100 * value)}%`, { min: 0, max: 1, gap: 46 }),
    tooltip: { show: false },
    series,
  };
}

const KINDS = [
  { name: "counted", symbol: "circle", size: 4, test: (flags) => flags === 0 },
  { name: "checked afterwards, not counted", symbol: "emptyCircle", size: 5, test: (flags) => flags === FLAG.checked },
  { name: "warm-up", symbol: "emptyTriangle", size: 6, test: (flags) => (flags & FLAG.warmUp) !== 0 },
  { name: "not valid: a rank came late, or the background traffic ended", symbol: "emptyDiamond", size: 7, test: () => true },
];

// Of many dots only the extremes and two more of each stretch: what the eye can tell apart.
export function thinDots(dots, most) {
  if (dots.length <= most) return dots;
  const bins = Math.floor(most / 4);
  const kept = [];
  for (let bin = 0; bin < bins; bin += 1) {
    const from = Math.floor((bin * dots.length) / bins);
    const to = Math.floor(((bin + 1) * dots.length) / bins);
    let [low, high] = [from, from];
    for (let i = from; i < to; i += 1) {
      if (dots[i][1] < dots[low][1]) low = i;
      if (dots[i][1] > dots[high][1]) high = i;
    }
    for (const index of distinct([from, low, high, (from + to) >> 1])) kept.push(dots[index]);
  }
  return kept;
}

function courseData(row) {
  const samples = samplesOf(row);
  if (!samples || samples.count === 0) return null;
  const groups = KINDS.map(() => []);
  for (let i = 0; i < samples.count; i += 1) {
    const kind = KINDS.findIndex(({ test }) => test(samples.flags[i]));
    groups[kind].push([samples.start[i], Math.log10(Math.max(samples.time[i], 0.1))]);
  }
  const drawn = groups.map((dots) => thinDots(dots, DOTS_MAX));
  return { drawn, total: samples.count, count: sum(drawn.map((dots) => dots.length)), present: groups.map((dots) => dots.length) };
}

function courseChart(row, course, colours) {
  if (!course) return null;
  const [low, high] = extent(course.drawn.flatMap((dots) => dots.map(([, time]) => 10 ** time)));
  const last = extent(course.drawn.flatMap((dots) => dots.map(([start]) => start)))[1];
  const band = [{ yAxis: Math.log10(row.ci_low_ns) }, { yAxis: Math.log10(row.ci_high_ns) }];
  const series = KINDS.map((kind, index) => ({
    type: "scatter",
    name: kind.name,
    data: course.drawn[index],
    symbol: kind.symbol,
    symbolSize: kind.size,
    itemStyle: { color: index === 0 ? lineColour(row.line, colours) : colours.muted, opacity: index === 0 ? 0.55 : 0.85 },
    silent: true,
  }));
  series[0].markLine = {
    silent: true,
    symbol: "none",
    lineStyle: { color: colours.text, width: 1.2, type: "solid" },
    label: { show: false },
    data: [{ yAxis: Math.log10(row.median_ns) }],
  };
  if (row.ci_low_ns > 0) series[0].markArea = { silent: true, itemStyle: { color: colours.text, opacity: 0.1 }, data: [band] };
  return {
    grid: grid(),
    xAxis: linearAxis("seconds since the case's first iteration", colours, formatTick, { min: 0, max: last || 1, axisLabel: { color: colours.muted, fontSize: 11, hideOverlap: true, showMaxLabel: false } }),
    yAxis: logAxis(low, high, "time of one operation", formatTimeTick, colours),
    tooltip: { show: false },
    series,
  };
}

function kindLegend(course) {
  const mark = (kind) => ({ circle: "●", emptyCircle: "○", emptyTriangle: "△", emptyDiamond: "◇" })[kind.symbol];
  const words = KINDS.map((kind, index) => course.present[index] > 0 && `${mark(kind)} ${kind.name}: ${formatCount(course.present[index])}`);
  return words.filter(Boolean).join("   ");
}

// ---- the sections ---------------------------------------------------------------------------------------------------

function makeOneSize(state, hidden) {
  const choices = h("div", { class: "choices" });
  const note = h("p", { class: "note" });
  const distribution = makeFigure({
    title: "Distribution",
    option: (colours) => distributionChart(state.points.filter((point) => point.size === state.size), hidden, colours),
  });
  let course = null;
  const time = makeFigure({ title: "Samples over time", canvas: true, option: (colours) => courseChart(state.row, course, colours) });
  const redraw = () => {
    const here = state.points.filter((point) => point.size === state.size);
    const rows = here.flatMap((point) => point.rows);
    if (!rows.includes(state.row)) state.row = rows.find((row) => row.line === state.row?.line) ?? rows[0];
    const name = (row) => (row.line.set.files.length > 1 ? `${row.line.name} (${row.file.name})` : row.line.name);
    const sizes = distinct(state.points.map((point) => point.size));
    const again = choices.contains(document.activeElement) ? [...choices.querySelectorAll("select")].indexOf(document.activeElement) : -1;
    choices.replaceChildren(
      select("Size", sizes.map((size) => [size, formatSize(size)]), state.size, (value) => {
        state.size = Number(value);
        redraw();
      }),
      select("Samples of", rows.map((row, index) => [index, name(row)]), rows.indexOf(state.row), (value) => {
        state.row = rows[Number(value)];
        redraw();
      }),
    );
    if (again >= 0) choices.querySelectorAll("select")[again].focus();
    course = state.row ? courseData(state.row) : null;
    distribution.setTitle(`Share of iterations that took no longer, ${formatSize(state.size)}`);
    time.setTitle(state.row ? `Every iteration of ${name(state.row)}, ${formatSize(state.size)}` : "Samples over time");
    const thinned = course && course.count < course.total ? ` Drawn: ${formatCount(course.count)} of ${formatCount(course.total)} dots; the slowest and fastest of each stretch are among them.` : "";
    note.textContent = course ? `${kindLegend(course)}. The line is the median, the band its 95% interval.${thinned}` : "No samples of this case are in this page.";
    distribution.draw();
    time.draw();
  };
  const figures = h("div", { class: "pair" }, distribution.figure, time.figure);
  return { nodes: [choices, figures, note], redraw, distribution };
}

export function makeSweep(model) {
  if (model.sweep.length === 0) return { sections: [], start() {} };
  const hidden = new Set();
  const state = { points: [], size: 0, row: null };
  const caption = h("p", { class: "what" });
  const figures = h("div");
  const legend = makeLegend(hidden, () => {
    bandwidth.draw();
    latency.draw();
    oneSize.distribution.draw();
  });
  const choose = ({ data }) => {
    if (!data?.of) return;
    state.size = data.of().size;
    [state.row] = data.of().rows;
    oneSize.redraw();
  };
  const bandwidth = makeFigure({
    title: "Bus bandwidth",
    click: choose,
    option: (colours, width) => sizeChart(state.points, hidden, "busbw, GB/s", (time, point) => point.perTime / time, formatTick, colours, width),
  });
  const latency = makeFigure({
    title: "Time of one operation",
    click: choose,
    option: (colours, width) => sizeChart(state.points, hidden, "median time", (time) => time, formatTimeTick, colours, width),
  });
  const oneSize = makeOneSize(state, hidden);
  const facets = makeFacets(model.sweep, ({ rows, facets: chosen }) => {
    state.points = makePoints(rows);
    const sizes = distinct(state.points.map((point) => point.size));
    if (!sizes.includes(state.size)) state.size = sizes[Math.floor((sizes.length - 1) / 2)];
    caption.textContent = facetSentence(chosen);
    bandwidth.setTitle(`Bus bandwidth: ${facetSentence(chosen)}`);
    latency.setTitle(`Time of one operation: ${facetSentence(chosen)}`);
    legend.set(model.lines.filter((line) => state.points.some((point) => point.line === line)));
    figures.replaceChildren(tableDetails("Table of these figures", POINT_COLUMNS, state.points.slice().sort((a, b) => model.lines.indexOf(a.line) - model.lines.indexOf(b.line) || a.size - b.size)));
    bandwidth.draw();
    latency.draw();
    oneSize.redraw();
  });
  const many = model.files.length > model.sets.length;
  const bars = many ? "Bars: over launches the 95% interval of the median (fewer than six launches: their range); of one launch its own interval." : "Bars: 95% interval of the median, within this launch.";
  const sections = [
    section("sweep", "Bandwidth and latency", null, facets.box, legend.box, h("div", { class: "pair" }, bandwidth.figure, latency.figure), h("p", { class: "note" }, `${bars} Choose a point to see its samples below.`), figures),
    section("samples", "Distribution and course of one size", null, oneSize.nodes),
  ];
  return { sections, start: facets.start };
}
