# How bench/soak follows a run and judges it: read by it, no program of its own. It sets `program`, `mpiexec`, `here` (the
# run's folder), `inside`, `how`, `action`, `victim`, `at_ms`, `ends`, `patience_ms` and `timeout_s`.

# ---- a run, in life ---------------------------------------------------------------------------------------

# alive: sets `alive`, the processes of runs: all of these programs, and without namespaces those that name our folder.
alive() {
  local name pid
  alive=()
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    case $name in
      "${program##*/}" | "${mpiexec##*/}" | mpirun | orterun | orted | prterun | prted | hydra_pmi_proxy) ;;
      *) continue ;;
    esac
    [ "$inside" = yes ] || grep -qsF "$here" "/proc/$pid/cmdline" || continue
    ! grep -qs '^State:.*Z' "/proc/$pid/status" || continue
    alive+=("$pid")
  done
}

# rank_process RANK: sets `process`, empty when there is none; under run.threads it is that of all ranks.
rank_process() {
  local pid name
  process=''
  alive
  for pid in ${alive[@]+"${alive[@]}"}; do
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    [ "$name" = "${program##*/}" ] || continue
    if [ "$how" = threads ] ||
      tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qE "^(OMPI_COMM_WORLD_RANK|PMI_RANK|PMIX_RANK)=$1\$"; then
      process=$pid
      return
    fi
  done
}

# hurt: does `action` to the run whose launcher is process $1; sets `hit`.
hurt() {
  hit=no
  case $action in
    launcher-*) process=$1 ;;
    *) rank_process "$victim" ;;
  esac
  [ -n "$process" ] || return 0
  case $action in
    rank-pause)
      kill -s STOP "$process" 2>/dev/null || return 0
      sleep 1
      kill -s CONT "$process" 2>/dev/null || true
      ;;
    *) kill -s "${action#*-}" "$process" 2>/dev/null || return 0 ;;
  esac
  hit=yes
}

# weigh: the largest resident set (kB) and number of descriptors of any rank; sets `rss_kb`, `descriptors`, and keeps
# the largest as `peak_kb`.
weigh() {
  local pid key value _
  rss_kb=0 descriptors=0
  alive
  for pid in ${alive[@]+"${alive[@]}"}; do
    { read -r value <"/proc/$pid/comm"; } 2>/dev/null || continue
    [ "$value" = "${program##*/}" ] || continue
    while read -r key value _; do
      case $key in
        VmHWM:) [ "$value" -le "$peak_kb" ] || peak_kb=$value ;;
        VmRSS:) [ "$value" -le "$rss_kb" ] || rss_kb=$value ;;
      esac
    done 2>/dev/null <"/proc/$pid/status" || true
    set -- "/proc/$pid/fd"/*
    [ $# -le "$descriptors" ] || descriptors=$#
  done
}

# reported: sets `done_cases` and `all_cases`, as the run's progress line told last.
reported() {
  local last
  last=$(tr '\r' '\n' <"$here/err" | sed -n 's/^\[[# ]*\] \([0-9]*\)\/\([0-9]*\) .*/\1 \2/p' | tail -n 1)
  read -r done_cases all_cases <<<"${last:-0 0}"
}

# follow PROCESS: until the run ends; sets `code`, `took_ms`, `hung`.
follow() {
  local started acted_ms=0
  now_ms
  started=$now hung=no hit=no peak_kb=0
  : >"$here/weights"
  while kill -0 "$1" 2>/dev/null; do
    now_ms
    if [ "$action" != none ] && [ $acted_ms = 0 ] && [ $((now - started)) -ge "$at_ms" ]; then
      acted_ms=$((now - started))
      hurt "$1"
    fi
    if [ $((now - started - acted_ms)) -gt "$patience_ms" ]; then
      hung=yes
      alive
      stacks >"$here/stacks" 2>&1 || true
      kill -s KILL ${alive[@]+"${alive[@]}"} "$1" 2>/dev/null || true
    fi
    weigh
    [ "$rss_kb" = 0 ] || printf '%s %s %s\n' $((now - started)) "$rss_kb" "$descriptors" >>"$here/weights"
    sleep 0.1
  done
  code=0
  wait "$1" || code=$?
  now_ms
  took_ms=$((now - started))
}

# stacks: where the processes in `alive` are.
stacks() {
  local pid
  for pid in ${alive[@]+"${alive[@]}"}; do
    printf '%s %s: %s, %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "$(grep State: "/proc/$pid/status")" \
      "$(cat "/proc/$pid/wchan")"
    ! command -v gdb >/dev/null || timeout 20 gdb -p "$pid" -batch -ex 'thread apply all bt 20' 2>/dev/null
  done
}

# ---- judging ----------------------------------------------------------------------------------------------

# wrong TEXT: one thing that was wrong with this run.
wrong() {
  faults+=("$1")
}

