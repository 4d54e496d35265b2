// What was measured, when and where; what casts doubt on it; and everything that is known of how it was made.
import { h, section, table } from "./dom.js";
import { formatCount, formatDate, formatGiB, formatSize, isNumber, plural } from "./format.js";
import { distinct } from "./model.js";

const NAMED_MAX = 4;
// The margins of `ringside show`: a time counts as known when the clocks agree to a tenth of it.
const CLOCK_MARGIN = 10;
const WIDE_INTERVAL = 0.1;

function list(values, most = NAMED_MAX) {
  const named = values.slice(0, most).join(", ");
  return values.length > most ? `${named} and ${values.length - most} more` : named;
}

// ---- header ---------------------------------------------------------------------------------------------------------

const hostsOf = (set) => set.files.flatMap((file) => file.hosts ?? []);
const across = (set, field) => distinct(hostsOf(set).map((host) => host[field]).filter((value) => value !== null && value !== undefined && value !== -1 && value !== ""));

function ranksPhrase(set) {
  const counts = distinct(set.files.map((file) => `${(file.ranks ?? []).length} on ${plural((file.hosts ?? []).length, "host")}`));
  return list(counts);
}

function devicePhrase(set) {
  const devices = set.files.flatMap((file) => file.rank_devices ?? []);
  const phrases = devices.map((device) => {
    const speed = device.speed_mbit > 0 ? `${device.speed_mbit / 1000} Gbit/s` : null;
    const mtu = device.mtu > 0 ? `mtu ${device.mtu}` : null;
    const extra = [device.driver, device.congestion, mtu, speed].filter(Boolean).join(", ");
    return `${device.transport}${device.interface ? ` over ${device.interface}` : ""}${extra ? ` (${extra})` : ""}`;
  });
  return list(distinct(phrases), 3);
}

function machinePhrase(set) {
  return list(distinct(hostsOf(set).map((host) => [host.cpu, host.cores && plural(host.cores, "core"), formatGiB(host.memory_bytes)].filter(Boolean).join(", "))), 2);
}

const FACTS = [
  ["files", (set) => `${plural(set.files.length, "launch", "launches")}: ${list(set.files.map((file) => file.name), 3)}`],
  ["measured", (set) => list(distinct(set.files.map((file) => formatDate(file.created))).sort(), 3)],
  ["ranks", ranksPhrase],
  ["hosts", (set) => list(across(set, "hostname"))],
  ["instance type", (set) => list(across(set, "instance_type"))],
  ["zone", (set) => list(across(set, "zone"))],
  ["placement group", (set) => list(across(set, "placement_group"))],
  ["labels", (set) => distinct(set.files.flatMap((file) => Object.entries(file.attributes ?? {}).filter(([key]) => key.startsWith("label.")).map(([key, value]) => `${key.slice(6)} = ${value}`))).join(", ")],
  ["transports", devicePhrase],
  ["machine", machinePhrase],
  ["kernel", (set) => list(across(set, "kernel"), 2)],
  ["congestion control", (set) => list(across(set, "congestion_control"))],
  ["ringside", (set) => list(distinct(set.files.map((file) => file.ringside_version)))],
  ["cases", (set) => casesPhrase(set)],
];

function casesPhrase(set) {
  const rows = set.files.flatMap((file) => [...file.rows.values()]);
  const finished = rows.filter((row) => row.finished);
  const verified = finished.filter((row) => row.verified === 1);
  return `${formatCount(finished.length)} of ${formatCount(rows.length)} finished, ${formatCount(verified.length)} with checked data`;
}

// A row per fact, a column per set; what differs stands out.
function factTable(model) {
  const rows = FACTS.map(([name, of]) => ({ name, values: model.sets.map(of) })).filter((row) => row.values.some(Boolean));
  const head = model.sets.length > 1 && h("thead", null, h("tr", null, h("td"), model.sets.map((set) => h("th", { scope: "col" }, set.name))));
  const cells = (row) => {
    const differs = distinct(row.values).length > 1;
    return row.values.map((value) => h("td", { class: differs && "differs" }, value || "unknown"));
  };
  return h("div", { class: "scroll" }, h("table", { class: "facts" }, head, h("tbody", null, rows.map((row) => h("tr", null, h("th", { scope: "row" }, row.name), cells(row))))));
}

