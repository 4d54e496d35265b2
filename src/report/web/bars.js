// What stands in bars: reduction kernels beside memcpy, slowdown under background traffic, and who is late.
import { categoryAxis, grid, linearAxis, logAxis, makeFigure, sizeAxis, tooltip, intervalSeries } from "./charts.js";
import { h, section, select, tableDetails } from "./dom.js";
import { facetSentence, makeFacets } from "./facets.js";
import { formatBandwidth, formatMicroseconds, formatPercent, formatRatio, formatSize, formatTime, isNumber, plural } from "./format.js";
import { makeLegend } from "./legend.js";
import { distinct, makePoints } from "./model.js";
import { extent } from "./numbers.js";
import { SYMBOLS, lineColour } from "./theme.js";

// ---- reduction kernels ----------------------------------------------------------------------------------------------

const rate = (point) => point.size / point.time;
const describeKernel = (point) => [`${point.line.name}, ${formatSize(point.size)}`, `${formatBandwidth(rate(point))} GB/s`, `time ${formatTime(point.time)}`];

function kernelChart(points, hidden, colours) {
  const shown = points.filter((point) => !hidden.has(point.line.key));
  if (shown.length === 0) return null;
  const sizes = distinct(shown.map((point) => point.size));
  return {
    grid: grid(),
    xAxis: categoryAxis(sizes.map(formatSize), "bytes of the result", colours),
    yAxis: linearAxis("GB/s of result", colours, String, { min: 0, gap: 46 }),
    tooltip: tooltip(colours, ({ data }) => data?.of && describeKernel(data.of())),
    series: distinct(shown.map((point) => point.line)).map((line) => ({
      type: "bar",
      name: line.name,
      barMaxWidth: 34,
      itemStyle: { color: lineColour(line, colours), decal: null },
      data: sizes.map((size) => {
        const point = shown.find((candidate) => candidate.line === line && candidate.size === size);
        return point ? { value: rate(point), of: () => point } : "-";
      }),
    })),
  };
}

const KERNEL_COLUMNS = [
  { name: "kernel", cell: (point) => point.line.name },
  { name: "size", number: true, cell: (point) => formatSize(point.size) },
  { name: "GB/s", number: true, cell: (point) => formatBandwidth(rate(point)) },
  { name: "time µs", number: true, cell: (point) => formatMicroseconds(point.time) },
  { name: "low", number: true, cell: (point) => formatMicroseconds(point.low) },
  { name: "high", number: true, cell: (point) => formatMicroseconds(point.high) },
];

export function makeKernels(model) {
  if (model.kernels.length === 0) return { sections: [], start() {} };
  const hidden = new Set();
  let points = [];
  const figures = h("div");
  const chart = makeFigure({ title: "Reduction kernels", option: (colours) => kernelChart(points, hidden, colours) });
  const legend = makeLegend(hidden, () => chart.draw());
  const facets = makeFacets(model.kernels, ({ rows, facets: chosen }) => {
    points = makePoints(rows);
    chart.setTitle(`Reduction kernels: ${facetSentence(chosen.filter((facet) => facet.field !== "collective"))}`);
    legend.set(model.lines.filter((line) => points.some((point) => point.line === line)));
    figures.replaceChildren(tableDetails("Table of these figures", KERNEL_COLUMNS, points));
    chart.draw();
  });
  const lead = "What the processor adds without any network. memcpy is what memory alone would allow.";
  return { sections: [section("kernels", "Reduction kernels", lead, facets.box, legend.box, chart.figure, figures)], start: facets.start };
}

// ---- congestion -----------------------------------------------------------------------------------------------------

// Each loaded point beside its quiet twin: [{line, size, congestor, quiet, loaded, ratio, low, high}].
function findSlowdowns(rows) {
  const quiet = new Map(makePoints(rows.filter((row) => row.congestor === "none")).map((point) => [`${point.line.key}\n${point.size}`, point]));
  const congestors = distinct(rows.map((row) => row.congestor)).filter((name) => name !== "" && name !== "none");
  return congestors.flatMap((congestor) =>
    makePoints(rows.filter((row) => row.congestor === congestor)).flatMap((loaded) => {
      const twin = quiet.get(`${loaded.line.key}\n${loaded.size}`);
      if (!twin) return [];
      const tail = (point) => (point.rows.length === 1 ? point.rows[0].p99_ns : null);
      return [{ line: loaded.line, size: loaded.size, congestor, quiet: twin.time, loaded: loaded.time, ratio: loaded.time / twin.time, low: loaded.low / twin.high, high: loaded.high / twin.low, tail: isNumber(tail(loaded)) && isNumber(tail(twin)) ? tail(loaded) / tail(twin) : null }];
    }),
  );
}

