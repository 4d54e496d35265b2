#!/bin/sh
# docs/results-format.md and the result file say the same, its example works, and changed files are read or refused.
set -eu
python=/usr/bin/python3
if ! "$python" -c 'import h5py, pandas' 2>/dev/null; then
  echo "skipped: needs h5py and pandas (apt install python3-h5py python3-pandas)"
  exit 77
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$python" "$RS_SOURCE_DIR/tests/store/check_format.py" "$RS_SOURCE_DIR/docs/results-format.md" \
  "$RS_BUILD_DIR/tests/test_store" "$directory"
