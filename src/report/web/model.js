// The results as the page thinks of them:
//   file   one launch                         set    files that share their placement and labels, or one side of --with
//   line   what ran, by what, in which set    facet  the fields that must agree for figures to share a chart
//   point  a line at one size: one row of /cases per launch
import { isNumber } from "./format.js";
import { launchInterval, median } from "./numbers.js";

// Read the file's own way: what it does not know of a case is the default here.
const CASE_DEFAULTS = { root: -1, pairing: "", congestor: "", benchmark: "collective", peer_a: -1, peer_b: -1 };

const QUIET_FIRST = ["", "none"];
const byQuiet = (value) => (QUIET_FIRST.includes(value) ? QUIET_FIRST.indexOf(value) : QUIET_FIRST.length);

// In the order in which they are chosen. `show` turns a value into words; the first value by `order` is the default.
export const FACETS = [
  { field: "collective", name: "Collective", show: (value) => value || "(none)" },
  { field: "mode", name: "Mode", show: (value) => value },
  { field: "datatype", name: "Datatype", show: (value) => value },
  { field: "operation", name: "Operation", show: (value) => value || "no reduction" },
  { field: "in_place", name: "Buffers", show: (value) => (value ? "in place" : "out of place") },
  { field: "rank_count", name: "Ranks", show: (value) => `${value} ranks` },
  { field: "measured_ranks", name: "Measured", show: (value) => `${value} ranks measured`, order: (a, b) => b - a },
  { field: "order", name: "Rank order", show: (value) => `${value || "default"} order` },
  { field: "root", name: "Root", show: (value) => (value < 0 ? "no root" : `root ${value}`) },
  { field: "pairing", name: "Pairs", show: (value) => value || "all ranks" },
  {
    field: "congestor",
    name: "Background",
    show: (value) => congestorName(value),
    order: (a, b) => byQuiet(a) - byQuiet(b),
  },
  { field: "emulated", name: "Network", show: (value) => (value ? "EMULATED network" : "real network") },
];

function congestorName(value) {
  if (value === "") return "no background traffic";
  return value === "none" ? "quiet" : `under ${value}`;
}

const PLACEMENT = ["placement_group", "instance_type", "region", "zone", "partition"];

function labelsOf(file) {
  const labels = Object.entries(file.attributes ?? {}).filter(([key]) => key.startsWith("label."));
  return labels.map(([key, value]) => [key.slice("label.".length), value]);
}

export const distinct = (values) => [...new Set(values)];

// What sets files apart: [[name, value]].
function placementOf(file) {
  const hosts = file.hosts ?? [];
  const facts = PLACEMENT.map((field) => {
    const values = distinct(hosts.map((host) => host[field]).filter((value) => value !== null && value !== -1));
    return [field.replace("_", " "), values.join("+")];
  });
  return [...labelsOf(file), ...facts, ["hosts", String(hosts.length)]].filter(([, value]) => value !== "");
}

