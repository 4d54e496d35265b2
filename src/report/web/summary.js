// What was measured, when and where; and everything that is known of how it was made.
import { h, section, table } from "./dom.js";
import { formatCount, formatDate, formatGiB, listSome, plural } from "./format.js";
import { distinct, hostsOf } from "./model.js";

const across = (set, field) =>
  distinct(
    hostsOf(set)
      .map((host) => host[field])
      .filter((value) => value !== null && value !== undefined && value !== -1 && value !== ""),
  );

function ranksPhrase(set) {
  const counts = distinct(
    set.files.map((file) => `${(file.ranks ?? []).length} on ${plural((file.hosts ?? []).length, "host")}`),
  );
  return listSome(counts);
}

// "tcp over ens32, ens33 (ena, cubic, mtu 9001, 100 Gbit/s)": interfaces that are alike stand together.
function devicePhrase(set) {
  const alike = new Map();
  for (const device of set.files.flatMap((file) => file.rank_devices ?? [])) {
    const speed = device.speed_mbit > 0 ? `${device.speed_mbit / 1000} Gbit/s` : null;
    const mtu = device.mtu > 0 ? `mtu ${device.mtu}` : null;
    const key = JSON.stringify([
      device.transport,
      [device.driver, device.congestion, mtu, speed].filter(Boolean).join(", "),
    ]);
    if (!alike.has(key)) alike.set(key, new Set());
    if (device.interface) alike.get(key).add(device.interface);
  }
  const phrases = [...alike].map(([key, interfaces]) => {
    const [transport, extra] = JSON.parse(key);
    return `${transport}${interfaces.size > 0 ? ` over ${listSome([...interfaces])}` : ""}${extra ? ` (${extra})` : ""}`;
  });
  return listSome(phrases, 3);
}

function machinePhrase(set) {
  return listSome(
    distinct(
      hostsOf(set).map((host) =>
        [host.cpu, host.cores && plural(host.cores, "core"), formatGiB(host.memory_bytes)].filter(Boolean).join(", "),
      ),
    ),
    2,
  );
}

const FACTS = [
  [
    "files",
    (set) =>
      `${plural(set.files.length, "launch", "launches")}: ${listSome(
        set.files.map((file) => file.name),
        3,
      )}`,
  ],
  ["measured", (set) => listSome(distinct(set.files.map((file) => formatDate(file.created))).sort(), 3)],
  ["ranks", ranksPhrase],
  ["hosts", (set) => listSome(across(set, "hostname"))],
  ["instance type", (set) => listSome(across(set, "instance_type"))],
  ["zone", (set) => listSome(across(set, "zone"))],
  ["placement group", (set) => listSome(across(set, "placement_group"))],
  [
    "labels",
    (set) =>
      distinct(
        set.files.flatMap((file) =>
          Object.entries(file.attributes ?? {})
            .filter(([key]) => key.startsWith("label."))
            .map(([key, value]) => `${key.slice(6)} = ${value}`),
        ),
      ).join(", "),
  ],
  ["transports", devicePhrase],
  ["machine", machinePhrase],
  ["kernel", (set) => listSome(across(set, "kernel"), 2)],
  ["congestion control", (set) => listSome(across(set, "congestion_control"))],
  ["ringside", (set) => listSome(distinct(set.files.map((file) => file.ringside_version)))],
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
  const rows = FACTS.map(([name, of]) => ({ name, values: model.sets.map(of) })).filter((row) =>
    row.values.some(Boolean),
  );
  const head =
    model.sets.length > 1 &&
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("td"),
        model.sets.map((set) => h("th", { scope: "col" }, set.name)),
      ),
    );
  const cells = (row) => {
    const differs = distinct(row.values).length > 1;
    return row.values.map((value) => h("td", { class: differs && "differs" }, value || "unknown"));
  };
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      { class: "facts" },
      head,
      h(
        "tbody",
        null,
        rows.map((row) => h("tr", null, h("th", { scope: "row" }, row.name), cells(row))),
      ),
    ),
  );
}

export function makeHeader(model, controls) {
  const benchmarks = distinct(
    model.planned.map((row) => (row.benchmark === "reduce" ? "reduction kernels" : row.collective)),
  );
  const ranks = distinct(model.files.map((file) => (file.ranks ?? []).length)).sort((a, b) => a - b);
  const hosts = distinct(model.files.map((file) => (file.hosts ?? []).length)).sort((a, b) => a - b);
  const title = `${listSome(benchmarks, 6) || "Nothing measured"}: ${ranks.join(", ")} ranks on ${hosts.join(", ")} host${hosts.join() === "1" ? "" : "s"}`;
  document.title = `${title} (ringside)`;
  return h(
    "header",
    null,
    h("div", { class: "bar" }, h("span", { class: "brand" }, "ringside report"), controls),
    h("h1", null, title),
    factTable(model),
  );
}

// ---- provenance -----------------------------------------------------------------------------------------------------

function provenanceOf(file) {
  const facts = [
    ["file", file.file],
    ["run", file.run_uuid],
    ["created", file.created],
    ["status", file.status],
    ["command", file.command_line],
    ...Object.entries(file.attributes ?? {}).sort(),
  ];
  const environment = (file.environment ?? []).map(([host, key, value]) => ({
    host: file.hosts?.[host]?.hostname ?? String(host),
    key,
    value,
  }));
  const columns = [
    { name: "host", cell: (fact) => fact.host },
    { name: "what", cell: (fact) => fact.key },
    { name: "value", wide: true, cell: (fact) => fact.value },
  ];
  return h(
    "details",
    { class: "file" },
    h("summary", null, file.name),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "facts" },
        h(
          "tbody",
          null,
          facts.map(([name, value]) =>
            h("tr", null, h("th", { scope: "row" }, name), h("td", null, String(value ?? ""))),
          ),
        ),
      ),
    ),
    environment.length > 0 &&
      h(
        "details",
        null,
        h("summary", null, "How the hosts were set up"),
        h("div", { class: "scroll" }, table(null, columns, environment)),
      ),
    h("details", null, h("summary", null, "The resolved configuration"), h("pre", { tabindex: 0 }, file.config ?? "")),
  );
}

export function makeProvenance(model) {
  const lead = `This page was made ${formatDate(model.data.made)} by ringside ${model.data.ringside_version} from ${plural(model.files.length, "file")}. The files hold every sample; the page holds what its charts need.`;
  return section("provenance", "Provenance", lead, model.files.map(provenanceOf));
}
