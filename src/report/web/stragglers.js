// Who keeps the others waiting.
import { categoryAxis, grid, linearAxis, makeFigure, tooltip } from "./charts.js";
import { section, tableDetails } from "./dom.js";
import { formatPercent, formatTime, plural } from "./format.js";

const PHRASES = { entered: "entered last", left: "left last", took: "took longest" };
const RANKS_DRAWN = 12;

function straggler(file, rank, several) {
  return {
    ...rank,
    file,
    judged: file.stragglers.cases_judged,
    name: `rank ${rank.rank} on ${rank.hostname}, ${PHRASES[rank.what] ?? rank.what}${several ? ` (${file.name})` : ""}`,
  };
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
    xAxis: linearAxis(
      "share of iterations in which it was the last",
      colours,
      (value) => `${Math.round(100 * value)}%`,
      { min: 0, max: 1 },
    ),
    yAxis: categoryAxis(
      drawn.map((rank) => (narrow ? `rank ${rank.rank}, ${rank.what}` : rank.name)),
      undefined,
      colours,
      {
        axisLabel: { color: colours.text, fontSize: 12, width: narrow ? 90 : 240, overflow: "truncate" },
        axisTick: { show: false },
      },
    ),
    tooltip: tooltip(colours, ({ data }) => data?.of && describeStraggler(data.of())),
    series: [
      {
        type: "bar",
        barMaxWidth: 18,
        data: drawn.map((rank) => ({
          value: rank.share,
          of: () => rank,
          itemStyle: { color: rank.run_wide ? colours.bad : colours.lines[0] },
        })),
        label: {
          show: true,
          position: "right",
          color: colours.text,
          fontSize: 11,
          formatter: ({ data }) => `by ${formatTime(data.of().late_ns)}`,
        },
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
  const ranks = files.flatMap((file) =>
    (file.stragglers.ranks ?? []).map((rank) => straggler(file, rank, files.length > 1)),
  );
  ranks.sort((a, b) => Number(b.run_wide) - Number(a.run_wide) || b.cases - a.cases || b.late_ns - a.late_ns);
  const chart = makeFigure({
    title: "Ranks that keep the others waiting",
    height: 60 + 30 * Math.min(ranks.length, RANKS_DRAWN),
    option: (colours, width) => stragglerChart(ranks, colours, width),
  });
  const none =
    judged === 0
      ? "No case has enough counted iterations of several ranks to say who is late."
      : `In none of ${plural(judged, "case")} is a rank late more often than chance explains, and by more than 1%.`;
  const lead =
    "Named is a rank that was last more often than chance explains (binomial, Holm, 1%) and by over 1% of the case's median. One that shows with a single implementation may be let go last by its algorithm. A red bar: in a quarter of the cases at least.";
  const more = ranks.length > RANKS_DRAWN ? ` The chart has the first ${RANKS_DRAWN} of ${ranks.length}.` : "";
  return {
    sections: [
      ranks.length === 0
        ? section("stragglers", "Stragglers", none)
        : section(
            "stragglers",
            "Stragglers",
            lead + more,
            chart.figure,
            tableDetails("Table of these ranks", STRAGGLER_COLUMNS, ranks),
          ),
    ],
    start: () => chart.draw(),
  };
}
