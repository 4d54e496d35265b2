// Who is slow with whom: a cell for every two ranks, which stand by region, zone, group and host, so that a slow host
// is a cross and a slow path between two racks is a block.
import { makeFigure, tooltip } from "./charts.js";
import { h, section, select, table, tableDetails } from "./dom.js";
import {
  formatBandwidth,
  formatInterval,
  formatMicroseconds,
  formatSize,
  formatTick,
  formatTime,
  formatTimeTick,
  isNumber,
} from "./format.js";
import { extent, median } from "./numbers.js";

// The ranks of a file in the order of the axes.
function orderRanks(file) {
  const hosts = file.hosts ?? [];
  const place = ({ host }) => {
    const facts = hosts[host] ?? {};
    return [facts.region, facts.zone, facts.placement_group, facts.partition, facts.network_path]
      .map((value) => String(value ?? ""))
      .join("\n");
  };
  return (file.ranks ?? [])
    .slice()
    .sort(
      (a, b) => place(a).localeCompare(place(b)) || a.host - b.host || a.local_rank - b.local_rank || a.rank - b.rank,
    );
}

const rankName = (file, rank) => `rank ${rank} (${file.hosts?.[file.ranks?.[rank]?.host]?.hostname ?? "?"})`;
const between = (file, cell) => file.ranks?.[cell.a]?.host !== file.ranks?.[cell.b]?.host;

// What a pair's time means, by what it did.
const FIGURES = {
  time: {
    name: "median time",
    title: "Median time",
    of: (cell) => cell.time,
    tick: formatTimeTick,
    show: formatTime,
    higher: false,
  },
  half: {
    name: "half of the round trip",
    title: "Half of the round trip",
    of: (cell) => cell.time / 2,
    tick: formatTimeTick,
    show: formatTime,
    higher: false,
  },
  tail: {
    name: "99th percentile",
    title: "99th percentile",
    of: (cell) => cell.p99,
    tick: formatTimeTick,
    show: formatTime,
    higher: false,
  },
  bandwidth: {
    name: "bandwidth",
    title: "Bandwidth",
    of: (cell) => (cell.size ? cell.size / cell.time : null),
    tick: (value) => `${formatTick(value)} GB/s`,
    show: (value) => `${formatBandwidth(value)} GB/s`,
    higher: true,
  },
};

// Every matrix in the results: [{name, file, cells: [{a, b, time, low, high, p99, size}], figures}].
function findMatrices(model) {
  const matrices = new Map();
  const matrix = (key, make) => matrices.get(key) ?? matrices.set(key, make()).get(key);
  for (const file of model.files) {
    const pairs = file.pairs ?? {};
    const where = model.files.length > 1 ? `, ${file.name}` : "";
    (pairs.case_id ?? []).forEach((id, index) => {
      const row = file.rows.get(id);
      if (!row?.finished || !isNumber(pairs.median_ns[index])) return;
      const pairing = /^round /.test(row.pairing) ? "all pairs" : row.pairing;
      const words = [
        row.collective,
        formatSize(row.size_bytes),
        row.line?.what,
        pairing,
        row.congestor && `background ${row.congestor}`,
      ];
      const name = words.filter(Boolean).join(", ") + where;
      const figures = row.collective === "pingpong" ? ["half", "tail"] : ["bandwidth", "time", "tail"];
      const cells = matrix(`${file.index}\n${name}`, () => ({ name, file, cells: [], figures })).cells;
      const cell = {
        a: pairs.rank_a[index],
        b: pairs.rank_b[index],
        time: pairs.median_ns[index],
        low: pairs.ci_low_ns[index],
        high: pairs.ci_high_ns[index],
        p99: pairs.p99_ns[index],
        size: row.size_bytes,
      };
      cells.push(cell);
      if (row.collective !== "stream") cells.push({ ...cell, a: cell.b, b: cell.a, mirrored: true });
    });
    const links = file.links ?? {};
    (links.source ?? []).forEach((source, index) => {
      const name = `probe of the links, 8 B, one way, ${links.transport[index]}${where}`;
      const cells = matrix(`${file.index}\n${name}`, () => ({ name, file, cells: [], figures: ["time"] })).cells;
      cells.push({
        a: source,
        b: links.target[index],
        time: links.delay_ns[index],
        low: null,
        high: null,
        p99: null,
        size: 8,
      });
    });
  }
  return [...matrices.values()];
}

