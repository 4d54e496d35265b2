#!/usr/bin/env bash
# Every collective by every algorithm over shm between processes, with the default ring, with one that is nearly always
# full, and from memory that peers read where it lies: every element verified.
source "$(dirname "$0")/launch.bash"
all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set transport=shm --set baseline=none --set samples.warm_up=1 --set run.probe=no)

# collectives N NAME OPTION...
collectives() {
  local n=$1 name=$2
  shift 2
  launch "$n" run -q -o "$work/$name-$n.h5" --set collective=$all --set size=8,1000,64KiB --set chunk=8KiB --set in_place=no \
    --set lanes=2 --set run.group_size=2 --set samples.min_iterations=1 --set run.case_time=1ms "${quick[@]}" "$@" \
    >"$work/out" 2>&1 || fail "$name, $n ranks: exit $?: $(cat "$work/out")"
  expect_verified "$work/$name-$n.h5"
  [ "$(column "$work/$name-$n.h5" transport | sort -u)" = shm ] || fail "$name: not all by shm"
}
collectives 2 plain
collectives 4 plain
collectives 3 small --set shm.ring=4KiB --set shm.piece=1KiB
collectives 3 direct --set run.memory=host_shared --set shm.direct=64
/usr/bin/python3 - "$work/plain-4.h5" "$work/direct-3.h5" <<'PYTHON' || fail 'memory was read where it should not be, or not where it should'
import h5py, sys
def total(path, name):
    with h5py.File(path) as file:
        return sum(int(row["after"]) for row in file["counters"][:] if row["name"] == name)
plain, direct = sys.argv[1:]
assert total(plain, b"shm.direct_bytes") == 0 < total(plain, b"shm.staged_bytes")
assert total(direct, b"shm.direct_bytes") > 0
assert total(direct, b"shm.staged_bytes") < total(direct, b"shm.direct_bytes")
PYTHON
launch 4 run -q -o "$work/p2p.h5" --set benchmark=p2p --set size=8,64KiB "${quick[@]}" --set run.case_time=5ms >"$work/out" 2>&1 ||
  fail "point to point: exit $?: $(cat "$work/out")"
expect_verified "$work/p2p.h5"
