#!/usr/bin/env bash
# An order of ranks changes who stands where and no result: every collective by every algorithm is verified in it, and
# baselines and pairs beside them. The files for launchers start as many ranks as they say.
source "$(dirname "$0")/launch.bash"
all=allreduce,reduce_scatter,allgather,broadcast,reduce,alltoall,alltoallv,sendrecv
quick=(--set samples.min_iterations=1 --set samples.warm_up=1 --set run.case_time=1ms --set run.probe=false)
cd "$work" || exit 1

ran() { # STATUS WORDS: the last launch must have ended well
  [ "$1" = 0 ] || { cat out >&2; fail "$2: exit $1"; }
}

printf '# shuffled\n3\n0\n4\n1\n2\n' >shuffled
launch 5 run -q -o shuffled.h5 --order shuffled --set benchmark=collective,p2p --set p2p=pingpong --set collective=$all \
  --set root=0,4 --set size=8,1000,64KiB --set chunk=8KiB --set in_place=no,yes --set run.group_size=2 "${quick[@]}" >out 2>&1
ran $? "a shuffled order"
expect_verified shuffled.h5
"$RINGSIDE" show --csv shuffled.h5 >csv
/usr/bin/python3 - <<'PYTHON' || fail "orders or roots are not what was asked for"
import csv, h5py
rows = list(csv.DictReader(open("csv")))
for row in rows:
    ours = row["algorithm"] != "" and row["benchmark"] == "collective"
    assert row["order"] == ("file" if ours else "default"), row
assert {row["order"] for row in rows} == {"file", "default"}
assert {row["root"] for row in rows if row["collective"] == "reduce"} == {"0", "4"}
with h5py.File("shuffled.h5") as file:
    order = file.attrs["order"]
    assert (order.decode() if isinstance(order, bytes) else order) == "3 0 4 1 2", order
PYTHON

launch 3 run -q -o auto.h5 --order auto --set algorithm=ring,tree --set size=64KiB --set baseline=none "${quick[@]}" >out 2>&1
ran $? "--order auto"
expect_verified auto.h5
[ "$(column auto.h5 order | sort -u)" = auto ] || fail "the order is not said to be automatic"
launch 3 run --dry-run --order auto --set algorithm=ring --set size=8 >out 2>&1
ran $? "--dry-run"
grep -q '^order of ranks: 0 1 2$' out || fail "--dry-run does not tell the order: $(cat out)"

# Background traffic: the order of those that are measured is that of the file.
printf '5\n0\n4\n1\n2\n3\n' >six
launch 6 run -q -o loaded.h5 --order six --set congestor=none,incast --set collective=allreduce,allgather --set algorithm=ring \
  --set size=64KiB --set baseline=none "${quick[@]}" >out 2>&1
ran $? "an order beside background traffic"
expect_verified loaded.h5

printf '0\n1\n' >short
launch 3 run -q -o short.h5 --order short --set size=8 >out 2>&1
[ $? = 2 ] && [ "$(grep -c 'short:2: the file ends after 2 of 3 ranks' out)" = 1 ] || fail "a short file: $(cat out)"

# The launchers' files, of two ranks that are here.
launch 2 run -q -o pairs.h5 --set benchmark=p2p --set p2p=pingpong --set size=64KiB --set baseline=none "${quick[@]}" >out 2>&1
ran $? "ping-pongs"
for format in openmpi-rankfile openmpi-hostfile slurm mpich; do
  "$RINGSIDE" order pairs.h5 --costs distance --format $format -o $format >out 2>&1
  ran $? $format
done
starts_two() { # NAME COMMAND...: starts ranks 0 and 1
  local name=$1
  shift
  # shellcheck disable=SC2016
  timeout 60 "$@" -n 2 sh -c 'echo "rank ${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"' >out 2>&1 || { cat out >&2; fail "$name: exit $?"; }
  [ "$(sort out)" = $'rank 0\nrank 1' ] || fail "$name: $(cat out)"
}
started=
if command -v mpirun.openmpi >/dev/null; then
  starts_two rankfile mpirun.openmpi --oversubscribe --rankfile openmpi-rankfile
  starts_two hostfile mpirun.openmpi --oversubscribe --map-by seq --hostfile openmpi-hostfile
  started=1
fi
if command -v mpiexec.mpich >/dev/null; then
  starts_two "MPICH's host file" mpiexec.mpich -f mpich
  started=1
fi
[ "$started" ] || echo "neither mpirun.openmpi nor mpiexec.mpich is here: their files were not tried"
exit 0
