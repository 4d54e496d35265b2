#!/usr/bin/env bash
#
# What bench/package/flags.cmake promises, read from what was built: every program is position independent, with its
# tables of pointers read-only, its stack not executable and no path that means the current folder; every file was
# compiled with the flags; and a file compiled in another folder gives the same bytes. First, a program and a command
# without all that are found out. The last part calls the compiler itself: a launcher such as ccache may put paths of its
# own (CCACHE_BASEDIR) into what it makes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  printf 'FAILED: %s\n' "$@" >&2
  exit 1
}
for tool in readelf strings python3; do
  command -v $tool >/dev/null || { echo "there is no $tool" && exit 77; }
done
commands=$RS_BUILD_DIR/compile_commands.json

# faults PROGRAM: what it lacks, one a line.
faults() {
  local header dynamic segments symbols
  header=$(readelf -hW "$1")
  dynamic=$(readelf -dW "$1")
  segments=$(readelf -lW "$1")
  symbols=$(readelf --dyn-syms -W "$1")
  [[ $1 == *.so ]] || { grep -q 'Type: *DYN' <<<"$header" && grep -q 'FLAGS_1.* PIE' <<<"$dynamic"; } || echo 'not position independent'
  grep -q 'GNU_RELRO' <<<"$segments" || echo 'no RELRO'
  grep -q 'FLAGS_1.* NOW' <<<"$dynamic" || echo 'not bound at start'
  grep -q 'GNU_STACK.* RW ' <<<"$segments" || echo 'executable stack'
  ! grep -q TEXTREL <<<"$dynamic" || echo 'writable code'
  # Each path ends in ':' here, so that an empty one shows.
  ! sed -n '/R\(UN\)\?PATH/s/.*\[\(.*\)\]$/\1:/p' <<<"$dynamic" | tr ':' '\n' | sed '$d' | grep -qv '^/' ||
    echo 'a relative or empty path to libraries'
  grep -q __stack_chk_fail <<<"$symbols" || echo 'no stack protector'
}

# ---- a program without it is found out
cat >"$work/weak.c" <<'C'
#include <stdio.h>
int main(int argc, char **argv) { char text[64]; return snprintf(text, sizeof text, "%s", argv[argc - 1]) > 63; }
C
cc -O1 -fno-stack-protector -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack -Wl,-rpath,lib: -o "$work/weak" "$work/weak.c" 2>/dev/null
[ "$(faults "$work/weak" | wc -l)" = 6 ] || fail "of a weak program only this is found: $(faults "$work/weak")"