function describeSlowdown(one) {
  return [
    `${one.congestor}: ${one.line.name}, ${formatSize(one.size)}`,
    `${formatRatio(one.ratio)} times slower (${formatRatio(one.low)} to ${formatRatio(one.high)})`,
    isNumber(one.tail) && `p99 ${formatRatio(one.tail)} times`,
  ].filter(Boolean);
}

function slowdownChart(slowdowns, colours, width) {
  if (slowdowns.length === 0) return null;
  const [low, high] = extent(slowdowns.flatMap((one) => [one.ratio, one.low, one.high].filter((value) => value > 0)).concat([1]));
  const series = distinct(slowdowns.map((one) => one.congestor)).flatMap((congestor, index) => {
    const mine = slowdowns.filter((one) => one.congestor === congestor);
    const colour = colours.lines[index % colours.lines.length];
    const at = (one) => Math.log2(Math.max(one.size, 1));
    const bars = mine.filter((one) => one.low > 0 && isNumber(one.high)).map((one) => [at(one), Math.log10(one.low), Math.log10(one.high)]);
    return [
      { type: "line", name: congestor, data: mine.map((one) => ({ value: [at(one), Math.log10(one.ratio)], of: () => one })), symbol: SYMBOLS[index % SYMBOLS.length], symbolSize: 8, lineStyle: { color: colour, width: 2 }, itemStyle: { color: colour }, endLabel: { show: true, formatter: congestor, color: colours.text, fontSize: 11 }, z: 3 },
      intervalSeries(congestor, bars, colour),
    ];
  });
  series[0].markLine = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.text, type: "solid", width: 1 }, data: [{ yAxis: 0 }] };
  return {
    grid: grid({ right: 64 }),
    xAxis: sizeAxis(distinct(slowdowns.map((one) => one.size)), "message size", formatSize, colours, width - 130),
    yAxis: logAxis(low, high, "time, loaded / quiet", (value) => `${Number(value.toPrecision(3))}×`, colours),
    tooltip: tooltip(colours, ({ data }) => data?.of && describeSlowdown(data.of())),
    series,
  };
}

const SLOWDOWN_COLUMNS = [
  { name: "line", cell: (one) => one.line.name },
  { name: "background", cell: (one) => one.congestor },
  { name: "size", number: true, cell: (one) => formatSize(one.size) },
  { name: "quiet µs", number: true, cell: (one) => formatMicroseconds(one.quiet) },
  { name: "loaded µs", number: true, cell: (one) => formatMicroseconds(one.loaded) },
  { name: "slowdown", number: true, cell: (one) => formatRatio(one.ratio) },
  { name: "low", number: true, cell: (one) => formatRatio(one.low) },
  { name: "high", number: true, cell: (one) => formatRatio(one.high) },
  { name: "of the p99", number: true, cell: (one) => formatRatio(one.tail) },
];

export function makeCongestion(model) {
  const rows = model.sweep.filter((row) => row.congestor !== "");
  if (!rows.some((row) => row.congestor !== "none")) return { sections: [], start() {} };
  let slowdowns = [];
  let line = null;
  const choices = h("div", { class: "choices" });
  const figures = h("div");
  const chart = makeFigure({ title: "Slowdown", option: (colours, width) => slowdownChart(slowdowns.filter((one) => one.line === line), colours, width) });
  const redraw = (what) => {
    const lines = distinct(slowdowns.map((one) => one.line));
    if (!lines.includes(line)) [line] = lines;
    const again = choices.contains(document.activeElement);
    choices.replaceChildren(
      ...(lines.length > 1
        ? [select("Line", lines.map((one, index) => [index, one.name]), lines.indexOf(line), (value) => {
            line = lines[Number(value)];
            redraw(what);
          })]
        : []),
    );
    if (again) choices.querySelector("select")?.focus();
    chart.setTitle(`Slowdown of ${line?.name ?? "nothing"}: ${what}`);
    figures.replaceChildren(tableDetails("Table of all slowdowns", SLOWDOWN_COLUMNS, slowdowns));
    chart.draw();
  };
  const twins = rows.map((row) => ({ ...row, congestor: "", own: row.congestor }));
  const facets = makeFacets(twins, ({ rows: chosen, facets: values }) => {
    slowdowns = findSlowdowns(chosen.map((row) => ({ ...row, congestor: row.own })));
    redraw(facetSentence(values));
  });
  const lead = "The same case while the other ranks are quiet and while they load the network. The bars hold the ratio in at least 90% of runs.";
  return { sections: [section("congestion", "Slowdown under background traffic", lead, facets.box, choices, chart.figure, figures)], start: facets.start };
}

