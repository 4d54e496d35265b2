// Who sat where: region, zone, placement group, host, rank; as nested lists that read well without any drawing.
import { h, section } from "./dom.js";
import { plural } from "./format.js";

const LEVELS = [
  ["region", "region"],
  ["zone", "zone"],
  ["placement_group", "placement group"],
  ["partition", "partition"],
  ["network_path", "network path"],
];
const RANKS_OPEN = 64; // of a file, above which hosts start folded

const known = (value) => value !== null && value !== undefined && value !== "" && value !== -1;

function rankItem(file, rank) {
  const devices = (file.rank_devices ?? []).filter((device) => device.rank === rank.rank);
  const nics = devices.map((device) =>
    [device.interface ?? device.transport, device.address].filter(Boolean).join(" "),
  );
  const cpus = rank.cpus ? `CPU ${rank.cpus}${rank.bound ? "" : " (not bound)"}` : null;
  const numa = rank.numa_node >= 0 ? `NUMA ${rank.numa_node}` : "NUMA unknown";
  return h(
    "li",
    null,
    h("strong", null, `rank ${rank.rank}`),
    h("span", null, [numa, cpus, ...nics].filter(Boolean).join(" · ")),
  );
}

function hostItem(file, host, open) {
  const ranks = (file.ranks ?? []).filter((rank) => file.hosts[rank.host] === host);
  const facts = [
    host.instance_type,
    host.cpu,
    host.cores && plural(host.cores, "core"),
    host.numa_nodes && plural(host.numa_nodes, "NUMA node"),
    plural(ranks.length, "rank"),
  ];
  return h(
    "li",
    null,
    h(
      "details",
      { open },
      h(
        "summary",
        null,
        h("strong", null, host.hostname ?? "a host"),
        h("span", null, facts.filter(Boolean).join(" · ")),
      ),
      h(
        "ul",
        { class: "ranks" },
        ranks.map((rank) => rankItem(file, rank)),
      ),
    ),
  );
}

// Levels that nobody knows anything of are skipped.
function branch(file, hosts, depth, open) {
  if (depth === LEVELS.length) return hosts.map((host) => hostItem(file, host, open));
  const [field, name] = LEVELS[depth];
  if (!(file.hosts ?? []).some((host) => known(host[field]))) return branch(file, hosts, depth + 1, open);
  const groups = new Map();
  for (const host of hosts) {
    const key = known(host[field]) ? String(host[field]) : "unknown";
    groups.set(key, [...(groups.get(key) ?? []), host]);
  }
  return [...groups].map(([value, members]) =>
    h(
      "li",
      null,
      h(
        "span",
        { class: "level" },
        `${name} `,
        h("strong", null, value),
        h("span", null, ` ${plural(members.length, "host")}`),
      ),
      h("ul", null, branch(file, members, depth + 1, open)),
    ),
  );
}

// Files whose ranks sat alike share a tree.
const shape = (file) =>
  JSON.stringify([
    file.hosts?.map((host) => [host.hostname, ...LEVELS.map(([field]) => host[field])]),
    file.ranks,
    file.rank_devices,
  ]);

export function makePlacement(model) {
  const trees = new Map();
  for (const file of model.files) trees.set(shape(file), [...(trees.get(shape(file)) ?? []), file]);
  const several = trees.size > 1;
  const nodes = [...trees.values()].map((files, index) => {
    const [file] = files;
    const tree = h("ul", { class: "tree" }, branch(file, file.hosts ?? [], 0, (file.ranks ?? []).length <= RANKS_OPEN));
    if (!several) return tree;
    return h(
      "details",
      { class: "file", open: index === 0 },
      h("summary", null, files.map((one) => one.name).join(", ")),
      tree,
    );
  });
  return section("placement", "Placement", null, nodes);
}