export function makeHeader(model, controls) {
  const benchmarks = distinct(model.planned.map((row) => (row.benchmark === "reduce" ? "reduction kernels" : row.collective)));
  const ranks = distinct(model.files.map((file) => (file.ranks ?? []).length)).sort((a, b) => a - b);
  const hosts = distinct(model.files.map((file) => (file.hosts ?? []).length)).sort((a, b) => a - b);
  const title = `${list(benchmarks, 6) || "Nothing measured"}: ${ranks.join(", ")} ranks on ${hosts.join(", ")} host${hosts.join() === "1" ? "" : "s"}`;
  document.title = `${title} (ringside)`;
  return h("header", null, h("div", { class: "bar" }, h("span", { class: "brand" }, "ringside report"), controls), h("h1", null, title), factTable(model));
}

// ---- warnings -------------------------------------------------------------------------------------------------------

function caseName(row) {
  const what = row.line?.what ?? `${row.implementation}/${row.transport}`;
  return `${row.collective || "kernel"} ${what} ${formatSize(row.size_bytes)}`;
}

// tone: "bad" (do not use these figures), "caution" (read on before you do), "plain" (good to know).
function findWarnings(model) {
  const found = [];
  const add = (tone, text, rows) => found.push({ tone, text: rows ? `${text}: ${list(rows.map(caseName))}.` : text });
  const { planned } = model;
  const all = planned.length;
  const some = (test) => planned.filter(test);
  const failed = some((row) => row.finished && row.verified === -1);
  const unchecked = some((row) => row.finished && row.verified === 0);
  const unfinished = some((row) => !row.finished);
  const finished = some((row) => row.finished && isNumber(row.median_ns));
  const clock = finished.filter((row) => row.sync_error_ns > 0 && row.median_ns < CLOCK_MARGIN * row.sync_error_ns);
  const local = finished.filter((row) => row.sync_error_ns < 0 && row.rank_count > 1);
  const shifted = finished.filter((row) => row.level_shift);
  const wide = finished.filter((row) => (row.ci_high_ns - row.ci_low_ns) / 2 > WIDE_INTERVAL * row.median_ns);
  const partial = model.files.filter((file) => file.status !== "complete");
  if (failed.length > 0) add("bad", `${plural(failed.length, "case")} of ${all} FAILED verification: the data came out wrong, so no time is shown`, failed);
  if (planned.some((row) => row.emulated)) add("bad", "Some cases ran over an EMULATED network: their times say nothing about the real one.");
  if (partial.length > 0) add("caution", `${plural(partial.length, "run")} not ended normally, or still going on: ${list(partial.map((file) => file.name))}.`);
  if (unfinished.length > 0) add("caution", `${plural(unfinished.length, "case")} of ${all} did not finish`, unfinished);
  if (clock.length > 0) add("caution", `${plural(clock.length, "case")} shorter than ${CLOCK_MARGIN} times the error of the common clock: read these times as upper bounds`, clock);
  if (local.length > 0) add("caution", `${plural(local.length, "case")} without a common clock: their times are the longest duration of any one rank.`);
  if (unchecked.length > 0) add("caution", `${plural(unchecked.length, "case")} of ${all} not checked: the data may be wrong.`);
  for (const text of crowdedHosts(model)) add("caution", text);
  if (wide.length > 0) add("plain", `${plural(wide.length, "case")} known to no better than ±${100 * WIDE_INTERVAL}%`, wide);
  if (shifted.length > 0) add("plain", `${plural(shifted.length, "case")} changed level while being measured`, shifted);
  if (model.data.stride > 1) add("plain", `This page holds every ${model.data.stride}th of ${formatCount(model.data.iterations)} iterations, to stay small; its figures are of all.`);
  for (const text of environmentDifferences(model)) add("caution", text);
  return found;
}

