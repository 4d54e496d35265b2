// What background traffic does to a case: its time over that of its quiet twin.
import { grid, logAxis, makeFigure, sizeAxis, tooltip, intervalSeries } from "./charts.js";
import { h, section, select, tableDetails } from "./dom.js";
import { facetSentence, makeFacets } from "./facets.js";
import { formatMicroseconds, formatRatio, formatSize, isNumber } from "./format.js";
import { distinct, makePoints } from "./model.js";
import { extent } from "./numbers.js";
import { markStyle } from "./theme.js";

// Each loaded point beside its quiet twin: [{line, size, congestor, quiet, loaded, ratio, low, high}].
function findSlowdowns(rows) {
  const quiet = new Map(
    makePoints(rows.filter((row) => row.congestor === "none")).map((point) => [
      `${point.line.key}\n${point.size}`,
      point,
    ]),
  );
  const congestors = distinct(rows.map((row) => row.congestor)).filter((name) => name !== "" && name !== "none");
  return congestors.flatMap((congestor) =>
    makePoints(rows.filter((row) => row.congestor === congestor)).flatMap((loaded) => {
      const twin = quiet.get(`${loaded.line.key}\n${loaded.size}`);
      if (!twin) return [];
      const tail = (point) => (point.rows.length === 1 ? point.rows[0].p99_ns : null);
      return [
        {
          line: loaded.line,
          size: loaded.size,
          congestor,
          quiet: twin.time,
          loaded: loaded.time,
          ratio: loaded.time / twin.time,
          low: loaded.low / twin.high,
          high: loaded.high / twin.low,
          tail: isNumber(tail(loaded)) && isNumber(tail(twin)) ? tail(loaded) / tail(twin) : null,
        },
      ];
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
  const [low, high] = extent(
    slowdowns.flatMap((one) => [one.ratio, one.low, one.high].filter((value) => value > 0)).concat([1]),
  );
  const series = distinct(slowdowns.map((one) => one.congestor)).flatMap((congestor, index) => {
    const mine = slowdowns.filter((one) => one.congestor === congestor);
    const colour = colours.lines[index % colours.lines.length];
    const at = (one) => Math.log2(Math.max(one.size, 1));
    const bars = mine
      .filter((one) => one.low > 0 && isNumber(one.high))
      .map((one) => [at(one), Math.log10(one.low), Math.log10(one.high)]);
    return [
      {
        type: "line",
        name: congestor,
        data: mine.map((one) => ({ value: [at(one), Math.log10(one.ratio)], of: () => one })),
        ...markStyle({ shape: index }, colour, colours),
        symbolSize: 8,
        lineStyle: { color: colour, width: 2 },
        endLabel: { show: true, formatter: congestor, color: colours.text, fontSize: 11 },
        z: 3,
      },
      intervalSeries(congestor, bars, colour),
    ];
  });
  series[0].markLine = {
    silent: true,
    symbol: "none",
    label: { show: false },
    lineStyle: { color: colours.text, type: "solid", width: 1 },
    data: [{ yAxis: 0 }],
  };
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
  const chart = makeFigure({
    title: "Slowdown",
    option: (colours, width) =>
      slowdownChart(
        slowdowns.filter((one) => one.line === line),
        colours,
        width,
      ),
  });
  const redraw = (what) => {
    const lines = distinct(slowdowns.map((one) => one.line));
    if (!lines.includes(line)) [line] = lines;
    const again = choices.contains(document.activeElement);
    choices.replaceChildren(
      ...(lines.length > 1
        ? [
            select(
              "Line",
              lines.map((one, index) => [index, one.name]),
              lines.indexOf(line),
              (value) => {
                line = lines[Number(value)];
                redraw(what);
              },
            ),
          ]
        : []),
    );
    if (again) choices.querySelector("select")?.focus();
    chart.setTitle(`Slowdown of ${line?.name ?? "nothing"}`, what);
    figures.replaceChildren(tableDetails("Table of all slowdowns", SLOWDOWN_COLUMNS, slowdowns));
    chart.draw();
  };
  const twins = rows.map((row) => ({ ...row, congestor: "", own: row.congestor }));
  const facets = makeFacets(twins, ({ rows: chosen, facets: values }) => {
    slowdowns = findSlowdowns(chosen.map((row) => ({ ...row, congestor: row.own })));
    redraw(facetSentence(values));
  });
  const lead =
    "The same case while the other ranks are quiet and while they load the network. The bars hold the ratio in at least 90% of runs.";
  return {
    sections: [
      section("congestion", "Slowdown under background traffic", lead, facets.box, choices, chart.figure, figures),
    ],
    start: facets.start,
  };
}