// ---- stragglers -----------------------------------------------------------------------------------------------------

const PHRASES = { entered: "entered last", left: "left last", took: "took longest" };
const RANKS_DRAWN = 12;

function straggler(file, rank, several) {
  return { ...rank, file, judged: file.stragglers.cases_judged, name: `rank ${rank.rank} on ${rank.hostname}, ${PHRASES[rank.what] ?? rank.what}${several ? ` (${file.name})` : ""}` };
}

function describeStraggler(rank) {
  return [
    rank.name,
    `last in ${formatPercent(rank.share)} of iterations`,
    `late by ${formatTime(rank.late_ns)} (median)`,
    `in ${rank.cases} of ${rank.judged} cases`,
    rank.only && `only with ${rank.only}`,
  ].filter(Boolean);
}

function stragglerChart(ranks, colours, width) {
  if (ranks.length === 0) return null;
  const drawn = ranks.slice(0, RANKS_DRAWN).reverse();
  const narrow = width < 520;
  return {
    grid: { left: narrow ? 96 : 250, right: 90, top: 6, bottom: 40 },
    xAxis: linearAxis("share of iterations in which it was the last", colours, (value) => `${Math.round(100 * value)}%`, { min: 0, max: 1 }),
    yAxis: categoryAxis(drawn.map((rank) => (narrow ? `rank ${rank.rank}, ${rank.what}` : rank.name)), undefined, colours, { axisLabel: { color: colours.text, fontSize: 12, width: narrow ? 90 : 240, overflow: "truncate" }, axisTick: { show: false } }),
    tooltip: tooltip(colours, ({ data }) => data?.of && describeStraggler(data.of())),
    series: [
      {
        type: "bar",
        barMaxWidth: 18,
        data: drawn.map((rank) => ({ value: rank.share, of: () => rank, itemStyle: { color: rank.run_wide ? colours.bad : colours.lines[0] } })),
        label: { show: true, position: "right", color: colours.text, fontSize: 11, formatter: ({ data }) => `by ${formatTime(data.of().late_ns)}` },
      },
    ],
  };
}

const STRAGGLER_COLUMNS = [
  { name: "who", cell: (rank) => rank.name },
  { name: "iterations", number: true, cell: (rank) => formatPercent(rank.share) },
  { name: "late by", number: true, cell: (rank) => formatTime(rank.late_ns) },
  { name: "cases", number: true, cell: (rank) => `${rank.cases} of ${rank.judged}` },
  { name: "only with", cell: (rank) => rank.only ?? "" },
  { name: "run-wide", cell: (rank) => (rank.run_wide ? "yes" : "") },
];

export function makeStragglers(model) {
  const files = model.files.filter((file) => file.stragglers);
  if (files.length === 0) return { sections: [], start() {} };
  const judged = files.reduce((total, file) => total + (file.stragglers.cases_judged ?? 0), 0);
  const ranks = files.flatMap((file) => (file.stragglers.ranks ?? []).map((rank) => straggler(file, rank, files.length > 1)));
  ranks.sort((a, b) => Number(b.run_wide) - Number(a.run_wide) || b.cases - a.cases || b.late_ns - a.late_ns);
  const chart = makeFigure({ title: "Ranks that keep the others waiting", height: 60 + 30 * Math.min(ranks.length, RANKS_DRAWN), option: (colours, width) => stragglerChart(ranks, colours, width) });
  const none = judged === 0 ? "No case has enough counted iterations of several ranks to say who is late." : `In none of ${plural(judged, "case")} is a rank late more often than chance explains, and by more than 1%.`;
  const lead = "Named is a rank that was last more often than chance explains (binomial, Holm, 1%) and by over 1% of the case's median. One that shows with a single implementation may be let go last by its algorithm.";
  const more = ranks.length > RANKS_DRAWN ? ` The chart has the first ${RANKS_DRAWN} of ${ranks.length}.` : "";
  return {
    sections: [
      ranks.length === 0
        ? section("stragglers", "Stragglers", none)
        : section("stragglers", "Stragglers", lead + more, chart.figure, tableDetails("Table of these ranks", STRAGGLER_COLUMNS, ranks)),
    ],
    start: () => chart.draw(),
  };
}

