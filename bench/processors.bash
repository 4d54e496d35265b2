# What of the processors' time is not ours: read by bench/peers/run and bench/tune, no program of its own. They set
# `limit`, a percentage, and `anyway`, not empty where it may be passed.
processors=$(nproc)
processor_ticks=$(getconf CLK_TCK)

# Ticks that processors worked for processes, or that a hypervisor took.
busy_ticks() {
  awk '$1 == "cpu" {print $2 + $3 + $4 + $9}' /proc/stat
}

# others_percent BEFORE AFTER SECONDS OURS: of the processors' time, what was not ours.
others_percent() {
  awk -v busy=$(($2 - $1)) -v ticks="$processor_ticks" -v seconds="$3" -v ours="$4" -v processors="$processors" 'BEGIN {
    others = busy / ticks - ours
    printf "%.1f", (others > 0 ? 100 * others / (seconds * processors) : 0) }'
}

too_much() {
  awk -v others="$1" -v limit="$limit" 'BEGIN {exit !(others > limit)}'
}

# processors_check PROGRAM: ends it with exit code 3 where something else runs now.
processors_check() {
  local before
  before=$(busy_ticks)
  sleep 2
  others=$(others_percent "$before" "$(busy_ticks)" 2 0)
  too_much "$others" || return 0
  printf '%s: something else uses %s%% of the processors now (the limit is %s%%): ' "$1" "$others" "$limit" >&2
  [ -n "$anyway" ] || { printf 'nothing that is measured could be quoted; see --anyway\n' >&2 && exit 3; }
  printf 'figures will be marked\n' >&2
}

# processors_run FOLDER COMMAND...: runs it, with what it says in FOLDER/log; sets `others`.
processors_run() {
  local folder=$1 before seconds user system status=0 TIMEFORMAT='%R %U %S'
  shift
  before=$(busy_ticks)
  { time "$@" </dev/null >"$folder/log" 2>&1; } 2>"$folder/time" || status=$?
  read -r seconds user system <"$folder/time"
  others=$(others_percent "$before" "$(busy_ticks)" "$seconds" "$(awk "BEGIN {print $user + $system}")")
  return "$status"
}
