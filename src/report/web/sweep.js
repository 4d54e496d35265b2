// Bandwidth and latency against size.
import { grid, intervalSeries, logAxis, makeFigure, sizeAxis, tooltip } from "./charts.js";
import { h, section, tableDetails } from "./dom.js";
import { facetSentence, makeFacets } from "./facets.js";
import {
  formatBandwidth,
  formatCount,
  formatInterval,
  formatMicroseconds,
  formatSize,
  formatTick,
  formatTime,
  formatTimeTick,
  isNumber,
} from "./format.js";
import { makeLegend } from "./legend.js";
import { distinct, makePoints } from "./model.js";
import { extent, sum } from "./numbers.js";
import { makeSamples } from "./samples.js";
import { lineColour, lineDash, lineMark } from "./theme.js";

// What a mark stands for hangs on it as a function: ECharts copies everything else, to any depth.
function lineSeries(line, points, toY, colours) {
  const colour = lineColour(line, colours);
  return {
    type: "line",
    name: line.name,
    data: points.map((point) => ({
      value: [Math.log2(Math.max(point.size, 1)), Math.log10(toY(point.time, point))],
      of: () => point,
    })),
    ...lineMark(line, colours),
    symbolSize: 7,
    lineStyle: { color: colour, width: 2, type: lineDash(line) },
    z: 3,
  };
}

// Everything of one chart over size; toY(time, point) is the figure that belongs to a time.
function sizeChart(points, hidden, name, toY, format, colours, width) {
  const shown = points.filter((point) => !hidden.has(point.line.key) && toY(point.time, point) > 0);
  if (shown.length === 0) return null;
  const ends = (point) =>
    [toY(point.low, point), toY(point.high, point), toY(point.time, point)].filter(
      (value) => value > 0 && isNumber(value),
    );
  const [low, high] = extent(shown.flatMap(ends));
  const series = distinct(shown.map((point) => point.line)).flatMap((line) => {
    const mine = shown.filter((point) => point.line === line);
    const bars = mine
      .filter((point) => point.low > 0 && isNumber(point.high))
      .map((point) => [
        Math.log2(Math.max(point.size, 1)),
        Math.log10(toY(point.high, point)),
        Math.log10(toY(point.low, point)),
      ]);
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

export function makeSweep(model) {
  if (model.sweep.length === 0) return { sections: [], start() {} };
  const hidden = new Set();
  const state = { points: [], size: 0, row: null, what: "" };
  const figures = h("div");
  const legend = makeLegend(hidden, () => {
    bandwidth.draw();
    latency.draw();
    samples.distribution.draw();
  });
  const choose = ({ data }) => {
    if (!data?.of) return;
    state.size = data.of().size;
    [state.row] = data.of().rows;
    samples.redraw();
  };
  const bandwidth = makeFigure({
    title: "Bus bandwidth",
    click: choose,
    option: (colours, width) =>
      sizeChart(state.points, hidden, "busbw, GB/s", (time, point) => point.perTime / time, formatTick, colours, width),
  });
  const latency = makeFigure({
    title: "Time of one operation",
    click: choose,
    option: (colours, width) =>
      sizeChart(state.points, hidden, "median time", (time) => time, formatTimeTick, colours, width),
  });
  const samples = makeSamples(state, hidden);
  const facets = makeFacets(model.sweep, ({ rows, facets: chosen }) => {
    state.points = makePoints(rows);
    const sizes = distinct(state.points.map((point) => point.size));
    if (!sizes.includes(state.size)) state.size = sizes[Math.floor((sizes.length - 1) / 2)];
    state.what = facetSentence(chosen);
    bandwidth.setTitle("Bus bandwidth", state.what);
    latency.setTitle("Time of one operation", state.what);
    legend.set(model.lines.filter((line) => state.points.some((point) => point.line === line)));
    figures.replaceChildren(
      tableDetails(
        "Table of these figures",
        POINT_COLUMNS,
        state.points
          .slice()
          .sort((a, b) => model.lines.indexOf(a.line) - model.lines.indexOf(b.line) || a.size - b.size),
      ),
    );
    bandwidth.draw();
    latency.draw();
    samples.redraw();
  });
  const many = model.files.length > model.sets.length;
  const bars = many
    ? "Bars: over launches the 95% interval of the median (fewer than six launches: their range); of one launch its own interval."
    : "Bars: 95% interval of the median, within this launch.";
  const sections = [
    section(
      "sweep",
      "Bandwidth and latency",
      null,
      facets.box,
      legend.box,
      h("div", { class: "pair" }, bandwidth.figure, latency.figure),
      h("p", { class: "note" }, `${bars} Choose a point to see its samples below.`),
      figures,
    ),
    section("samples", "Samples of one size", null, samples.nodes),
  ];
  return { sections, start: facets.start };
}
