#!/usr/bin/env bash
#
# The shell programs in bench/: they parse, explain themselves, refuse what they do not know, and bench/setup names and
# installs what is missing. That is tried on a pretended machine: a PATH that holds the basic tools alone, and an
# apt-get that writes down how it is called and "installs" by putting tools that always succeed into that PATH.
set -euo pipefail
cd "${RS_SOURCE_DIR:?the root of the source tree}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
machine=$scratch/bin
calls=$scratch/calls

fail() {
  printf '%s\n' "$@"
  exit 1
}

# on_machine COMMAND...: runs it there; sets `status` and `output`, which holds stdout and stderr.
on_machine() {
  status=0
  output=$(env -i PATH="$machine" bash "$@" 2>&1 </dev/null) || status=$?
}

# tool NAME SCRIPT: puts a program on the machine.
tool() {
  printf '#!/bin/bash\n%s\n' "$2" >"$machine/$1"
  chmod +x "$machine/$1"
}

# A bare machine; every package is unknown to apt-get before `update`, as in a fresh image.
new_machine() {
  rm -rf "$machine" "$calls" "$scratch/updated"
  mkdir "$machine"
  touch "$calls"
  for name in bash cat dirname env grep mktemp rm sed sort tail touch tr chmod; do
    ln -s "$(command -v "$name")" "$machine/$name"
  done
  tool id "echo $1"
  tool apt-get "
    while [ \"\$1\" = -o ]; do shift 2; done
    echo \"apt-get \$*\" >>$calls
    case \$1 in
      update) touch $scratch/updated ;;
      install)
        [ -f $scratch/updated ] || exit 100
        for name in cc cmake ninja pkg-config mpicc mpiexec mpicc.mpich mpiexec.mpich clang clang-format clang-tidy; do
          printf '#!/bin/bash\nexit 0\n' >$machine/\$name
          chmod +x $machine/\$name
        done ;;
    esac"
}

for script in bench/setup bench/quickstart bench/check bench/regress bench/placements bench/soak bench/soak_judge.bash \
  bench/tune bench/peers/run bench/peers/table bench/peers/settings.bash bench/processors.bash bench/launcher.bash bench/package/make_pages \
  bench/package/completion.bash .ci/run tests/vm/guest tests/vm/wire; do
  bash -n "$script" || fail "$script does not parse"
done
for script in bench/setup bench/quickstart bench/check bench/regress bench/placements bench/soak bench/tune bench/peers/run \
  bench/peers/table tests/vm/guest; do
  help=$("$script" --help) || fail "$script --help failed"
  [[ $help == Usage:* ]] || fail "$script --help printed: $help"
  status=0
  message=$("$script" --no-such-option 2>&1) || status=$?
  [[ $status == 2 && $message == *--no-such-option* ]] || fail "$script --no-such-option: exit $status: $message"
done

# Told to install nothing: everything is named, apt-get is not called.
new_machine 0
on_machine bench/setup check --no-install
[ "$status" = 2 ] || fail "--no-install on a bare machine: exit $status: $output"
for package in gcc cmake ninja-build pkg-config libopenmpi-dev libhwloc-dev libhdf5-dev libyaml-dev libjansson-dev \
  libcurl4-openssl-dev libcmocka-dev clang-tidy libmpich-dev; do
  [[ $output == *$package* ]] || fail "--no-install on a bare machine does not name $package: $output"
done
[ ! -s "$calls" ] || fail "--no-install called: $(cat "$calls")"

# The set "vm" is what the tests need, and the virtual machine's packages.
on_machine bench/setup vm --no-install
[[ $status == 2 && $output == *libcmocka-dev* && $output == *qemu-system-x86* && $output == *busybox-static* ]] ||
  fail "vm --no-install: exit $status: $output"

# So is the set "peers", with what ringside is held against.
on_machine bench/setup peers --no-install
[[ $status == 2 && $output == *gcc* && $output == *libgloo-dev* && $output == *libmpich-dev* && $output != *libcmocka-dev* ]] ||
  fail "peers --no-install: exit $status: $output"

# The set "run" leaves out what only tests need.
on_machine bench/quickstart --no-install
[[ $status == 2 && $output == *cmake* && $output != *cmocka* ]] || fail "quickstart --no-install: exit $status: $output"

# Installing: the lists are renewed because the first try fails, and a second call finds nothing to do.
on_machine bench/setup
[ "$status" = 0 ] || fail "installing as root: exit $status: $output"
[ "$(cut -d' ' -f1,2 "$calls" | tr '\n' ';')" = 'apt-get install;apt-get update;apt-get install;' ] ||
  fail "installing as root called: $(cat "$calls")"
on_machine bench/setup
[[ $status == 0 && $(wc -l <<<"$output") == 1 ]] || fail "with everything there: exit $status: $output"
[ "$(wc -l <"$calls")" = 3 ] || fail "with everything there, called: $(cat "$calls")"

# Not root: through sudo where there is one, else the command to run is named.
new_machine 1000
on_machine bench/setup
[[ $status == 2 && $output == *'apt-get install --no-install-recommends'* && ! -s $calls ]] ||
  fail "neither root nor sudo: exit $status: $output"
tool sudo "echo sudo >>$calls; exec \"\$@\""
on_machine bench/setup
[[ $status == 0 && $(head -n 1 "$calls") == sudo ]] || fail "with sudo: exit $status: $output"

# An installation that fails says so.
new_machine 0
tool apt-get 'echo "E: no network"; exit 100'
on_machine bench/setup
[[ $status == 4 && $output == *'E: no network'* ]] || fail "apt-get fails: exit $status: $output"
