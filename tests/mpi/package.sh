#!/usr/bin/env bash
#
# The package of Debian that cpack makes. It is unpacked and its program starts; then, as root and with debootstrap, a
# bare Debian that holds what the package depends on and nothing else installs it, compares the three emulated placements
# of bench/quickstart under mpirun, and removes it without a trace. That Debian is made once, when `bench/check --package`
# asks for it (two minutes, 300 MB), and kept in RS_PACKAGE_CACHE (~/.cache/ringside/package); each test writes into a
# layer above it.
set -euo pipefail
fail() {
  printf 'FAILED: %s\n' "$@" >&2
  exit 1
}
skip() {
  printf 'skipped: %s\n' "$*" >&2
  exit 77
}

# ---- inside the bare Debian, in a mount namespace of its own

# inside ROOT: ROOT holds /work/ringside.deb.
inside() {
  local root=$1
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  files() { find "$root" -xdev \( -path "$root/work" -o -path "$root/tmp" -o -path "$root/var/log" \) -prune -o -print | sort; }
  in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/tmp DEBIAN_FRONTEND=noninteractive "$@"; }

  files >"$root/work/before"
  in_root dpkg -i /work/ringside.deb >"$root/work/log" 2>&1 || fail 'dpkg -i:' "$(cat "$root/work/log")"
  in_root ringside --version >"$root/work/log" 2>&1 || fail 'ringside --version:' "$(cat "$root/work/log")"

  # As nobody: an own folder for results is all that it takes.
  mkdir -m 777 "$root/work/results"
  # shellcheck disable=SC2016  # for the inner shell
  in_root setpriv --reuid 65534 --regid 65534 --clear-groups bash -c '
    cd /work/results && fabrics=/usr/share/ringside/configs/fabrics
    exec timeout 120 /usr/share/ringside/bench/placements --launches 1 --run "--set size=8 --set run.case_time=20ms" \
      cluster=$fabrics/aws-cluster.yaml spread=$fabrics/aws-spread.yaml two-zones=$fabrics/aws-two-zones.yaml -- -np 2' >"$root/work/log" 2>&1 ||
    fail 'bench/placements:' "$(tail -n 20 "$root/work/log")"
  grep -q '^results: ./placements-' "$root/work/log" || fail 'no comparison:' "$(cat "$root/work/log")"
  [ "$(find "$root/work/results" -name '*.h5' | wc -l)" = 3 ] || fail 'not three results' "$(cat "$root/work/log")"

  in_root dpkg -P ringside >"$root/work/log" 2>&1 || fail 'dpkg -P:' "$(cat "$root/work/log")"
  files >"$root/work/after"
  diff "$root/work/before" "$root/work/after" || fail 'files are left behind, or gone'
  ! in_root dpkg -s ringside >/dev/null 2>&1 || fail 'dpkg still knows ringside'
}
if [ "${1:-}" = inside ]; then
  inside "$2"
  exit
fi

# ---- the package

for tool in cpack dpkg-deb dpkg-shlibdeps; do
  command -v $tool >/dev/null || skip "there is no $tool"
done
! grep -q '^RS_SANITIZE:[^=]*=.' "$RS_BUILD_DIR/CMakeCache.txt" || skip 'a program with sanitizers is not packaged'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$RS_BUILD_DIR" && cpack -G DEB -B "$work" >"$work/log" 2>&1) || fail "$(tail -n 5 "$work/log")"
package=$(find "$work" -maxdepth 1 -name 'ringside_*.deb')
[ -s "$package" ] || fail "cpack made no package: $(cat "$work/log")"
depends=$(dpkg-deb -f "$package" Depends)
[[ $depends == *libhdf5* && $depends == *libyaml* ]] || fail "it depends on too little: $depends"
dpkg-deb -x "$package" "$work/unpacked"
program=$work/unpacked/usr/bin/ringside
[ "$("$program" --version | head -n 1)" = "ringside $(dpkg-deb -f "$package" Version)" ] || fail 'the unpacked program'
"$program" run -q -o "$work/alone.h5" --set run.threads=2 --set transport=loop --set baseline=none --set size=8 \
  --set algorithm=ring --set run.case_time=5ms --set placement.cloud=off >/dev/null || fail 'a run of the unpacked program'

# ---- a bare Debian with what it depends on

PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || skip 'not root, so it was unpacked and run, but not installed'
command -v debootstrap >/dev/null || skip 'no debootstrap, so it was unpacked and run, but not installed (bench/setup check)'
[[ $depends == *openmpi* ]] || skip 'built with another MPI than Open MPI, so it was unpacked and run, but not installed'
# shellcheck disable=SC1091
. /etc/os-release
# "libc6 (>= 2.34), libhdf5-103-1 | libhdf5-103": the first names.
names=$(tr ',' '\n' <<<"$depends" | sed 's/[|(].*//; s/ //g' | sort -u)
cache=${RS_PACKAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ringside/package}
base=$cache/$VERSION_CODENAME-$(cksum <<<"$names" | cut -d' ' -f1)

# make_base: under another name until it is whole.
make_base() {
  mkdir -p "$cache"
  rm -rf "$base.new"
  echo "making a bare $VERSION_CODENAME in $base, once" >&2
  timeout 500 debootstrap --variant=minbase "$VERSION_CODENAME" "$base.new" >"$work/log" 2>&1 || return
  # shellcheck disable=SC2086  # names are words
  timeout 300 chroot "$base.new" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $names >>"$work/log" 2>&1 || return
  rm -rf "$base.new"/var/cache/apt/archives/*.deb "$base.new"/var/lib/apt/lists/*
  mv "$base.new" "$base"
}
[ -d "$base" ] || [ -n "${RS_PACKAGE:-}" ] ||
  skip "it was unpacked and run, but not installed: 'bench/check --package' makes a bare Debian in $base for that"
[ -d "$base" ] || make_base || {
  rm -rf "$base.new"
  skip "no bare $VERSION_CODENAME: $(tail -n 2 "$work/log")"
}

# Mounts are in a namespace of this test's own, and end with it.
mkdir "$work/layer"
# shellcheck disable=SC2016  # for the inner shell
unshare --mount --propagation private bash -c '
  mount -t tmpfs -o size=512m ringside "$1" && mkdir "$1/upper" "$1/other" "$1/root" &&
    mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/other" ringside "$1/root" || exit 77
  mkdir "$1/root/work" && cp "$3" "$1/root/work/ringside.deb" && exec "$4" inside "$1/root"
' bash "$work/layer" "$base" "$package" "$(realpath "$0")" || {
  status=$?
  [ $status != 77 ] || skip 'no tmpfs or overlay can be mounted here'
  exit $status
}