function describeCell(chosen, figure, cell) {
  const { file } = chosen;
  const lines = [
    `${rankName(file, cell.a)} to ${rankName(file, cell.b)}`,
    `${figure.name} ${figure.show(figure.of(cell))}`,
  ];
  if (isNumber(cell.low))
    lines.push(`median time ${formatTime(cell.time)}, 95% interval ${formatInterval(cell.low, cell.high)}`);
  return lines;
}

// The borders of hosts, as lines over the map.
function borderSeries(ranks, colour) {
  const borders = ranks
    .map((_, index) => index)
    .filter((index) => index > 0 && ranks[index].host !== ranks[index - 1].host);
  return {
    type: "custom",
    silent: true,
    data: borders.map((index) => [index]),
    renderItem: (params, api) => {
      const { x, y, width, height } = params.coordSys;
      const share = api.value(0) / ranks.length;
      const stroke = (x1, y1, x2, y2) => ({
        type: "line",
        shape: { x1, y1, x2, y2 },
        style: { stroke: colour, lineWidth: 1 },
      });
      const [across, down] = [x + share * width, y + share * height];
      return { type: "group", children: [stroke(across, y, across, y + height), stroke(x, down, x + width, down)] };
    },
  };
}

// Ranks are named where there is room for it, else hosts.
function rankAxis(file, ranks, byHost, name, colours, more) {
  const label = (text) => {
    const index = Number(text);
    if (!byHost) return String(ranks[index].rank);
    if (ranks[index].host === ranks[index - 1]?.host) return "";
    return String(file.hosts?.[ranks[index].host]?.hostname ?? "").slice(0, 12);
  };
  return {
    type: "category",
    data: ranks.map((_, index) => String(index)),
    axisLabel: { formatter: label, interval: 0, color: colours.muted, fontSize: 11, rotate: more.rotate },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: false },
    name,
    nameLocation: "middle",
    nameGap: byHost ? 70 : 26,
    nameTextStyle: { color: colours.muted, fontSize: 11 },
    ...more,
  };
}

// The colours from one end of the figures to the other; the figures are logarithms.
function colourBar(figure, low, high, colours, width) {
  const end = (value) => figure.tick(Number((10 ** value).toPrecision(3)));
  return {
    type: "continuous",
    dimension: 2,
    min: low,
    max: high > low ? high : low + 0.01,
    inRange: { color: figure.higher ? colours.ramp.slice().reverse() : colours.ramp },
    orient: "horizontal",
    left: "center",
    bottom: 4,
    itemWidth: 12,
    itemHeight: Math.min(220, width - 200),
    text: [end(high), end(low)],
    textStyle: { color: colours.text, fontSize: 11 },
    calculable: false,
    hoverLink: false,
  };
}

function matrixChart(chosen, figure, colours, width) {
  const ranks = orderRanks(chosen.file);
  const position = new Map(ranks.map((rank, index) => [rank.rank, index]));
  const cells = chosen.cells.filter((cell) => figure.of(cell) > 0 && position.has(cell.a) && position.has(cell.b));
  if (cells.length === 0) return null;
  const [low, high] = extent(cells.map((cell) => Math.log10(figure.of(cell))));
  const byHost = ranks.length > width / 26;
  return {
    grid: { left: byHost ? 92 : 46, right: 10, top: 10, bottom: byHost ? 150 : 104 },
    xAxis: rankAxis(chosen.file, ranks, byHost, "to rank", colours, { rotate: byHost ? 60 : 0 }),
    yAxis: rankAxis(chosen.file, ranks, byHost, "from rank", colours, { inverse: true }),
    visualMap: colourBar(figure, low, high, colours, width),
    tooltip: tooltip(colours, ({ data }) => data?.of && describeCell(chosen, figure, data.of())),
    series: [
      {
        type: "heatmap",
        data: cells.map((cell) => ({
          value: [position.get(cell.b), position.get(cell.a), Math.log10(figure.of(cell))],
          of: () => cell,
        })),
        itemStyle: { borderColor: colours.page, borderWidth: ranks.length > 48 ? 0 : 1 },
        progressive: 0,
      },
      borderSeries(ranks, colours.text),
    ],
  };
}

