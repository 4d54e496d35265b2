#!/usr/bin/python3
"""Made-up results, for tests of what reads them: made_results.py TEMPLATE.h5 KIND OUTPUT.h5 [SEED].

TEMPLATE is a file that ringside wrote: the new one takes the types of its tables, so that they follow the schema. KIND:
  cluster, spread   16 ranks on 4 hosts in two zones: allreduce, all pairs, background traffic, kernels; spread is slower
  many              one case of 100,000 iterations
  hostile           text that would break out of a page that did not take care
"""
import math
import random
import sys
import uuid

import h5py
import numpy

RANKS_PER_HOST = 4
HOSTS = 4
HOSTILE = "</script><script>document.title='broken'</script><!--<img src=x onerror=document.title='broken'>\u2028&amp;\"'"


class Result:
    """Collects rows as dictionaries; what they do not name keeps the template's first row."""

    def __init__(self, template, ranks):
        self.template, self.ranks = template, ranks
        self.cases, self.pairs, self.iterations, self.samples = [], [], [], []

    def row(self, table, values):
        dtype = self.template[table].dtype
        source = self.template[table]
        row = source[0].copy() if len(source) > 0 else numpy.zeros((), dtype)
        for name, value in values.items():
            if name in (dtype.names or ()):
                row[name] = value.encode() if isinstance(value, str) else value
        return row

    def case(self, rng, median_ns, iterations=60, spread=0.06, measured=None, **fields):
        measured = measured or list(range(self.ranks))
        times = sorted_free = [median_ns * math.exp(rng.gauss(0, spread)) * (1 + (rng.random() < 0.03)) for _ in range(iterations)]
        flags = [1 if i < 5 else 4 if i % 20 == 19 else 2 if rng.random() < 0.01 else 0 for i in range(iterations)]
        counted = sorted(t for t, f in zip(times, flags) if f == 0)
        n = len(counted)
        half = int(0.98 * math.sqrt(n)) + 1
        quantile = lambda q: counted[min(n - 1, int(q * n))]
        size = fields.get("size_bytes", 8)
        factor = 2 * (len(measured) - 1) / len(measured) if fields.get("collective") == "allreduce" else 1
        if fields.get("benchmark") == "reduce":
            factor = math.nan
        values = dict(
            case_id=len(self.cases), finished=1, benchmark="collective", collective="allreduce", mode="isolated",
            emulated=0, datatype="float32", operation="sum", in_place=0, count=size // 4, rank_count=self.ranks,
            measured_ranks=len(measured), peer_a=-1, peer_b=-1, root=-1, pairing="", congestor="", order="default",
            chunk_bytes=262144, lanes=1, iterations=iterations, batch=1, sample_offset=len(self.iterations) * self.ranks,
            stop_reason="interval", verified=1, sync_error_ns=120, sync_bound_ns=4000, warm_up=5,
            invalid=flags.count(2), level_shift=0, median_ns=quantile(0.5), ci_low_ns=counted[max(0, n // 2 - half)],
            ci_high_ns=counted[min(n - 1, n // 2 + half)], min_ns=counted[0], max_ns=counted[-1], p95_ns=quantile(0.95),
            p99_ns=quantile(0.99) if n >= 100 else math.nan, algbw_gb_s=size / quantile(0.5),
            busbw_gb_s=factor * size / quantile(0.5))
        values.update(fields)
        self.cases.append(values)
        start = 1_000_000 * len(self.cases)
        for time, flag in zip(times, flags):
            self.iterations.append((values["case_id"], flag))
            self.samples.append(self.row_of_samples(rng, start, time, measured, values["congestor"]))
            start += int(time * 1.5) + 20000
        return values["case_id"]

    def row_of_samples(self, rng, start, time, measured, congestor):
        """Rank 5 leaves 3% later than the others; ranks that are not measured idle, or congest around the measured."""
        rows = []
        for rank in range(self.ranks):
            if rank in measured:
                late = 1 if rank == 5 or (rank == measured[-1] and 5 not in measured) else rng.uniform(0.93, 0.965)
                rows.append((start + (0 if rank == measured[0] else rng.randrange(20)), start + int(time * late)))
            elif congestor not in ("", "none"):
                rows.append((start - 5000, start + int(time) + 5000))
            else:
                rows.append((start, start + 30))
        return rows

    def write(self, path, attributes, tables):
        with h5py.File(path, "w") as out:
            for key, value in self.template.attrs.items():
                if not key.startswith("label."):
                    out.attrs[key] = value
            for key, value in attributes.items():
                out.attrs[key] = value
            out.attrs["run_uuid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, str(path)))  # every file is a launch of its own
            rows = {"cases": self.cases, "pairs": self.pairs, **tables}
            for name, source in self.template.items():
                if not isinstance(source, h5py.Dataset) or name in ("iterations", "samples"):
                    continue
                data = [self.row(name, values) for values in rows[name]] if name in rows else source[:]
                out[name] = numpy.array(data, dtype=source.dtype)
            out["iterations"] = numpy.array(self.iterations, dtype=self.template["iterations"].dtype)
            out["samples"] = numpy.array(self.samples, dtype="i8").reshape(-1, 2)
            out.create_group("topology")


def places(kind):
    hosts = [dict(hostname=f"node-{h}", boot_id=f"boot-{h}", cloud="aws", instance_type="p5.48xlarge", region="us-east-2",
                  zone="us-east-2a" if kind == "cluster" or h < 2 else "us-east-2b",
                  placement_group="ringside-cluster" if kind == "cluster" else "", partition=-1,
                  cpu="AMD EPYC 7R13", cores=96, processing_units=192, numa_nodes=2, memory_bytes=2 * 10**12,
                  kernel="6.1.0" if kind == "cluster" else "6.1.4", congestion_control="cubic") for h in range(HOSTS)]
    ranks = [dict(host=r // RANKS_PER_HOST, local_rank=r % RANKS_PER_HOST, local_ranks=RANKS_PER_HOST, cpus=f"{r % 4 * 24}-{r % 4 * 24 + 23}",
                  bound=1, numa_node=r % RANKS_PER_HOST // 2, pid=1000 + r) for r in range(HOSTS * RANKS_PER_HOST)]
    devices = [dict(rank=r, transport="tcp", interface=f"ens{32 + r % 4}", address=f"10.0.{r // 4}.{r % 4 + 1}", driver="ena",
                    congestion="cubic", speed_mbit=100000, mtu=9001) for r in range(len(ranks))]
    return dict(hosts=hosts, ranks=ranks, rank_devices=devices, links=[], counters=[],
                environment=[dict(host=h, key="cpu.governor", value="performance" if kind == "cluster" else "schedutil") for h in range(HOSTS)])


def far(kind, a, b):
    if a // RANKS_PER_HOST == b // RANKS_PER_HOST:
        return 1
    zones = kind == "spread" and (a // 8) != (b // 8)
    slow = 2.2 if 9 in (a, b) else 1
    return (7 if zones else 3) * slow


def add_allreduce(result, rng, kind):
    alpha = {"cluster": 18000, "spread": 31000}[kind]
    for program, rounds, passes in (("ring", 30, 1.9), ("tree", 8, 2.6), ("mpi", 10, 2.2)):
        ours = program != "mpi"
        for size in [8 << (2 * i) for i in range(13)]:
            time = rounds * alpha / 4 + size * passes / 11.5 + (0 if kind == "cluster" else size * 0.02)
            result.case(rng, time, size_bytes=size, implementation=program, algorithm=program if ours else "",
                        transport="tcp" if ours else "", chunk_bytes=262144 if ours else 0)


def add_pairs(result, rng, kind):
    n = result.ranks
    for what, size in (("pingpong", 8), ("exchange", 4 << 20)):
        for k in range(n - 1):
            pairs = [(n - 1, k)] + [((k + i) % (n - 1), (k - i) % (n - 1)) for i in range(1, n // 2)]
            pairs = [(min(p), max(p)) for p in pairs]
            times = [far(kind, a, b) * (9000 + size / 12) * math.exp(rng.gauss(0, 0.03)) for a, b in pairs]
            case = result.case(rng, max(times), iterations=24, benchmark="p2p", collective=what, operation="", size_bytes=size,
                               implementation="direct", algorithm="direct", transport="tcp", pairing=f"round {k}")
            for (a, b), time in zip(pairs, times):
                result.pairs.append(dict(case_id=case, rank_a=a, rank_b=b, median_ns=time, ci_low_ns=time * 0.97,
                                         ci_high_ns=time * 1.03, p99_ns=time * 1.4, algbw_gb_s=size / time))


def add_traffic(result, rng, kind):
    measured = list(range(0, result.ranks, 2))
    for congestor, factor in (("none", 1), ("incast", 1.35), ("alltoall", 2.4), ("ring", 1.1)):
        for size in (8, 65536, 4 << 20):
            result.case(rng, (150000 + size / 6) * factor, measured=measured, size_bytes=size, implementation="ring",
                        algorithm="ring", transport="tcp", congestor=congestor)


def add_kernels(result, rng):
    for kernel, rate in (("memcpy", 21), ("avx512", 16), ("avx2", 14.5), ("portable", 6)):
        for size in (65536, 1 << 20, 64 << 20):
            slow = 1 if size < 10**7 else 2.2
            result.case(rng, size * slow / rate, iterations=24, benchmark="reduce", collective="", size_bytes=size, implementation=kernel,
                        algorithm="", transport="", chunk_bytes=0)


def main():
    template_path, kind, path = sys.argv[1:4]
    rng = random.Random(f"{kind} {sys.argv[4] if len(sys.argv) > 4 else 1}")
    with h5py.File(template_path, "r") as template:
        if kind == "many":
            result = Result(template, 2)
            result.case(rng, 40000, iterations=100000, size_bytes=8, implementation="ring", algorithm="ring", transport="tcp")
            tables = places("cluster")
            tables["ranks"], tables["rank_devices"] = tables["ranks"][:2], tables["rank_devices"][:2]
            result.write(path, {"label.placement": "cluster"}, tables)
        elif kind == "hostile":
            result = Result(template, 2)
            for size in (8, 64, 512):
                result.case(rng, 40000, size_bytes=size, implementation="</script><b>", algorithm="<!--", transport="<i>x")
            result.cases[1].update(verified=-1)
            result.cases[2].update(finished=0)
            tables = places("cluster")
            tables["ranks"], tables["rank_devices"] = tables["ranks"][:2], tables["rank_devices"][:2]
            tables["hosts"][0].update(hostname="</script><script>document.title='broken'</script>", zone="\u2028<!--")
            result.write(path, {"label.note": HOSTILE, "status": "partial", "command_line": HOSTILE}, tables)
        else:
            result = Result(template, HOSTS * RANKS_PER_HOST)
            add_allreduce(result, rng, kind)
            add_pairs(result, rng, kind)
            add_traffic(result, rng, kind)
            add_kernels(result, rng)
            result.write(path, {"label.placement": kind}, places(kind))


main()
