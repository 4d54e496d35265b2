"""What configs/launch and docs/on-a-cluster.md tell a user to type exists, and the YAML files fit their schemas.

usage: launch_files.py PROGRAM SOURCE-TREE

Prints what is wrong, a line each; exit code 1 if anything is.
"""
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

program, root = sys.argv[1], pathlib.Path(sys.argv[2])
wrong = []


# ---- YAML -------------------------------------------------------------------------------------------------

def variants(text):
    """The file with one of its commented-out blocks put in, for each: "# key:" and what follows until prose or YAML.
    Prose begins with a capital. A key that is there already is replaced, as the last one counts."""
    block = re.compile(r"^( +)# [a-zA-Z/]+:( .*)?\n(\1# [^A-Z\n].*\n)*", re.M)
    for match in block.finditer(text):
        yield match[0].split(":")[0].strip(), text[:match.start()] + match[0].replace("# ", "") + text[match.end():]


def misspelt(tree):
    """Copies of a tree with one key misspelt, for every key that is no free name."""
    free = ("labels", "matchLabels", "nodeSelector", "limits")

    def places(node, path):
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else []
        for key, value in items:
            if isinstance(node, dict):
                yield path, key
            if key not in free:
                yield from places(value, path + [key])

    text = json.dumps(tree)  # also parts what YAML's aliases share
    for path, key in places(json.loads(text), []):
        spoilt = node = json.loads(text)
        for step in path:
            node = node[step]
        node[key + "x"] = node.pop(key)
        yield "/".join(map(str, path + [key])), spoilt