// "The slowest: rank 3 (a) to rank 5 (b), 41 µs, 3.2 times the median of pairs between hosts."
function slowest(chosen, figure) {
  const kinds = [true, false].map((across) =>
    chosen.cells.filter((cell) => between(chosen.file, cell) === across && figure.of(cell) > 0),
  );
  const sentences = kinds.map((cells, index) => {
    if (cells.length < 3) return null;
    const typical = median(cells.map((cell) => figure.of(cell)));
    const worse = (cell) => (figure.higher ? typical / figure.of(cell) : figure.of(cell) / typical);
    const worst = cells.reduce((most, cell) => (worse(cell) > worse(most) ? cell : most));
    const kind = index === 0 ? "between hosts" : "within a host";
    return `Pairs ${kind}: median ${figure.show(typical)}; the worst, ${rankName(chosen.file, worst.a)} to ${rankName(chosen.file, worst.b)}, ${figure.show(figure.of(worst))} (${worse(worst).toFixed(2)} times worse).`;
  });
  return sentences.filter(Boolean).join(" ");
}

const WORST = 10;

// The slowest pairs beside the map, each once.
function worstTable(chosen, figure) {
  const cells = chosen.cells.filter((cell) => !cell.mirrored && figure.of(cell) > 0);
  cells.sort((a, b) => (figure.higher ? figure.of(a) - figure.of(b) : figure.of(b) - figure.of(a)));
  const columns = [
    { name: "from", cell: (cell) => rankName(chosen.file, cell.a) },
    { name: "to", cell: (cell) => rankName(chosen.file, cell.b) },
    { name: figure.name, number: true, cell: (cell) => figure.show(figure.of(cell)) },
  ];
  return [
    h("h3", null, "The slowest pairs"),
    h("div", { class: "scroll" }, table(null, columns, cells.slice(0, WORST))),
  ];
}

const cellColumns = (file) => [
  { name: "from", cell: (cell) => rankName(file, cell.a) },
  { name: "to", cell: (cell) => rankName(file, cell.b) },
  { name: "median µs", number: true, cell: (cell) => formatMicroseconds(cell.time) },
  { name: "low", number: true, cell: (cell) => formatMicroseconds(cell.low) },
  { name: "high", number: true, cell: (cell) => formatMicroseconds(cell.high) },
  { name: "p99", number: true, cell: (cell) => formatMicroseconds(cell.p99) },
  { name: "GB/s", number: true, cell: (cell) => formatBandwidth(cell.size / cell.time) },
];

export function makePairs(model) {
  const matrices = findMatrices(model);
  if (matrices.length === 0) return { sections: [], start() {} };
  let chosen = matrices[0];
  let [figureName] = chosen.figures;
  const choices = h("div", { class: "choices" });
  const note = h("p", { class: "note" });
  const figures = h("div");
  const worst = h("div");
  const chart = makeFigure({
    title: "All pairs",
    canvas: true,
    height: (width) => Math.min(width, 620) * 0.92 + 60,
    option: (colours, width) => matrixChart(chosen, FIGURES[figureName], colours, width),
  });
  chart.figure.classList.add("square");
  const redraw = () => {
    const again = choices.contains(document.activeElement)
      ? [...choices.querySelectorAll("select")].indexOf(document.activeElement)
      : -1;
    if (!chosen.figures.includes(figureName)) [figureName] = chosen.figures;
    const controls = [];
    if (matrices.length > 1)
      controls.push(
        select(
          "Matrix",
          matrices.map((matrix, index) => [index, matrix.name]),
          matrices.indexOf(chosen),
          (value) => {
            chosen = matrices[Number(value)];
            redraw();
          },
        ),
      );
    const usable = chosen.figures.filter((name) => chosen.cells.some((cell) => isNumber(FIGURES[name].of(cell))));
    if (usable.length > 1)
      controls.push(
        select(
          "Figure",
          usable.map((name) => [name, FIGURES[name].name]),
          figureName,
          (value) => {
            figureName = value;
            redraw();
          },
        ),
      );
    choices.replaceChildren(...controls);
    if (again >= 0) choices.querySelectorAll("select")[again]?.focus();
    chart.setTitle(FIGURES[figureName].title, chosen.name);
    note.textContent = `${slowest(chosen, FIGURES[figureName])} The stronger a colour, the slower the pair. Lines part hosts; a cell without colour was not measured.`;
    worst.replaceChildren(...worstTable(chosen, FIGURES[figureName]));
    figures.replaceChildren(
      tableDetails(
        "Table of these pairs",
        cellColumns(chosen.file),
        chosen.cells.filter((cell) => !cell.mirrored),
      ),
    );
    chart.draw();
  };
  return {
    sections: [
      section("pairs", "All pairs", null, choices, h("div", { class: "beside" }, chart.figure, worst), note, figures),
    ],
    start: redraw,
  };
}
