#!/usr/bin/env bash
#
# The rules of the tree that a compiler does not check:
#   - a module includes only the modules that rs_module() in CMakeLists.txt says it uses, and bench no private header;
#   - each outside library is seen by one module: MPI by launch and baseline, HDF5 by store, and so on;
#   - only bench prints and exits, and MPI_Abort stands in one place;
#   - no two C files have the same name.
# First it plants a violation of each kind into a copy of the tree and sees that it is found.
set -euo pipefail
tree=${RS_SOURCE_DIR:?the root of the source tree}

# The header, as a pattern, and the files that may include it, as a pattern.
outside='
mpi\.h                 ^src/launch/|^src/baseline/mpi
hdf5.*\.h|H5.*\.h      ^src/store/
infiniband/.*          ^src/transport/
yaml\.h                ^src/options/
hwloc.*                ^src/topology/
jansson\.h             ^src/report/|^src/topology/
curl/.*                ^src/topology/http_get\.c$
gloo/.*                ^src/baseline/gloo_shim\.cc$
'

# "edge MODULE USED" for every edge that CMakeLists.txt declares.
edges() {
  sed 's/#.*//' CMakeLists.txt | tr '\n' ' ' | grep -o 'rs_module([^)]*)' | sed 's/^rs_module(//; s/ *LIBRARIES.*//; s/)//' |
    awk '{ for (i = 3; i <= NF; i++) print "edge", $1, $i }'
}

# "include FILE HEADER" for every #include of a C file, or of the one in C++.
includes() {
  find src include bench \( -name '*.[ch]' -o -name '*.cc' \) -exec grep -HoE '^ *# *include *[<"][^>"]+' {} + |
    sed 's/^/include /; s/: *# *include *[<"]/ /'
}

check_includes() {
  {
    edges
    sed -n 's/^./outside &/p' <<<"$outside"
    find src -name '*.h' -printf 'private %P\n'
    includes
  } | awk '
    $1 == "edge" { used[$2, $3] = 1 }
    $1 == "outside" { pattern[++rules] = "^(" $2 ")$"; files[rules] = $3 }
    $1 == "private" { private[$2] = 1 }
    $1 == "include" {
      split($2, path, "/")
      split($3, header, "/")
      module = path[2] # src/MODULE/FILE
      if (path[1] == "bench") module = "bench"
      if (path[1] == "include") module = substr(path[3], 1, length(path[3]) - 2)
      if (header[1] == "ringside") {
        of = substr(header[2], 1, length(header[2]) - 2)
        if (module != "bench" && module != of && !((module, of) in used))
          print $2 " includes " $3 ", but CMakeLists.txt does not say that " module " uses " of
      } else if (header[1] != module && $3 in private)
        print $2 " includes " $3 ", which is private to " header[1]
      for (i = 1; i <= rules; i++)
        if ($3 ~ pattern[i] && $2 !~ files[i]) print $2 " includes " $3 ", which only " files[i] " may"
    }'
}

check_output() {
  find src include -name '*.[ch]' -exec sed -n 's,//.*,,; /\(^\|[^a-zA-Z0-9_]\)\(v\?printf\|puts\|putchar\|exit\)(/{F;=;p}; /\bstdout\b/{F;=;p}' {} + |
    paste -d' ' - - - | while read -r file line text; do
      printf '%s:%s prints or exits, which only bench does: %s\n' "$file" "$line" "$text"
    done
  find src bench -name '*.c' -exec grep -Hn 'MPI_Abort(' {} + | tail -n +2 |
    sed 's/\(:[0-9]*\):.*/\1 calls MPI_Abort, which stands in one place already/'
}

check_names() {
  find src include bench tests -name '*.[ch]' | sed 's,.*/,,' | sort | uniq -d | sed 's/$/ is the name of two files/'
}

# All violations in the tree TREE, one a line.
violations() {
  (
    cd "$1"
    check_includes
    check_output
    check_names
  )
}

# planted FILE LINE TEXT: with LINE added to FILE of a copy, exactly one violation is found, and it says TEXT.
planted() {
  local file=$1 line=$2 text=$3 copy found
  copy=$(mktemp -d)
  cp -r "$tree/CMakeLists.txt" "$tree/src" "$tree/include" "$tree/bench" "$tree/tests" "$copy"
  printf '%s\n' "$line" >>"$copy/$file"
  found=$(violations "$copy" | grep -vxF "$already" || true)
  rm -r "$copy"
  if [ "$(wc -l <<<"$found")" != 1 ] || [[ $found != *"$text"* ]]; then
    printf "planted '%s' into %s; expected one violation with '%s', found: %s\n" "$line" "$file" "$text" "$found"
    exit 1
  fi
}

already=$(violations "$tree")
planted src/collective/ring.c '#include "ringside/transport.h"' 'not say that collective uses transport'
planted include/ringside/stats.h '#include "ringside/store.h"' 'not say that stats uses store'
planted src/stats/stats.c '#include "store/h5file.h"' 'private to store'
planted bench/main.c '#include "store/h5file.h"' 'private to store'
planted src/stats/stats.c '#include <mpi.h>' 'includes mpi.h'
planted src/report/new.c '#include <hdf5.h>' 'includes hdf5.h'
planted src/base/new.c '#include <infiniband/verbs.h>' 'includes infiniband/verbs.h'
planted src/topology/new.c '#include <curl/curl.h>' 'includes curl/curl.h'
planted src/baseline/gloo.c '#include <gloo/context.h>' 'includes gloo/context.h'
planted src/stats/stats.c 'static void f(void) { printf("x"); }' 'prints or exits'
planted src/stats/stats.c 'static void f(void) { exit(1); }' 'prints or exits'
planted src/stats/stats.c 'static void f(FILE *file) { fputs("x", stdout); }' 'prints or exits'
planted src/launch/new.c 'static void f(void) { MPI_Abort(0, 1); }' 'one place already'
planted tests/unit/stats.c '// the same name as src/stats/stats.c' 'stats.c is the name of two files'

if [ -n "$already" ]; then
  printf '%s\n' "$already"
  exit 1
fi