def check_yaml(name, schema_name):
    schema = json.loads((root / "tests/support" / schema_name).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    text = (root / name).read_text()
    found = 0
    for label, version in [("", text), *variants(text)]:
        found += 1
        try:
            tree = yaml.safe_load(version)
        except yaml.YAMLError as error:
            wrong.append(f"{name} {label}: {error}")
            continue
        for error in validator.iter_errors(tree):
            wrong.append(f"{name} {label}: {'/'.join(map(str, error.path))}: {error.message[:200]}")
        for place, spoilt in misspelt(tree):
            if validator.is_valid(spoilt):
                wrong.append(f"{schema_name}: a misspelt {place} passes")
    return yaml.safe_load(text), found


job, versions = check_yaml("configs/launch/mpijob.yaml", "mpijob_schema.json")
if versions != 5:  # as it is; one zone; spread over zones; the nodes' network; EFA
    wrong.append(f"mpijob.yaml: {versions} versions instead of 5")
cluster, _ = check_yaml("configs/launch/parallelcluster.yaml", "parallelcluster_schema.json")

# Beyond keys: the ranks of the launcher are the workers' slots, and queues differ in their placement alone.
launcher, worker = (job["spec"]["mpiReplicaSpecs"][name] for name in ("Launcher", "Worker"))
command = launcher["template"]["spec"]["containers"][0]
ranks, hosts = int(command["command"][command["command"].index("-np") + 1]), worker["replicas"]
if ranks != hosts * job["spec"]["slotsPerWorker"] or f"--label=hosts={hosts}" not in command["args"]:
    wrong.append("mpijob.yaml: ranks, slots and hosts contradict each other")
mounts = {mount["name"] for mount in worker["template"]["spec"]["containers"][0]["volumeMounts"]}
if mounts != {volume["name"] for volume in worker["template"]["spec"]["volumes"]}:
    wrong.append("mpijob.yaml: volumes that are mounted are not those that there are")
queues = {queue["Name"]: queue for queue in cluster["Scheduling"]["SlurmQueues"]}
groups = {name: queue["Networking"].get("PlacementGroup", {}).get("Enabled") for name, queue in queues.items()}
if groups != {"cluster": True, "none": False, "zones": None} or len(queues["zones"]["Networking"]["SubnetIds"]) != 2:
    wrong.append(f"parallelcluster.yaml: queues are not what their names say: {groups}")
nodes = [node for queue in queues.values() for node in queue["ComputeResources"]]
kinds = {json.dumps([node["Instances"], node["MaxCount"]]) for node in nodes}
if len(kinds) != 1:
    wrong.append(f"parallelcluster.yaml: queues differ in their nodes: {kinds}")


# ---- what a user types ------------------------------------------------------------------------------------

def help_of(*words):
    return subprocess.run([*words, "--help"], capture_output=True, text=True, cwd=root, check=True).stdout


def options_of(text):
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


commands = set(re.findall(r"^  ([a-z]+)  ", help_of(program), re.M))
helps = {name: help_of(program, name) for name in commands}
keys = set(re.findall(r"^  ([a-z0-9_.]+) +(?:\w+) ", helps["run"], re.M))
assert {"size", "tcp.ports", "algorithm"} <= keys and {"run", "choose", "topology"} <= commands, (keys, commands)
scripts = {name: options_of(help_of(f"bench/{name}")) for name in ("placements", "regress", "quickstart", "setup")}


def check_typed(name, text):
    """`text`: what is typed, continued lines joined."""
    counts = {"commands": 0, "keys": 0, "scripts": 0, "paths": 0}
    for key in re.findall(r"--set[ =]([a-z0-9_.]+)=", text):
        counts["keys"] += 1
        if key not in keys:
            wrong.append(f"{name}: ringside has no key '{key}'")
    for command, rest in re.findall(r"(?:^|[\s`/\"])ringside (?!run/)([a-z]+)\b([^\n`|]*)", text, re.M):
        counts["commands"] += 1
        if command not in commands:
            wrong.append(f"{name}: there is no 'ringside {command}'")
            continue
        for option in options_of(rest):
            if option not in options_of(helps[command]):
                wrong.append(f"{name}: 'ringside {command}' has no {option}")
    for script, rest in re.findall(r"bench/([a-z]+)\b([^\n`&;]*)", text):
        counts["scripts"] += 1
        own = re.sub(r"'[^']*'|\"[^\"]*\"", "", rest.split(" -- ")[0])
        for option in options_of(own) - scripts.get(script, set()):
            wrong.append(f"{name}: bench/{script} has no {option}")
    for path in re.findall(r"\b((?:configs|docs|bench)/[\w./-]*\w)", text):
        counts["paths"] += 1
        if not (root / path).exists():
            wrong.append(f"{name}: there is no {path}")
    return counts


def typed_in_page(text):
    text = text.replace("\\\n", " ")
    lines = [line for line in text.split("\n") if line.startswith("    ")]
    prose = [line for line in text.split("\n") if not line.startswith("    ")]
    spans = [span for line in prose for span in re.findall(r"`([^`]+)`", line)]
    return "\n".join(lines + spans)


page = check_typed("docs/on-a-cluster.md", typed_in_page((root / "docs/on-a-cluster.md").read_text()))
if min(page["commands"], page["keys"], page["scripts"]) < 5:
    wrong.append(f"docs/on-a-cluster.md: hardly anything was found to check: {page}")
for path in sorted((root / "configs/launch").iterdir()):
    text = path.read_text().replace("\\\n", " ")
    prose = re.compile(r"\s*#( {0,2}\S|$)(?!.*ringside [a-z]+ --)")
    check_typed(f"configs/launch/{path.name}", "\n".join(line for line in text.split("\n") if not prose.match(line)))
check_typed("mpijob.yaml's launcher", " ".join(command["args"]))

# The check finds what it is there for.
before = len(wrong)
check_typed("planted", """ringside chose --by x
ringside run --set tcp.port=4 --lable a=b
bench/placements --launchs 4 configs/none.yaml""")
if len(wrong) - before != 5:
    wrong.append(f"planted mistakes: {wrong[before:]}")
else:
    del wrong[before:]

print("\n".join(wrong))
sys.exit(1 if wrong else 0)
