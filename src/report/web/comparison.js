// The verdicts of --with. What a field means stands in the JSON of `ringside compare`; what is not there is not shown.
import { grid, intervalSeries, logAxis, makeFigure, sizeAxis, tooltip } from "./charts.js";
import { h, section, table, tableDetails } from "./dom.js";
import { facetSentence, makeFacets } from "./facets.js";
import { formatCount, formatMicroseconds, formatPercent, formatRatio, formatSize, isNumber, plural } from "./format.js";
import { makeLegend } from "./legend.js";
import { FACETS, distinct } from "./model.js";
import { extent } from "./numbers.js";
import { lineColour, lineMark } from "./theme.js";

const VERDICTS = {
  faster: { mark: "▲", word: "faster", tone: "good" },
  slower: { mark: "▼", word: "slower", tone: "bad" },
  no_difference: { mark: "=", word: "no difference", tone: "plain" },
  undecided: { mark: "?", word: "undecided", tone: "doubt" },
};

function badge(verdict) {
  const known = VERDICTS[verdict] ?? { mark: "", word: String(verdict ?? "unknown"), tone: "plain" };
  return h(
    "span",
    { class: `badge ${known.tone}` },
    h("span", { "aria-hidden": "true" }, known.mark),
    ` ${known.word}`,
  );
}

const interval = (row) =>
  isNumber(row.ratio_low) && isNumber(row.ratio_high)
    ? `${formatRatio(row.ratio_low)} to ${formatRatio(row.ratio_high)}`
    : "–";
const launches = (row) => `${row.baseline_launches ?? "?"} / ${row.candidate_launches ?? "?"}`;

const FAMILY_COLUMNS = [
  { name: "sizes", cell: (row) => row.class ?? "all" },
  { name: "verdict", cell: (row) => badge(row.verdict) },
  { name: "in words", wide: true, cell: (row) => row.words ?? "" },
  { name: "ratio", number: true, cell: (row) => formatRatio(row.ratio) },
  { name: "interval", number: true, cell: interval },
  {
    name: "p, adjusted",
    number: true,
    cell: (row) => (isNumber(row.p_adjusted) ? row.p_adjusted.toPrecision(2) : "–"),
  },
  { name: "cases", number: true, cell: (row) => formatCount(row.cases) },
  { name: "launches", number: true, cell: launches },
  {
    name: "more launches needed",
    number: true,
    cell: (row) => (row.launches_needed > 0 ? String(row.launches_needed) : ""),
  },
];

function familyColumns(families) {
  const metrics = distinct(families.map((row) => row.metric));
  return metrics.length > 1 ? [{ name: "metric", cell: (row) => row.metric ?? "" }, ...FAMILY_COLUMNS] : FAMILY_COLUMNS;
}

// Gives the rows of a comparison the lines of the page, so that they have its colours and names.
function withLines(model, rows) {
  return rows
    .map((row) => {
      const whole = { root: -1, pairing: "", congestor: "", measured_ranks: row.rank_count, ...row };
      const like = model.usable.find((other) =>
        ["implementation", "algorithm", "transport", "chunk_bytes", "lanes"].every(
          (field) => other[field] === whole[field],
        ),
      );
      return like ? { ...whole, line: like.line } : null;
    })
    .filter(Boolean);
}

const describeRow = (row) => [
  `${row.line.what}, ${formatSize(row.size_bytes)}`,
  `ratio ${formatRatio(row.ratio)}`,
  `interval ${interval(row)}`,
  `launches ${launches(row)}`,
];

function ratioChart(rows, hidden, threshold, colours, width) {
  const shown = rows.filter((row) => !hidden.has(row.line.key) && row.ratio > 0);
  if (shown.length === 0) return null;
  const [low, high] = extent(
    shown.flatMap((row) => [row.ratio, row.ratio_low, row.ratio_high].filter((value) => value > 0)).concat([0.9, 1.1]),
  );
  const at = (row) => Math.log2(Math.max(row.size_bytes, 1));
  const series = distinct(shown.map((row) => row.line)).flatMap((line) => {
    const mine = shown.filter((row) => row.line === line).sort((a, b) => a.size_bytes - b.size_bytes);
    const colour = lineColour(line, colours);
    const bars = mine
      .filter((row) => row.ratio_low > 0 && isNumber(row.ratio_high))
      .map((row) => [at(row), Math.log10(row.ratio_low), Math.log10(row.ratio_high)]);
    const points = mine.map((row) => ({ value: [at(row), Math.log10(row.ratio)], of: () => row }));
    return [
      {
        type: "line",
        name: line.what,
        data: points,
        ...lineMark(line, colours),
        symbolSize: 7,
        lineStyle: { color: colour, width: 2 },
        z: 3,
      },
      intervalSeries(line.what, bars, colour),
    ];
  });
  series[0].markLine = {
    silent: true,
    symbol: "none",
    label: { show: false },
    lineStyle: { color: colours.text, type: "solid", width: 1 },
    data: [{ yAxis: 0 }],
  };
  if (threshold > 0)
    series[0].markArea = {
      silent: true,
      itemStyle: { color: colours.text, opacity: 0.07 },
      data: [[{ yAxis: -Math.log10(1 + threshold) }, { yAxis: Math.log10(1 + threshold) }]],
    };
  return {
    grid: grid(),
    xAxis: sizeAxis(distinct(shown.map((row) => row.size_bytes)), "message size", formatSize, colours, width - 80),
    yAxis: logAxis(low, high, "time, candidate / baseline", (value) => `${Number(value.toPrecision(3))}×`, colours, {
      wanted: 9,
    }),
    tooltip: tooltip(colours, ({ data }) => data?.of && describeRow(data.of())),
    series,
  };
}

