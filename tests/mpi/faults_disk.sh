#!/usr/bin/env bash
# Results that are removed or moved away while a run goes on; a disk that is full before, during or at the end of it, on a
# tmpfs in a mount namespace of this test's own, which goes with its last process.
if [ -z "${FAULTS_NAMESPACE:-}" ] && unshare -m true 2>/dev/null; then
  FAULTS_NAMESPACE=private exec unshare -m "$0"
fi
source "$(dirname "$0")/faults.bash"

# run_here: six cases of 0.3 s by one rank, whose iterations are copies of some milliseconds
run_here() {
  start -- --set size=8MiB,9MiB,10MiB,11MiB,12MiB,13MiB --set algorithm=ring --set run.case_time=300ms --set run.threads=1 \
    --set transport=loop
}
# expect_end CODE STATUS [WORDS]: of the run; all six cases are in the file.
expect_end() {
  await_end 120
  [ "$status" = "$1" ] || fail "$fault: exit $status instead of $1: $(words)"
  "$RINGSIDE" show "$file" | grep -q "status *$2: 6 of 6" || fail "$fault: not $2 with all cases: $(words)"
  words | grep -q "${3:-}" || fail "$fault: not a word of '$3': $(words)"
  echo "$fault: exit $status, $2"
}

# ---- removed and moved

fault="results removed"
run_here
await_cases 1
rm -r "$work/results"
expect_end 0 complete "^result: $file"

fault="results removed, rank 0 killed later"
run_here
await_cases 1
rm -r "$work/results"
await_cases $(($(reported) + 2)) # the first of them may have been stored before
kill -KILL "$(rank_pid 0)"
await_end 120
expect_file partial
echo "$fault: $(finished "$file") cases"

fault="results moved"
run_here
await_cases 1
mv "$work/results" "$work/moved"
expect_end 0 complete
"$RINGSIDE" show "$work/moved/run.h5" | grep -q "partial: 6 of 6" || fail "$fault: the partial file did not go along"

# ---- full

[ -n "${FAULTS_NAMESPACE:-}" ] || {
  echo "skipped: a full disk, as this user may not have a mount namespace (unshare -m)"
  exit 77
}
disk=$work/results
trap 'umount -l "$disk" 2>/dev/null; end_all' EXIT
# disk_of SIZE: an empty one
disk_of() {
  umount "$disk" 2>/dev/null
  mkdir -p "$disk"
  mount -t tmpfs -o "size=$1" none "$disk" || fail "mounting a tmpfs"
}
fill() { cat /dev/zero >"$disk/fill" 2>/dev/null; }

fault="disk full before"
disk_of 64k
run_here
await_end 120
[ "$status" = 4 ] || fail "$fault: exit $status: $(words)"
words | grep -q "bytes on the disk.*No space left" || fail "$fault: not what it needs: $(words)"
[ -z "$(ls -A "$disk")" ] || fail "$fault: something is left: $(ls -A "$disk")"
echo "$fault: exit $status"

# Its space is its own already.
fault="disk full during"
disk_of 8m
run_here
await_cases 1
fill
await_cases 4
rm "$disk/fill"
expect_end 0 complete

fault="disk full at the end"
disk_of 8m
run_here
await_cases 1
fill
expect_end 4 partial "all cases are safe in $file.*No space left"
[ "$(ls -A "$disk" | tr '\n' ' ')" = "fill run.h5 " ] || fail "$fault: something is left: $(ls -A "$disk")"
