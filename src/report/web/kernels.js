// Reduction kernels beside memcpy.
import { categoryAxis, grid, linearAxis, makeFigure, tooltip } from "./charts.js";
import { h, section, tableDetails } from "./dom.js";
import { facetSentence, makeFacets } from "./facets.js";
import { formatBandwidth, formatMicroseconds, formatSize, formatTime } from "./format.js";
import { makeLegend } from "./legend.js";
import { distinct, makePoints } from "./model.js";
import { lineColour } from "./theme.js";

const rate = (point) => point.size / point.time;
const describeKernel = (point) => [
  `${point.line.name}, ${formatSize(point.size)}`,
  `${formatBandwidth(rate(point))} GB/s`,
  `time ${formatTime(point.time)}`,
];

// The first set is filled, the others are pale.
function barStyle(line, colours) {
  const colour = lineColour(line, colours);
  return line.dash === 0 ? { color: colour } : { color: colour, opacity: 0.4, borderColor: colour, borderWidth: 1.5 };
}

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
      itemStyle: barStyle(line, colours),
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
    chart.setTitle("Reduction kernels", facetSentence(chosen.filter((facet) => facet.field !== "collective")));
    legend.set(model.lines.filter((line) => points.some((point) => point.line === line)));
    figures.replaceChildren(tableDetails("Table of these figures", KERNEL_COLUMNS, points));
    chart.draw();
  });
  const lead = "What the processor adds without any network. memcpy is what memory alone would allow.";
  return {
    sections: [section("kernels", "Reduction kernels", lead, facets.box, legend.box, chart.figure, figures)],
    start: facets.start,
  };
}
