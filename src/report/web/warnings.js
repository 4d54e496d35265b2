// What casts doubt on the figures.
import { h, section } from "./dom.js";
import { formatCount, formatSize, isNumber, listSome, plural } from "./format.js";
import { distinct, hostsOf } from "./model.js";

// The margins of `ringside show`: a time counts as known when the clocks agree to a tenth of it.
const CLOCK_MARGIN = 10;
const WIDE_INTERVAL = 0.1;

function caseName(row) {
  const what = row.line?.what ?? `${row.implementation}/${row.transport}`;
  return `${row.collective || "kernel"} ${what} ${formatSize(row.size_bytes)}`;
}

const TONES = { bad: "Wrong", caution: "Caution", plain: "Note" };

// tone: "bad" (do not use these figures), "caution" (read on before you do), "plain" (good to know).
function findWarnings(model) {
  const found = [];
  const add = (tone, text, rows) =>
    found.push({ tone, text: rows ? `${text}: ${listSome(distinct(rows.map(caseName)))}.` : text });
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
  if (failed.length > 0)
    add(
      "bad",
      `${plural(failed.length, "case")} of ${all} FAILED verification: the data came out wrong, so no time is shown`,
      failed,
    );
  if (planned.some((row) => row.emulated))
    add("bad", "Some cases ran over an EMULATED network: their times say nothing about the real one.");
  if (partial.length > 0)
    add(
      "caution",
      `${plural(partial.length, "run")} not ended normally, or still going on: ${listSome(partial.map((file) => file.name))}.`,
    );
  if (unfinished.length > 0)
    add("caution", `${plural(unfinished.length, "case")} of ${all} did not finish`, unfinished);
  if (clock.length > 0)
    add(
      "caution",
      `${plural(clock.length, "case")} shorter than ${CLOCK_MARGIN} times the error of the common clock: read these times as upper bounds`,
      clock,
    );
  if (local.length > 0)
    add(
      "caution",
      `${plural(local.length, "case")} without a common clock: their times are the longest duration of any one rank.`,
    );
  if (unchecked.length > 0)
    add("caution", `${plural(unchecked.length, "case")} of ${all} not checked: the data may be wrong.`);
  for (const text of crowdedHosts(model)) add("caution", text);
  if (wide.length > 0)
    add("plain", `${plural(wide.length, "case")} known to no better than ±${100 * WIDE_INTERVAL}%`, wide);
  if (shifted.length > 0) add("plain", `${plural(shifted.length, "case")} changed level while being measured`, shifted);
  if (model.data.stride > 1)
    add(
      "plain",
      `This page holds every ${model.data.stride}th of ${formatCount(model.data.iterations)} iterations, to stay small; its figures are of all.`,
    );
  for (const text of environmentDifferences(model)) add("caution", text);
  const order = Object.keys(TONES);
  return found.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
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
      if (host.cores > 0 && ranks > host.cores)
        crowded.add(`${host.hostname} (${plural(ranks, "rank")}, ${plural(host.cores, "core")})`);
  }
  return crowded.size > 0 ? [`More ranks than cores, so ranks waited for a core: ${listSome([...crowded])}.`] : [];
}

const HOST_FIELDS = ["kernel", "cpu", "instance_type", "congestion_control", "memory_bytes", "numa_nodes"];
const VOLATILE = /^(cpu\.frequency_khz|memory\.swap_used_bytes)$/;

// Between sets, when nothing has judged them already.
function environmentDifferences(model) {
  if ((model.comparison?.environment ?? []).length > 0 || model.sets.length < 2) return [];
  const differing = [];
  const values = (set, field) =>
    distinct(hostsOf(set).map((host) => String(host[field] ?? "")))
      .sort()
      .join(" / ");
  for (const field of HOST_FIELDS)
    if (distinct(model.sets.map((set) => values(set, field))).length > 1) differing.push(field.replace("_", " "));
  const facts = (set, key) =>
    distinct(
      set.files.flatMap((file) => (file.environment ?? []).filter((fact) => fact[1] === key).map((fact) => fact[2])),
    )
      .sort()
      .join(" / ");
  const keys = distinct(model.files.flatMap((file) => (file.environment ?? []).map((fact) => fact[1]))).filter(
    (key) => !VOLATILE.test(key),
  );
  for (const key of keys) if (distinct(model.sets.map((set) => facts(set, key))).length > 1) differing.push(key);
  const versions = distinct(model.sets.map((set) => distinct(set.files.map((file) => file.ringside_version)).join()));
  if (versions.length > 1) differing.push("version of ringside");
  return differing.length > 0
    ? [`The lines differ in more than their names, and that may be the cause: ${listSome(differing, 8)}.`]
    : [];
}

export function makeWarnings(model) {
  const warnings = findWarnings(model);
  if (warnings.length === 0)
    return section(
      "warnings",
      "Before you read on",
      "Nothing casts doubt on these figures: every case finished, its data was checked, and the clocks agreed.",
    );
  return section(
    "warnings",
    "Before you read on",
    null,
    h(
      "ul",
      { class: "warnings" },
      warnings.map(({ tone, text }) =>
        h("li", { class: `warning ${tone}` }, h("strong", null, `${TONES[tone]}: `), text),
      ),
    ),
  );
}