# ---- every program
count=0
for program in "$RINGSIDE" "$RS_BUILD_DIR"/tests/*; do
  if [ ! -f "$program" ] || [ ! -x "$program" ] || ! readelf -h "$program" >/dev/null 2>&1; then continue; fi
  found=$(faults "$program")
  # Small test programs may have no array to protect.
  [ "$program" = "$RINGSIDE" ] || found=$(grep -vx 'no stack protector' <<<"$found" || true)
  [ -z "$found" ] || fail "$program: $found"
  count=$((count + 1))
done
echo "hardened programs: $count"

# ---- every file was compiled so; and the program shows it
python3 - "$commands" >"$work/flags" <<'PYTHON' || fail "$(cat "$work/flags")"
import json, shlex, sys

entries = json.load(open(sys.argv[1]))

def lacks(command):
    words = shlex.split(command)
    wanted = ["-fPIC" if "-fPIC" in words else "-fPIE", "-fstack-protector-strong", "-Wdate-time"]
    # What the compiler may not have, some files have or none.
    wanted += [w for w in ("-fstack-clash-protection", "-fcf-protection=full") if any(w in e["command"] for e in entries)]
    optimised = any(w in ("-O1", "-O2", "-O3", "-Os") for w in words)
    if optimised and not any(w.startswith("-fsanitize") for w in words):
        wanted.append("-D_FORTIFY_SOURCE=2")
    missing = [w for w in wanted if w not in words]
    missing += [w for w in words if w in ("-fno-stack-protector", "-fno-pie")]
    # The last one counts; kernels do without landing pads.
    branches = [w for w in words if w.startswith("-fcf-protection")][-1:]
    kernels = any("/src/memory/" in w for w in words)
    missing += [w for w in branches if w not in (["-fcf-protection=return"] if kernels else ["-fcf-protection=full"])]
    if sum(w.startswith("-ffile-prefix-map=") for w in words) < 2:
        missing.append("-ffile-prefix-map")
    return missing

assert len(lacks("cc -O2 -c x.c")) >= 5, "a command without flags is not found out"
assert len(lacks("cc -c x.c -fcf-protection=full -fcf-protection=none")) > len(lacks("cc -c x.c -fcf-protection=full"))
assert len(entries) > 100, len(entries)
bad = [f"{e['file']}: {' '.join(lacks(e['command']))}" for e in entries if lacks(e["command"])]
print("\n".join(bad[:5]))
sys.exit(bool(bad))
PYTHON
if grep -q -- -D_FORTIFY_SOURCE=2 "$commands" && grep -q -- '-O[123s]' "$commands"; then
  grep -q '__[a-z]*printf_chk' <<<"$(readelf --dyn-syms -W "$RINGSIDE")" || fail "$RINGSIDE: no call is fortified"
fi
if grep -q -- -fcf-protection=full "$commands" && [ "$(uname -m)" = x86_64 ]; then
  marks=$(readelf -nW "$RS_BUILD_DIR/librs_base.a" | grep -c 'IBT, SHSTK')
  [ "$marks" -ge 5 ] || fail "librs_base.a: $marks files with marks of indirect branches"
  marks=$(readelf -nW "$RS_BUILD_DIR/librs_memory.a" | grep -cw 'SHSTK')
  [ "$marks" -ge 3 ] || fail "librs_memory.a: $marks files with marks of guarded returns"
fi

# ---- the same bytes in another folder; sanitizers and coverage keep places of their own
! grep -qE '^(RS_SANITIZE:[^=]*=.|CMAKE_C_FLAGS:.*--coverage)' "$RS_BUILD_DIR/CMakeCache.txt" || exit 0
value_of() { sed -n "s/^$1:[^=]*=//p" "$RS_BUILD_DIR/CMakeCache.txt"; }
compiler=$(value_of CMAKE_C_COMPILER)
launcher=$(value_of CMAKE_C_COMPILER_LAUNCHER)
[[ $(readlink -f "$compiler") != *ccache ]] || launcher=$compiler
# compiled NAME SED: compiles some files of a copy of the tree in the folder NAME by the build's own commands, without
# their launcher, with debug information, in which paths stand, and their -ffile-prefix-map for the new place; SED changes
# the commands once more.
compiled() {
  local tree=$work/$1/tree build=$work/$1/out
  mkdir -p "$tree" "$build/objects"
  cp -r "$RS_SOURCE_DIR/src" "$RS_SOURCE_DIR/include" "$RS_SOURCE_DIR/bench" "$tree"
  python3 - "$commands" "$RS_SOURCE_DIR" "$RS_BUILD_DIR" "$tree" "$build" "$compiler" >"$work/script" <<'PYTHON'
import json, os, re, sys

commands, source, build, new_source, new_build, compiler = sys.argv[1:]
chosen = ("base/error.c", "options/yaml_tree.c", "memory/kernel_portable.c", "launch/world_mpi.c", "store/paths.c",
          "report/report_html.c", "bench/version.c")
places = {source: new_source, build: new_build}
pattern = re.compile("|".join(re.escape(p) for p in sorted(places, key=len, reverse=True)))
for entry in json.load(open(commands)):
    if entry["file"].endswith(chosen):
        # What stands before the compiler launches it.
        command = entry["command"][max(entry["command"].find(compiler + " "), 0):]
        moved = pattern.sub(lambda match: places[match.group()], command)
        print(re.sub(r" -o \S+", f" -g -o {new_build}/objects/{os.path.basename(entry['file'])}.o", moved))
PYTHON
  sed -i -E "$2" "$work/script"
  [ "$(wc -l <"$work/script")" = 7 ] || fail "not seven commands: $(cat "$work/script")"
  (cd "$build" && CCACHE_DISABLE=1 bash -e "$work/script") || fail "compiling in $build failed"
}
compiled here ''
compiled another/place ''
compiled unmapped 's/ -ffile-prefix-map=[^ ]*//g'
diff -r "$work/here/out/objects" "$work/another/place/out/objects" || fail 'a file compiled in another folder differs'
! diff -rq "$work/here/out/objects" "$work/unmapped/out/objects" >/dev/null ||
  fail 'files compiled without -ffile-prefix-map do not differ, so the comparison shows nothing'
# named FOLDER FILE...: whether a file names a path under the folder; the first few. All is read, or strings would fail.
named() { strings -a "${@:2}" | grep -F "$1/" | sed -n '1,3p'; }
! named "$work" "$work"/another/place/out/objects/*.o || fail 'a compiled file knows where its sources lay'
named "$work" "$work"/unmapped/out/objects/*.o >/dev/null ||
  fail 'files compiled without -ffile-prefix-map name no path, so looking for paths shows nothing'
if [ -n "$launcher" ]; then
  echo "$RINGSIDE was made through $launcher, which may rewrite paths: not searched for them"
else
  ! named "$RS_SOURCE_DIR" "$RINGSIDE" || fail "$RINGSIDE knows where its sources lay"
  ! named "$RS_BUILD_DIR" "$RINGSIDE" || fail "$RINGSIDE knows where it was built"
fi
