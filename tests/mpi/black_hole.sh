#!/usr/bin/env bash
# Ranks on two hosts of a lab, between which packets are dropped or rejected: before ranks connect, in one direction only,
# and in the middle of a case. The run ends in time with exit code 4 and names the cause; what had finished is in the file.
source "$(dirname "$0")/lab.bash"
PATH=$PATH:/usr/sbin command -v nft >/dev/null || { echo "skipped: no nft (package nftables)"; exit 77; }
PATH=$PATH:/usr/sbin
lab_do up --name "$lab"

# block RULE...: in the second host's own firewall. Rank 1 is there, and calls rank 0.
block() {
  local rules='add table inet ringside
    add chain inet ringside in { type filter hook input priority 0; }
    add chain inet ringside out { type filter hook output priority 0; }'
  for rule in "$@"; do rules+=$'\n'"add rule inet ringside $rule"; done
  ip netns exec "rslab-$lab-h2" nft -f - <<<"$rules"
}
block 'in iif eth0 tcp dport 65000 drop' 2>"$work/err" ||
  { echo "skipped: nft makes no rules here: $(head -1 "$work/err")"; exit 77; }
unblock() {
  ip netns exec "rslab-$lab-h2" nft delete table inet ringside
}
unblock

run() {
  "$RINGSIDE" lab run --name "$lab" -n 2 -- run -q -o "$work/run.h5" --force --set tcp.ports=40000-40009 \
    --set run.timeout=2s --set algorithm=ring --set baseline=none "$@" >"$work/out" 2>&1
  status=$?
}
# expect_failure WHAT TEXT...: of the run before; in that order, in one line.
expect_failure() {
  local what=$1 pattern=''
  shift
  for text in "$@"; do pattern+="$text.*"; done
  [ $status = 4 ] || fail "$what: exit $status: $(cat "$work/out")"
  grep -qE "$pattern" "$work/out" || fail "$what: not '$pattern' but: $(cat "$work/out")"
}

# Answers are lost on their way back, as with a network ACL that has no rule for ephemeral ports; then calls are.
for rule in 'in tcp sport 40000-40009 drop' 'out tcp dport 40000-40009 drop'; do
  block "$rule"
  run --set size=8
  unblock
  expect_failure "$rule" 'rank 1: tcp: connecting to rank 0' 'no answer from 10.77.0.1:40000 in 2 s' \
    'a security group or network ACL that drops\?' 'Both directions and ports 40000-40009 must be open'
done

# A firewall that says no.
block 'out tcp dport 40000-40009 reject with tcp reset'
run --set size=8
unblock
expect_failure reject 'rank 1: tcp: connecting to rank 0 at 10.77.0.1:40000' 'connection refused'

# In the middle, when a case has finished: silence, and a reset.
for rule in 'out tcp dport 40000-40009 drop' 'out tcp dport 40000-40009 reject with tcp reset'; do
  rm -f "$work/run.h5"
  {
    for _ in {1..100}; do
      [ -e "$work/run.h5" ] && [ "$("$RINGSIDE" show --csv "$work/run.h5" 2>/dev/null | wc -l)" -ge 2 ] && break
      sleep 0.1
    done
    block "$rule"
  } &
  run --set size=8..1MiB --set run.case_time=300ms --set samples.interval_width=0.0001% --set samples.max_iterations=1000000
  wait
  unblock
  case $rule in
  *drop) expect_failure "$rule" 'ring: nothing moved for 2 s' 'from rank [01] on lane 0' 'drop packets\?' ;;
  *) expect_failure "$rule" 'Connection reset by peer|closed the connection' ;;
  esac
  "$RINGSIDE" show "$work/run.h5" >"$work/table" || fail "$rule: the file does not open"
  grep -q partial "$work/table" || fail "$rule: the file does not say partial"
  [ "$("$RINGSIDE" show --csv "$work/run.h5" | wc -l)" -ge 2 ] || fail "$rule: the finished case is gone"
done
exit 0
