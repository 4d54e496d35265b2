#!/usr/bin/env bash
# configs/launch/slurm.sbatch under a Slurm of one node, which this test starts and removes: jobs of two placements take
# turns, their results carry labels and what Slurm says, and ringside choose compares them. Also: mpirun as launcher, a
# launch that fails, a placement without a name.
source "$(dirname "$0")/launch.bash"

[ "$(id -u)" = 0 ] || { echo "skipped: starting Slurm's daemons needs root"; exit 77; }
for program in munged slurmctld slurmd sbatch srun scontrol; do
  PATH=$PATH:/usr/sbin command -v $program >/dev/null ||
    { echo "skipped: no $program (package slurm-wlm)"; exit 77; }
done
[ "$(nproc)" -ge 2 ] || { echo "skipped: two ranks need two cores"; exit 77; }
PATH=$PATH:/usr/sbin

# ---- a Slurm of one node ----------------------------------------------------------------------------------

daemons=() # process ids, the last started first
clean_up() {
  local pid signal
  if [ ${#daemons[@]} = 3 ]; then
    timeout 5 scancel --quiet --user=root
    for _ in {1..50}; do
      [ -n "$(timeout 5 squeue -h)" ] || break
      sleep 0.1
    done
  fi 2>/dev/null
  for signal in TERM KILL; do
    for pid in "${daemons[@]}"; do
      kill -$signal "$pid" 2>/dev/null
      for _ in {1..50}; do kill -0 "$pid" 2>/dev/null && sleep 0.1; done
    done
  done
  rm -rf "$work"
}
trap clean_up EXIT

chmod 755 "$work" # munge insists
host=$(hostname -s) port=$((20000 + $$ % 10000 * 2))
mkdir "$work/state" "$work/spool"
head -c 1024 /dev/urandom >"$work/munge.key" && chmod 400 "$work/munge.key"
cat >"$work/slurm.conf" <<CONF
ClusterName=ringside-test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=1
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc)
PartitionName=near Nodes=$host Default=YES
PartitionName=far Nodes=$host
CONF
export SLURM_CONF=$work/slurm.conf
# start NAME ARGUMENTS...: a daemon, as a child, but in a session of its own: what ends this script must not end the
# daemons before they have ended the jobs.
start() {
  setsid "$@" >"$work/$1.out" 2>&1 &
  daemons=($! "${daemons[@]}")
}
# becomes TEXT COMMAND...: waits until it prints that.
becomes() {
  local text=$1 found=''
  shift
  for _ in {1..100}; do
    found=$(timeout 5 "$@" 2>/dev/null)
    [ "$found" != "$text" ] || return 0
    sleep 0.1
  done
  fail "$*: '$found' instead of '$text': $(tail "$work"/*.out "$work"/*.log)"
}
start munged --foreground --force --socket="$work/munge.socket" --key-file="$work/munge.key" \
  --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munge.seed"
becomes "$work/munge.socket" ls "$work/munge.socket"
start slurmctld -D -f "$SLURM_CONF"
start slurmd -D -f "$SLURM_CONF"
becomes idle sinfo -h -p near -o %T

# ---- jobs -------------------------------------------------------------------------------------------------

cd "$work" || exit 1
case $mpi in
*"Open MPI"* | *OpenRTE*) export LAUNCHER='srun --mpi=pmix --cpu-bind=none' ;;
*) export LAUNCHER="$MPIEXEC" ;;
esac
export RESULTS=$work/results CONFIG=$RS_SOURCE_DIR/configs/placement.yaml
export RUN='--set size=8,4KiB --set algorithm=ring --set baseline=none --set run.case_time=20ms'

# submit OPTIONS...: sets `job`.
submit() {
  job=$(timeout 10 sbatch --parsable --nodes=1 --ntasks-per-node=2 "$@" "$RS_SOURCE_DIR/configs/launch/slurm.sbatch") ||
    fail "sbatch $*: exit $?"
}
log_of() { echo "slurm-ringside-placement-$1.out"; }
# expect_state STATE JOB: waits until it has ended so, as in "COMPLETED 0:0".
expect_state() {
  local found=''
  for _ in {1..300}; do
    found=$(timeout 5 scontrol -o show job "$2" | sed 's/.* JobState=\([A-Z_]*\) .* ExitCode=\([0-9:]*\) .*/\1 \2/')
    [[ $found =~ ^(PENDING|CONFIGURING|RUNNING|COMPLETING) ]] || break
    sleep 0.1
  done
  [ "$found" = "$1" ] || fail "job $2: '$found' instead of '$1': $(cat "$(log_of "$2")"; tail slurm*.log)"
}

# As the file says: in turns, one after the other.
jobs=()
for turn in 1 2; do
  for placement in near far; do
    PLACEMENT=$placement submit --dependency=singleton --partition=$placement
    jobs+=("$job")
  done
done
for job in "${jobs[@]}"; do expect_state 'COMPLETED 0:0' "$job"; done
ls results >out
[ "$(wc -l <out)" = 4 ] || fail "not four results: $(cat out)"
for result in results/*.h5; do expect_verified "$result"; done
log=$(log_of "${jobs[0]}")
grep -q "2 ranks on 1 host, asked for near" "$log" || fail "the log has no topology: $(cat "$log")"

/usr/bin/python3 - "${jobs[@]}" <<'PYTHON' || fail "the results do not say what Slurm said"
import glob, socket, sys, h5py
text = lambda value: value.decode() if isinstance(value, bytes) else str(value)
starts = []
for path in sorted(glob.glob("results/*.h5")):
    with h5py.File(path) as file:
        facts = {text(row["key"]): text(row["value"]) for row in file["environment"]}
        label = text(file.attrs["label.placement"])
        for rank in file["ranks"]:
            assert rank["bound"] == 1 and text(rank["binding"]).startswith("CPU"), rank
        starts.append((text(file.attrs["created"]), int(facts["slurm.job_id"]), label))
    assert facts["slurm.partition"] == label and f"/{label}-{facts['slurm.job_id']}-001" in path, (path, facts)
    assert facts["slurm.node"] == socket.gethostname().split(".")[0] and facts["slurm.nodes"] == "1", facts
    assert facts["slurm.job_name"] == "ringside-placement" and facts["slurm.cluster"] == "ringside-test", facts
starts.sort()
assert {str(job) for _, job, _ in starts} == set(sys.argv[1:]), starts
assert [label for _, _, label in starts] == ["near", "far", "near", "far"], starts
PYTHON

"$RINGSIDE" choose --by placement results >out 2>&1 || fail "choose: exit $?: $(cat out)"
for word in near far; do grep -qw $word out || fail "choose does not know $word: $(cat out)"; done

# Two launches in a job, by mpirun; a launch that fails; no name.
PLACEMENT=both LAUNCHES=2 RESULTS=$work/two LAUNCHER="$MPIEXEC" submit
expect_state 'COMPLETED 0:0' "$job"
for i in 001 002; do expect_verified "two/both-$job-$i.h5"; done
PLACEMENT=bad RUN='--set no.such=key' RESULTS=$work/bad submit
expect_state 'FAILED 4:0' "$job"
grep -q 'no.such' "$(log_of "$job")" || fail "no reason: $(cat "$(log_of "$job")")"
submit
expect_state 'FAILED 1:0' "$job"
grep -q 'PLACEMENT: set it' "$(log_of "$job")" || fail "no name: $(cat "$(log_of "$job")")"
exit 0
