// The samples of one size: their distribution, and their course over time.
import { grid, linearAxis, logAxis, makeFigure, tooltip } from "./charts.js";
import { h, select } from "./dom.js";
import { formatCount, formatSize, formatTick, formatTimeTick } from "./format.js";
import { FLAG, distinct, samplesOf } from "./model.js";
import { extent, rising, steps, sum } from "./numbers.js";
import { SHAPE, lineColour, lineDash, markStyle } from "./theme.js";

const STEPS_MAX = 400; // of a distribution, drawn
const DOTS_MAX = 16000; // of a course, drawn
const LAUNCHES_MAX = 20; // distributions of one line, drawn

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
        lineStyle: {
          color: lineColour(point.line, colours),
          width: point.rows.length > 1 ? 1.3 : 2,
          type: lineDash(point.line),
        },
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
    yAxis: linearAxis("share of iterations", colours, (value) => `${Math.round(100 * value)}%`, {
      min: 0,
      max: 1,
      gap: 46,
    }),
    tooltip: { show: false },
    series,
  };
}

const KINDS = [
  { name: "counted", shape: SHAPE.circle, mark: "●", size: 4, test: (flags) => flags === 0 },
  {
    name: "checked afterwards, not counted",
    shape: SHAPE.circle,
    hollow: true,
    mark: "○",
    size: 5,
    test: (flags) => flags === FLAG.checked,
  },
  {
    name: "warm-up",
    shape: SHAPE.triangle,
    hollow: true,
    mark: "△",
    size: 6,
    test: (flags) => (flags & FLAG.warmUp) !== 0,
  },
  {
    name: "not valid: a rank came late, or the background traffic ended",
    shape: SHAPE.diamond,
    hollow: true,
    mark: "◇",
    size: 7,
    test: () => true,
  },
];

// Of many dots only the extremes and two more of each stretch: what the eye can tell apart.
function thinDots(dots, most) {
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
  return {
    drawn,
    total: samples.count,
    count: sum(drawn.map((dots) => dots.length)),
    present: groups.map((dots) => dots.length),
  };
}

function dotStyle(kind, colour, colours) {
  const { symbol, itemStyle } = markStyle(kind, colour, colours);
  return { symbol, itemStyle: { ...itemStyle, opacity: kind.hollow ? 0.85 : 0.55 } };
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
    ...dotStyle(kind, index === 0 ? lineColour(row.line, colours) : colours.muted, colours),
    symbolSize: kind.size,
    silent: true,
  }));
  series[0].markLine = {
    silent: true,
    symbol: "none",
    lineStyle: { color: colours.text, width: 1.2, type: "solid" },
    label: { show: false },
    data: [{ yAxis: Math.log10(row.median_ns) }],
  };
  if (row.ci_low_ns > 0)
    series[0].markArea = { silent: true, itemStyle: { color: colours.text, opacity: 0.1 }, data: [band] };
  return {
    grid: grid(),
    xAxis: linearAxis("seconds since the case's first iteration", colours, formatTick, {
      min: 0,
      max: last || 1,
      axisLabel: { color: colours.muted, fontSize: 11, hideOverlap: true, showMaxLabel: false },
    }),
    yAxis: logAxis(low, high, "time of one operation", formatTimeTick, colours),
    tooltip: { show: false },
    series,
  };
}

const kindLegend = (course) =>
  KINDS.map(
    (kind, index) =>
      course.present[index] > 0 &&
      h("span", { class: "kind" }, `${kind.mark} ${kind.name}: ${formatCount(course.present[index])}`),
  );

// The nodes of the section. state: the points of the sweep, the size and the row (a launch of a point) that are chosen.
export function makeSamples(state, hidden) {
  const choices = h("div", { class: "choices" });
  const note = h("p", { class: "note" });
  const distribution = makeFigure({
    title: "Distribution",
    option: (colours) =>
      distributionChart(
        state.points.filter((point) => point.size === state.size),
        hidden,
        colours,
      ),
  });
  let course = null;
  const time = makeFigure({
    title: "Samples over time",
    canvas: true,
    option: (colours) => courseChart(state.row, course, colours),
  });
  const redraw = () => {
    const here = state.points.filter((point) => point.size === state.size);
    const rows = here.flatMap((point) => point.rows);
    if (!rows.includes(state.row)) state.row = rows.find((row) => row.line === state.row?.line) ?? rows[0];
    const name = (row) => (row.line.set.files.length > 1 ? `${row.line.name} (${row.file.name})` : row.line.name);
    const sizes = distinct(state.points.map((point) => point.size));
    const again = choices.contains(document.activeElement)
      ? [...choices.querySelectorAll("select")].indexOf(document.activeElement)
      : -1;
    choices.replaceChildren(
      select(
        "Size",
        sizes.map((size) => [size, formatSize(size)]),
        state.size,
        (value) => {
          state.size = Number(value);
          redraw();
        },
      ),
      select(
        "Samples of",
        rows.map((row, index) => [index, name(row)]),
        rows.indexOf(state.row),
        (value) => {
          state.row = rows[Number(value)];
          redraw();
        },
      ),
    );
    if (again >= 0) choices.querySelectorAll("select")[again].focus();
    course = state.row ? courseData(state.row) : null;
    distribution.setTitle("Share of iterations that took no longer", `${formatSize(state.size)}, ${state.what}`);
    time.setTitle("Every iteration", state.row ? `${formatSize(state.size)}, ${name(state.row)}` : "");
    const thinned =
      course && course.count < course.total
        ? ` Drawn: ${formatCount(course.count)} of ${formatCount(course.total)} dots; the slowest and fastest of each stretch are among them.`
        : "";
    const text = course
      ? ` The line is the median, the band its 95% interval.${thinned}`
      : "No samples of this case are in this page.";
    note.replaceChildren(...(course ? kindLegend(course).filter(Boolean) : []), text);
    distribution.draw();
    time.draw();
  };
  const figures = h("div", { class: "pair" }, distribution.figure, time.figure);
  return { nodes: [choices, figures, note], redraw, distribution };
}