judge_code() {
  local complete=$1
  [ "$hung" = no ] || { wrong "it hung: no end within $((patience_ms / 1000)) s"; return; }
  if [ "$code" = 0 ]; then
    [ "$complete" = yes ] || wrong "exit 0 without a complete file"
    return
  fi
  [ "$hit" = yes ] || { wrong "exit $code although nothing was done to it"; return; }
  case ${ends[$action]} in
    0) wrong "exit $code after $action, which does no harm" ;;
    4) [ "$code" = 4 ] || wrong "exit $code instead of 4 after $action" ;;
  esac
  [ "$code" != 4 ] || grep -q 'ringside[a-z ]*: ' "$here/err" || wrong "exit 4 without a word"
}

# Of a file that is there, all readers must be able to make something.
judge_file() {
  local format rows values
  for format in table json jsonl csv prometheus stragglers; do
    "$program" show --format "$format" "$here/run.h5" >"$here/show.$format" 2>"$here/show.err" ||
      { wrong "show --format $format fails: $(head -n 1 "$here/show.err")"; return; }
  done
  rows=$(($(wc -l <"$here/show.csv") - 1))
  file=partial
  ! grep -q '^ "status": "complete"' "$here/show.json" || file=complete
  [ "$rows" -ge "$done_cases" ] || wrong "the file holds $rows cases, and $done_cases were reported finished"
  [ "$file" = partial ] || [ "$rows" = "$all_cases" ] || wrong "the file is complete with $rows of $all_cases cases"
  values=$(verified "$here/run.h5" | tr '\n' ' ')
  case $values in
    '' | '1 ' | '0 ' | '0 1 ') ;;
    *) wrong "results were wrong: verified is $values" ;;
  esac
}

# What is left behind. Who was killed in the middle of writing leaves the file that was not in place yet; a launcher
# that was killed leaves its own session folder.
judge_leftovers() {
  local since names
  now_ms
  since=$now
  alive
  while [ ${#alive[@]} -gt 0 ] && [ $((now - since)) -lt $(((3 * timeout_s + 5) * 1000)) ]; do
    sleep 0.2
    alive
    now_ms
  done
  if [ ${#alive[@]} -gt 0 ]; then
    stacks >"$here/stacks" 2>&1 || true
    wrong "${#alive[@]} processes are left: $(ps -o comm=,stat=,wchan= -p "$(IFS=,; printf '%s' "${alive[*]}")" | tr -s ' \n' ' ;')"
    kill -s KILL "${alive[@]}" 2>/dev/null || true
  fi
  names=$(find "$here/results" -mindepth 1 ! -name run.h5 -printf '%f ')
  [[ $hit == yes && $names =~ ^\.run\.h5\.[^\ ]*\.partial\ $ && $file != complete ]] && names=''
  [ -z "$names" ] || wrong "files are left: $names"
  if [ "$inside" = yes ]; then
    names=$(find /dev/shm -mindepth 1 -printf '%f ')
    # Emulated ranks share memory by its name until the last of them has opened it: who dies before leaves it.
    [[ $hit == yes && $file == none && $names =~ ^ringside-[0-9a-f]{32}\ $ ]] && names=''
    [ -z "$names" ] || wrong "shared memory is left: $names"
    find /dev/shm -mindepth 1 -delete
  fi
  names=$(find "$here/tmp" -mindepth 1 ! -path '*/ompi.*' -printf '%P ')
  [ -z "$names" ] || wrong "temporary files are left: $names"
}

judge() {
  local complete=no
  faults=() file=none
  mv "$here/results/run.h5" "$here/run.h5" 2>/dev/null || true
  reported
  [ ! -e "$here/run.h5" ] || judge_file
  [ $file != complete ] || complete=yes
  judge_code $complete
  ! grep -qE 'Assertion|AddressSanitizer|runtime error|signal (4|6|7|8|11) ' "$here/err" ||
    wrong "a rank broke: $(grep -E -m 1 'Assertion|AddressSanitizer|runtime error|signal (4|6|7|8|11) ' "$here/err")"
  judge_leftovers
}

# ---- memory and descriptors -------------------------------------------------------------------------------

# judge_growth: of a long run, the first fifth left out: the last fifth needs no more than the second, but for
# the copy that rank 0 makes of the file.
judge_growth() {
  local growth
  growth=$(awk '
    { at[NR] = $1; rss[NR] = $2; fds[NR] = $3 }
    END {
      for (i = 1; i <= NR; i++) {
        fifth = int(5 * at[i] / (at[NR] + 1))
        if (fifth == 1) { if (rss[i] > rss_then) rss_then = rss[i]; if (fds[i] > fds_then) fds_then = fds[i] }
        if (fifth == 4) { if (rss[i] > rss_now) rss_now = rss[i]; if (fds[i] > fds_now) fds_now = fds[i] }
      }
      if (rss_now > 1.1 * rss_then + 4096) print "memory grew from " rss_then " to " rss_now " kB; "
      if (fds_now > fds_then + 4) print "descriptors grew from " fds_then " to " fds_now
    }' "$here/weights")
  [ -z "$growth" ] || wrong "in a long run $growth"
}