const CASE_COLUMNS = [
  { name: "what", cell: (row) => row.line.what },
  { name: "case", cell: (row) => facetSentence(FACETS.map((facet) => ({ ...facet, value: row[facet.field] }))) },
  { name: "size", number: true, cell: (row) => formatSize(row.size_bytes) },
  { name: "baseline µs", number: true, cell: (row) => formatMicroseconds(row.baseline_ns) },
  { name: "candidate µs", number: true, cell: (row) => formatMicroseconds(row.candidate_ns) },
  { name: "ratio", number: true, cell: (row) => formatRatio(row.ratio) },
  { name: "interval", number: true, cell: interval },
  { name: "launches", number: true, cell: launches },
];

function environmentTable(rows) {
  const columns = [
    { name: "what", cell: (row) => row.field },
    { name: "baseline", wide: true, cell: (row) => row.baseline ?? "–" },
    { name: "candidate", wide: true, cell: (row) => row.candidate ?? "–" },
  ];
  return [
    h("h3", null, "What else differs between the sets, and so may be the cause"),
    h("div", { class: "scroll" }, table(null, columns, rows)),
  ];
}

function leftOut(comparison) {
  const words = [
    [comparison.baseline_only, "only in the baseline"],
    [comparison.candidate_only, "only in the candidate"],
    [comparison.unverified, "left out, since a launch got wrong data"],
    [comparison.unchecked, "kept, although a launch did not check its data"],
  ];
  return words
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${plural(count, "case")} ${what}`)
    .join("; ");
}

export function makeComparison(model) {
  const { comparison } = model;
  if (!comparison) return { sections: [], start() {} };
  const hidden = new Set();
  let rows = [];
  const figure = makeFigure({
    title: "Ratio of times",
    option: (colours, width) => ratioChart(rows, hidden, comparison.threshold, colours, width),
  });
  const legend = makeLegend(hidden, () => figure.draw());
  const all = withLines(model, comparison.cases ?? []).map((row) => ({
    ...row,
    line: { ...row.line, name: row.line.what, dash: 0 },
  }));
  const lines = new Map();
  for (const row of all) {
    if (!lines.has(row.line.key)) lines.set(row.line.key, row.line);
    row.line = lines.get(row.line.key);
  }
  const facets = makeFacets(all, ({ rows: chosen, facets: values }) => {
    rows = chosen;
    figure.setTitle("Time of the candidate over that of the baseline", facetSentence(values));
    legend.set([...lines.values()].filter((line) => rows.some((row) => row.line === line)));
    figure.draw();
  });
  const families = comparison.families ?? [];
  const environment = comparison.environment ?? [];
  const level = isNumber(comparison.level) ? `${formatPercent(comparison.level)} intervals` : null;
  const smallest = isNumber(comparison.smallest_p)
    ? `the smallest p that these launches can reach is ${comparison.smallest_p.toPrecision(2)}`
    : null;
  const band =
    comparison.threshold > 0
      ? `the grey band is ±${formatPercent(comparison.threshold)}, below which no difference matters`
      : null;
  const notes = ["Below 1× the candidate is faster", band, level, smallest, leftOut(comparison)]
    .filter(Boolean)
    .join("; ");
  return {
    sections: [
      section(
        "comparison",
        "Comparison",
        null,
        comparison.sentence && h("p", { class: "verdict" }, comparison.sentence),
        (comparison.warnings ?? []).map((warning) => h("p", { class: "warning caution" }, warning)),
        environment.length > 0 && environmentTable(environment),
        families.length > 0 && [
          h("h3", null, "Verdicts"),
          h("div", { class: "scroll" }, table(null, familyColumns(families), families)),
        ],
        facets.box,
        legend.box,
        figure.figure,
        h(
          "p",
          { class: "note" },
          `${notes}. ${families.length > 0 ? "Single cases are there to look at: only the verdicts above account for how many were compared." : ""}`,
        ),
        tableDetails("Table of all compared cases", CASE_COLUMNS, all),
      ),
    ],
    start: facets.start,
  };
}
