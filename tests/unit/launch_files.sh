#!/usr/bin/env bash
#
# configs/launch and docs/on-a-cluster.md: scripts parse, YAML fits the schemas of MPIJob and ParallelCluster also with
# the parts that are commented out, and every command, option, key and path that a user is told to type exists.
set -euo pipefail
cd "${RS_SOURCE_DIR:?the root of the source tree}"

for module in yaml jsonschema; do
  /usr/bin/python3 -c "import $module" 2>/dev/null || { echo "skipped: no python3-$module"; exit 77; }
done
bash -n configs/launch/slurm.sbatch
/usr/bin/python3 tests/support/launch_files.py "${RINGSIDE:?the program}" .

# The host file is one for Open MPI, or, in its comments, for MPICH.
grep -Eq '^[0-9.]+ slots=[0-9]+$' configs/launch/hostfile.example
if grep -Evq '^(#.*|[A-Za-z0-9.-]+ slots=[0-9]+)?$' configs/launch/hostfile.example; then
  echo 'hostfile.example has lines that are neither hosts nor comments'
  exit 1
fi
