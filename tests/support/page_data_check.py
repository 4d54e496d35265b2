"""Holds the data in a page of `ringside report` against its first file: page_data_check.py PAGE.html FILE.h5."""
import json
import re
import sys

import h5py

page_path, file_path = sys.argv[1:]
page = open(page_path, encoding="utf-8").read()
blocks = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
assert len(blocks) == 1, f"{len(blocks)} data blocks"
assert blocks[0].isascii() and not re.search("[<>&]", blocks[0]), "the data could end its element"
assert len(re.findall("<script", page)) == 2, "scripts besides the data and the page's own"
assert not re.search(r"""(src|href)=["']?(https?:)?//""", page), "something to load"
data = json.loads(blocks[0])
file = data["files"][0]

with h5py.File(file_path, "r") as result:
    for name, value in result.attrs.items():
        if name.startswith("label."):
            text = value.decode() if isinstance(value, bytes) else str(value)
            assert file["attributes"][name] == text, f"{name}: {file['attributes'][name]!r} instead of {text!r}"
    finished = [row for row in result["cases"][:] if row["finished"]]
    samples = {sample["case_id"]: sample for sample in file["samples"]}
    assert sorted(samples) == [row["case_id"] for row in finished], "samples of other cases than the finished ones"
    for row in finished:
        n, ranks, first = int(row["iterations"]), int(row["rank_count"]), int(row["sample_offset"])
        times = result["samples"][first : first + n * ranks].reshape(n, ranks, 2)
        flags = result["iterations"]["flags"][first // ranks : first // ranks + n]
        # Made-up results measure every other rank where there is background traffic.
        measured = range(0, ranks, 2) if 0 < row["measured_ranks"] < ranks else range(ranks)
        spans = times[:, measured, 1].max(axis=1) - times[:, measured, 0].min(axis=1)
        sample = samples[row["case_id"]]
        assert sample["ns"] == spans.tolist(), f"times of case {row['case_id']}"
        assert [int(flag, 16) for flag in sample["flags"]] == flags.tolist(), f"flags of case {row['case_id']}"
    assert len(file["pairs"]["median_ns"]) == len(result["pairs"]), "pairs"
assert data["iterations_kept"] == data["iterations"] and data["stride"] == 1
