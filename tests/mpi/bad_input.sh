#!/usr/bin/env bash
# Bad input: one clear line, exit code 2, nothing touched. With mpirun and alone.
source "$(dirname "$0")/launch.bash"
cd "$work" || exit 1

# What lies in the folder, but for our own notes.
listing() {
  find "$work" -type f ! -name message -printf '%p %s %T@\n' | sort
}

# refuse WORDS... -- ARGUMENTS...: exit 2, every word in the message, no file left behind.
refuse() {
  local words=() before after status
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  before=$(listing)
  "$RINGSIDE" "$@" >message 2>&1
  status=$?
  after=$(listing)
  [ $status = 2 ] || fail "$*: exit $status instead of 2: $(cat message)"
  [ "$before" = "$after" ] || fail "$*: something was touched"
  for word in "${words[@]}"; do grep -qF -- "$word" message || fail "$*: no '$word' in: $(cat message)"; done
}

printf 'size: 8\nrun:\n  timout: 3s\n' >typo.yaml
printf 'size: 8\nsize: 16\n' >twice.yaml
printf 'size: 8..\n' >size.yaml
echo data >exists.h5
echo "no result" >foreign.h5
touch message

refuse "typo.yaml:3:3" "run.timout" "run.timeout" -- run typo.yaml
refuse "twice.yaml:2:1" "size" -- run twice.yaml
refuse "size.yaml:1:7" "8.." -- run size.yaml
refuse "missing.yaml" -- run missing.yaml
refuse "--set" "sise" "size" -- run --set sise=8
refuse "rong" "ring" "tree" -- run --set algorithm=rong
refuse "tpc" "tcp" "loop" "null" -- run --set transport=tpc
refuse "nccl" "mpi" -- run --set baseline=nccl
refuse "no multiple" "float64" -- run --set size=12 --set datatype=float64
refuse "nosuch0" "lo" -- run --set tcp.interface=nosuch0 -o new.h5
refuse "exists.h5" "--force" -- run -o exists.h5 --set size=8
refuse "/nonexistent" -- run -o /nonexistent/new.h5 --set size=8
refuse "memory" -- run -o new.h5 --set size=512GiB
refuse "--label" "KEY=VALUE" -- run --label placement -o new.h5
refuse "there is no option" -- run --frobnicate
refuse "there is no command" "run" -- rum
refuse "foreign.h5" -- show foreign.h5
refuse "missing.h5" -- show missing.h5
refuse "missing.h5" -- compare missing.h5 --with foreign.h5
refuse "--with" -- compare foreign.h5
[ "$(cat exists.h5)" = data ] || fail "exists.h5 was changed"

# Under mpirun it is one line, not one per rank.
launch 3 run --set algorithm=rong >out 2>err
status=$?
[ $status = 2 ] || fail "mpirun with a bad algorithm: exit $status"
[ "$(grep -c "there is no algorithm" err)" = 1 ] || fail "not one line: $(cat err)"

# Ranks that disagree.
"$MPIEXEC" "${mpi_flags[@]}" -np 1 "$RINGSIDE" run --set size=8 -o a.h5 : -np 1 "$RINGSIDE" run --set size=16 -o a.h5 >out 2>err
status=$?
[ $status = 2 ] || fail "ranks that disagree: exit $status: $(cat err)"
grep -q "disagree about the configuration" err || fail "no word of disagreement: $(cat err)"
[ ! -e a.h5 ] || fail "a file was written by ranks that disagree"

# A transport inside one process cannot join processes.
launch 2 run --set transport=loop -o loop.h5 >out 2>err
status=$?
[ $status = 2 ] || fail "loop under mpirun: exit $status: $(cat err)"
grep -q "run.threads" err || fail "loop under mpirun: no advice: $(cat err)"