// More ranks than cores: they wait for one another, which no network does.
function crowdedHosts(model) {
  const crowded = new Set();
  for (const file of model.files) {
    const machines = new Map();
    for (const rank of file.ranks ?? []) {
      const host = file.hosts?.[rank.host] ?? {};
      const key = host.boot_id ?? host.hostname;
      const machine = machines.get(key) ?? { ranks: 0, host };
      machine.ranks += 1;
      machines.set(key, machine);
    }
    for (const { ranks, host } of machines.values())
      if (host.cores > 0 && ranks > host.cores) crowded.add(`${host.hostname} (${plural(ranks, "rank")}, ${plural(host.cores, "core")})`);
  }
  return crowded.size > 0 ? [`More ranks than cores, so ranks waited for a core: ${list([...crowded])}.`] : [];
}

const HOST_FIELDS = ["kernel", "cpu", "instance_type", "congestion_control", "memory_bytes", "numa_nodes"];
const VOLATILE = /^(cpu\.frequency_khz|memory\.swap_used_bytes)$/;

// Between sets, when nothing has judged them already.
function environmentDifferences(model) {
  if ((model.comparison?.environment ?? []).length > 0 || model.sets.length < 2) return [];
  const differing = [];
  const values = (set, field) => distinct(hostsOf(set).map((host) => String(host[field] ?? ""))).sort().join(" / ");
  for (const field of HOST_FIELDS) if (distinct(model.sets.map((set) => values(set, field))).length > 1) differing.push(field.replace("_", " "));
  const facts = (set, key) => distinct(set.files.flatMap((file) => (file.environment ?? []).filter((fact) => fact[1] === key).map((fact) => fact[2]))).sort().join(" / ");
  const keys = distinct(model.files.flatMap((file) => (file.environment ?? []).map((fact) => fact[1]))).filter((key) => !VOLATILE.test(key));
  for (const key of keys) if (distinct(model.sets.map((set) => facts(set, key))).length > 1) differing.push(key);
  const versions = distinct(model.sets.map((set) => distinct(set.files.map((file) => file.ringside_version)).join()));
  if (versions.length > 1) differing.push("version of ringside");
  return differing.length > 0 ? [`The lines differ in more than their names, and that may be the cause: ${list(differing, 8)}.`] : [];
}

const TONES = { bad: "Wrong", caution: "Caution", plain: "Note" };

export function makeWarnings(model) {
  const warnings = findWarnings(model);
  if (warnings.length === 0) return section("warnings", "Before you read on", "Nothing casts doubt on these figures: every case finished, its data was checked, and the clocks agreed.");
  return section("warnings", "Before you read on", null, h("ul", { class: "warnings" }, warnings.map(({ tone, text }) => h("li", { class: `warning ${tone}` }, h("strong", null, `${TONES[tone]}: `), text))));
}

// ---- provenance -----------------------------------------------------------------------------------------------------

function provenanceOf(file) {
  const facts = [["file", file.file], ["run", file.run_uuid], ["created", file.created], ["status", file.status], ["command", file.command_line], ...Object.entries(file.attributes ?? {}).sort()];
  const environment = (file.environment ?? []).map(([host, key, value]) => ({ host: file.hosts?.[host]?.hostname ?? String(host), key, value }));
  const columns = [
    { name: "host", cell: (fact) => fact.host },
    { name: "what", cell: (fact) => fact.key },
    { name: "value", wide: true, cell: (fact) => fact.value },
  ];
  return h(
    "details",
    { class: "file" },
    h("summary", null, file.name),
    h("div", { class: "scroll" }, h("table", { class: "facts" }, h("tbody", null, facts.map(([name, value]) => h("tr", null, h("th", { scope: "row" }, name), h("td", null, String(value ?? ""))))))),
    environment.length > 0 && h("details", null, h("summary", null, "How the hosts were set up"), h("div", { class: "scroll" }, table(null, columns, environment))),
    h("details", null, h("summary", null, "The resolved configuration"), h("pre", { tabindex: 0 }, file.config ?? "")),
  );
}

export function makeProvenance(model) {
  const lead = `This page was made ${formatDate(model.data.made)} by ringside ${model.data.ringside_version} from ${plural(model.files.length, "file")}. The files hold every sample; the page holds what its charts need.`;
  return section("provenance", "Provenance", lead, model.files.map(provenanceOf));
}

