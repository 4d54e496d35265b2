"""Holds docs/results-format.md against a file that the store wrote, and the store against files it did not write.

check_format.py DOCUMENT PROGRAM DIRECTORY: PROGRAM is test_store, which writes and reads files; works in DIRECTORY.
"""
import re
import shutil
import subprocess
import sys

import h5py
import numpy

document_path, program, directory = sys.argv[1:]
written = directory + "/written.h5"
failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60)


# ---- the document


def tables(text):
    """{heading: [first cell, type]} of every table below a heading."""
    found, heading = {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.strip("#` ")
        row = re.match(r"\| `?([^`|]+)`? \| ([^|]+) \|", line)
        if row and row[2].strip() != "type":
            found.setdefault(heading, []).append((row[1].strip(), row[2].strip()))
    return found


def type_name(dtype):
    if dtype.kind == "S":
        return f"text {dtype.itemsize}"
    return "double" if dtype == numpy.dtype("<f8") else dtype.name


def check_tables(file, described):
    for name, item in file.items():
        if isinstance(item, h5py.Dataset) and item.dtype.names:
            stored = [(field, type_name(item.dtype[field])) for field in item.dtype.names]
            check(stored == described.get("/" + name), f"/{name}: file {stored}, document {described.get('/' + name)}")
        check("/" + name in described or name == "topology", f"/{name} is not in the document")
    for heading in described:
        if heading.startswith("/") and heading != "/topology/HOST":
            check(heading[1:] in file, f"{heading} is in the document but not in the file")


def check_attributes(file, described):
    patterns = [name.replace("KEY", ".+").replace("NAME", ".+") for name, _ in described["Attributes of the root group"]]
    for name, value in file.attrs.items():
        check(any(re.fullmatch(pattern, name) for pattern in patterns), f"attribute {name} is not in the document")
        check(isinstance(value, (numpy.bytes_, numpy.uint32)), f"attribute {name} is a {type(value)}")
    for pattern in patterns:
        if "+" not in pattern:
            check(pattern in file.attrs, f"attribute {pattern} is in the document but not in the file")


def check_rest(file, described):
    check(file["samples"].dtype == numpy.dtype("<i8") and file["samples"].shape[1] == 2, "/samples is not int64 x 2")
    check(file["samples"].compression == "gzip" and file["samples"].shuffle, "/samples is not compressed")
    check(sorted(file["topology"]) == ["rack1_node", "rack1_node.1"], f"hosts in /topology: {list(file['topology'])}")
    for host in file["topology"].values():
        check(list(host) == [name for name, _ in described["/topology/HOST"]], f"/topology/HOST holds {list(host)}")
        check(host["hwloc_xml"][0].decode().startswith("<?xml"), "hwloc_xml is not XML")
        check("p5.48xlarge" in host["cloud"][0].decode(), "cloud is not what was answered")


def check_example(text):
    code = re.search(r"```python\n(.*?)```", text, re.S)[1]
    check(len(code.strip().splitlines()) <= 12, "the example is longer than it should be")
    example = run(sys.executable, "-c", code, written)
    # Exit of the last rank minus entry of the first: 2 x 10 ns apart, 100 ns + case + 2 long.
    expected = "".join(f"{('ring', 'tree')[c % 2]} {8 << 10 * c} {122 + c}.0 ns\n" for c in range(4))
    check(example.stdout == expected, f"the example printed {example.stdout!r} {example.stderr!r}, not {expected!r}")


# ---- files that others changed or wrote


def variant(change):
    path = directory + "/variant.h5"
    shutil.copy(written, path)
    with h5py.File(path, "r+") as file:
        change(file)
    return run(program, "read", path)


def expect(words, change):
    result = variant(change)
    check(result.returncode == 2 and words in result.stderr, f"{words!r} is not in {result}")


def change_row(dataset, field, value):
    def change(file):
        rows = file[dataset][:]
        rows[field][1] = value
        file[dataset][:] = rows

    return change


def change_case(field, value):
    return change_row("cases", field, value)


def without_rows(file, name):
    del file[name]
    file[name] = numpy.zeros(3, dtype="f8")


def without_columns(*names):
    """The file as a ringside wrote it that did not know these columns of /cases."""

    def change(file):
        cases = file["cases"][:]
        kept = [(name, cases.dtype[name]) for name in cases.dtype.names if name not in names]
        shorter = numpy.zeros(len(cases), dtype=kept)
        for name, _ in kept:
            shorter[name] = cases[name]
        del file["cases"]
        file["cases"] = shorter

    return change


def extend(file):
    """What a later ringside might add, and what a person might: all of it is ignored but the label."""
    cases = file["cases"][:]
    kinds = [("novel", "<f4")] + [(name, cases.dtype[name]) for name in cases.dtype.names if name != "order"]
    longer = numpy.zeros(len(cases), dtype=kinds)
    for name in longer.dtype.names[1:]:
        longer[name] = cases[name]
    del file["cases"]
    file["cases"] = longer
    file["notes"] = "a dataset of somebody's"
    file.attrs["label.added"] = "with h5py"
    file.attrs["numbers"] = [1, 2, 3]


def check_variants():
    expect("not ringside's", lambda file: file.attrs.__delitem__("format"))
    expect("not ringside's", lambda file: file.attrs.__setitem__("format", "other"))
    expect("not ringside's", lambda file: file.attrs.__setitem__("schema_version", "one"))
    expect("newer ringside", lambda file: file.attrs.__setitem__("schema_version", numpy.uint32(2)))
    for name in ("hosts", "ranks", "rank_devices", "cases"):
        expect(f"damaged ({name})", lambda file: file.__delitem__(name))
        expect(f"damaged ({name})", lambda file: without_rows(file, name))
    expect("damaged", lambda file: file.__delitem__("samples"))
    expect("place of the samples", change_case("sample_offset", 2**64 - 3))
    expect("place of the samples", change_case("sample_offset", 10**6))
    expect("place of the samples", change_case("iterations", 2**32 - 1))
    expect("case_id", change_case("case_id", 7))
    expect("not finished", change_case("rank_count", 0))
    extended = variant(extend)
    for name in ("links", "environment", "counters", "pairs"):
        expect(f"damaged ({name})", lambda file: without_rows(file, name))
        older = variant(lambda file: file.__delitem__(name))
        check("4 cases right" in older.stdout, f"a file of before /{name}: {older}")
    recorded = variant(lambda file: None)
    check("root 2, pairing 'halves', congestor 'incast', 2 of 3 ranks" in recorded.stdout, f"recorded: {recorded}")
    older = variant(without_columns("root", "pairing", "congestor", "measured_ranks"))
    check("root -1, pairing '', congestor '', 3 of 3 ranks" in older.stdout, f"a file of before the columns: {older}")
    expect("/links is from rank 3", change_row("links", "source", 3))
    for field, value in (("case_id", 4), ("rank_a", 3), ("rank_b", 3)):
        expect("row 1 of /pairs is of ranks", change_row("pairs", field, value))
    expect("/environment is of host 2", change_row("environment", "host", 2))
    expect("/counters is of rank -1 on host 2", change_row("counters", "host", 2))
    expect("/counters is of rank 3 on host 1", change_row("counters", "rank", 3))
    check("label.added=with h5py\n" in extended.stdout and "4 cases right" in extended.stdout, f"extended: {extended}")


text = open(document_path, encoding="utf-8").read()
check(run(program, "write", written).returncode == 0, "the file could not be written")
described = tables(text)
with h5py.File(written, "r") as file:
    check_tables(file, described)
    check_attributes(file, described)
    check_rest(file, described)
check_example(text)
check_variants()
print("\n".join(failures) or "document and files agree")
sys.exit(1 if failures else 0)