const baseName = (path) =>
  String(path ?? "")
    .replace(/^.*\//, "")
    .replace(/\.h5$/, "");

function factName(facts, field) {
  const value = facts.get(field);
  if (value === undefined) return `no ${field}`;
  return field === "hosts" ? `${value} host${value === "1" ? "" : "s"}` : value;
}

// As few facts as tell the sets apart, labels first.
function nameSets(sets) {
  const facts = sets.map((set) => new Map(set.facts));
  const fields = distinct(facts.flatMap((map) => [...map.keys()]));
  let names = sets.map(() => "");
  for (const field of fields) {
    const longer = names.map((name, index) => [name, factName(facts[index], field)].filter(Boolean).join(", "));
    if (distinct(longer).length > distinct(names).length) names = longer;
  }
  sets.forEach((set, index) => {
    set.name = names[index];
  });
}

function makeSets(files, compared) {
  const sets = new Map();
  for (const file of files) {
    const facts = placementOf(file);
    const key = compared ? file.side : JSON.stringify(facts);
    if (!sets.has(key)) sets.set(key, { index: sets.size, files: [], facts });
    const set = sets.get(key);
    set.files.push(file);
    file.set = set;
  }
  const list = [...sets.values()];
  if (compared) for (const set of list) set.name = set.files[0].side;
  else nameSets(list);
  return list;
}

// What tells a line from others: an algorithm or a chunk that was chosen for the size does not.
const lineAlgorithm = (row) => (row.implementation === "auto" ? "" : row.algorithm);
const lineChunk = (row) => (row.chunk_auto ? "auto" : row.chunk_bytes === 0 ? "uncut" : `${row.chunk_bytes / 1024} KiB`);

// ring/tcp, mpi:linear, auto/tcp, tree/tcp chunk 64 KiB: as `ringside show` names a column.
function implementationName(row, varied) {
  let name = row.implementation;
  const algorithm = lineAlgorithm(row);
  if (algorithm && algorithm !== row.implementation) name += `:${algorithm}`;
  if (row.transport && row.transport !== row.implementation) name += `/${row.transport}`;
  if (varied.chunk) name += lineChunk(row) === "uncut" ? " uncut" : ` chunk ${lineChunk(row)}`;
  if (varied.lanes) name += ` ${row.lanes} lane${row.lanes === 1 ? "" : "s"}`;
  return name;
}

function makeLines(rows, sets) {
  const programs = new Map();
  for (const row of rows) {
    const program = [row.implementation, lineAlgorithm(row), row.transport].join("\n");
    if (!programs.has(program)) programs.set(program, { chunks: new Set(), lanes: new Set() });
    programs.get(program).chunks.add(lineChunk(row));
    programs.get(program).lanes.add(row.lanes);
    row.program = program;
  }
  const lines = new Map();
  for (const row of rows) {
    const { chunks, lanes } = programs.get(row.program);
    const what = implementationName(row, { chunk: chunks.size > 1, lanes: lanes.size > 1 });
    const key = `${what}\n${row.file.set.index}`;
    if (!lines.has(key)) {
      const set = row.file.set;
      lines.set(key, { key, what, set, name: set.name ? `${what}, ${set.name}` : what });
    }
    row.line = lines.get(key);
  }
  // Colour and mark tell what ran, dashes and hollow marks the set; unless the set is all that differs.
  const list = [...lines.values()].sort((a, b) => a.set.index - b.set.index);
  const whats = distinct(list.map((line) => line.what));
  list.forEach((line) => {
    line.colour = whats.length === 1 ? line.set.index : whats.indexOf(line.what);
    line.dash = sets.length > 1 ? line.set.index : 0;
    line.shape = line.colour;
    line.hollow = whats.length > 1 && line.set.index % 2 === 1;
  });
  return list.sort((a, b) => whats.indexOf(a.what) - whats.indexOf(b.what) || a.set.index - b.set.index);
}

export function makeModel(data) {
  const compared = (data.files ?? []).length > data.baseline_count;
  const files = (data.files ?? []).map((file, index) => {
    file.index = index;
    file.name = baseName(file.file);
    file.side = index < data.baseline_count ? "baseline" : "candidate";
    file.samplesOf = new Map((file.samples ?? []).map((sample) => [sample.case_id, sample]));
    return file;
  });
  const sets = makeSets(files, compared);
  const planned = files.flatMap((file) =>
    (file.cases ?? []).map((row) => ({ ...CASE_DEFAULTS, measured_ranks: row.rank_count, ...row, file })),
  );
  for (const file of files) file.rows = new Map();
  for (const row of planned) row.file.rows.set(row.case_id, row);
  const usable = planned.filter((row) => row.finished && row.verified !== -1 && isNumber(row.median_ns));
  const sweep = usable.filter((row) => row.benchmark !== "reduce");
  return {
    data,
    files,
    sets,
    compared,
    planned,
    usable,
    sweep,
    kernels: usable.filter((row) => row.benchmark === "reduce"),
    lines: makeLines(usable, sets),
    comparison: data.comparison ?? null,
  };
}

// The rows that agree with `chosen` in every facet, and for every facet the values it could have. A choice that is not
// there (any more) becomes the first that is.
export function chooseFacets(rows, chosen) {
  const facets = [];
  let left = rows;
  for (const facet of FACETS) {
    const values = distinct(left.map((row) => row[facet.field]));
    if (facet.order) values.sort(facet.order);
    const value = values.find((candidate) => String(candidate) === String(chosen[facet.field])) ?? values[0];
    facets.push({ ...facet, values, value });
    left = left.filter((row) => row[facet.field] === value);
  }
  return { facets, rows: left };
}

// The points of some rows, by line and rising size. One launch: the interval of its case. Several: the median of their
// medians, and the interval over launches.
export function makePoints(rows) {
  const points = new Map();
  for (const row of rows) {
    const key = `${row.line.key}\n${row.size_bytes}`;
    if (!points.has(key)) points.set(key, { line: row.line, size: row.size_bytes, rows: [] });
    points.get(key).rows.push(row);
  }
  for (const point of points.values()) {
    const times = point.rows.map((row) => row.median_ns);
    const [first] = point.rows;
    point.time = median(times);
    const bandwidth = first.busbw_gb_s ?? first.algbw_gb_s;
    point.perTime = isNumber(bandwidth) ? bandwidth * first.median_ns : null; // bandwidth = perTime / time
    const interval = times.length > 1 ? launchInterval(times) : { low: first.ci_low_ns, high: first.ci_high_ns };
    point.low = interval.low;
    point.high = interval.high;
    point.range = interval.range === true;
  }
  return [...points.values()].sort((a, b) => a.size - b.size);
}

export const FLAG = { warmUp: 1, late: 2, checked: 4, uncovered: 8 };

// The iterations of a case in order: {time (ns of one operation), start (s since the first), flags}, as arrays.
export function samplesOf(row) {
  const sample = row.file.samplesOf.get(row.case_id);
  if (!sample || !sample.ns) return null;
  const count = sample.ns.length;
  const time = new Float64Array(count);
  const start = new Float64Array(count);
  const flags = new Uint8Array(count);
  let elapsed = 0;
  for (let i = 0; i < count; i += 1) {
    elapsed += sample.after_us[i];
    flags[i] = parseInt(sample.flags[i], 16);
    // The first warm-up iterations of a streaming case are one operation; the file does not tell them from later ones.
    time[i] = sample.ns[i] / (row.batch || 1);
    start[i] = elapsed / 1e6;
  }
  return { time, start, flags, count };
}

export const hostsOf = (set) => set.files.flatMap((file) => file.hosts ?? []);
