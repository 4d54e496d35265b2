# Whom bench/peers/run holds ringside against, and with which settings: read by it, no program of its own. Everything is
# a word of the environment, so that the result file records it. Where the settings come from: docs/performance.md.

# Keeps the buffers that a library allocates for every call, instead of mapping them afresh each time.
kept='MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296'
forced='OMPI_MCA_coll_tuned_use_dynamic_rules=1 OMPI_MCA_coll_tuned_allreduce_algorithm'

# launch | program | networks | baselines | environment. A launch measures ringside too, so that each ratio is of one
# launch. The baseline mpi goes by the launch's name.
peers_launches="
openmpi                  | openmpi | loopback shm 1gbit 5gbit | mpi |
openmpi-linear           | openmpi | loopback shm 1gbit 5gbit | mpi | $forced=1 $kept
openmpi-reduce-broadcast | openmpi | loopback shm 1gbit 5gbit | mpi | $forced=2 $kept
openmpi-doubling         | openmpi | loopback shm 1gbit 5gbit | mpi | $forced=3 $kept
openmpi-ring             | openmpi | loopback shm 1gbit 5gbit | mpi | $forced=4 $kept
openmpi-segmented-ring   | openmpi | loopback shm 1gbit 5gbit | mpi | $forced=5 OMPI_MCA_coll_tuned_allreduce_algorithm_segmentsize=1048576 OMPI_MCA_btl_tcp_links=2 $kept
openmpi-rabenseifner     | openmpi | loopback shm 1gbit 5gbit | mpi | $forced=6 $kept
openmpi-ucx              | ucx     | loopback shm             | mpi | $kept
mpich                    | mpich   | loopback shm             | mpi | $kept
gloo                     | gloo    | loopback 1gbit 5gbit     | gloo-ring,gloo-bcube,gloo-ring-whole,gloo-ring-chunked,gloo-halving-doubling | $kept
"

# network | library | environment. In a lab, ringside lab gives mpirun the same words for Open MPI.
# shellcheck disable=SC2034  # bench/peers/run reads it
peers_networks='
loopback | openmpi | OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo
loopback | ucx     | OMPI_MCA_pml=ucx OMPI_MCA_pml_ucx_tls=any OMPI_MCA_pml_ucx_devices=any UCX_TLS=tcp,self UCX_NET_DEVICES=lo
loopback | mpich   | MPIR_CVAR_NOLOCAL=1 UCX_TLS=tcp,self UCX_NET_DEVICES=lo
loopback | gloo    | OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo GLOO_SOCKET_IFNAME=lo
shm      | openmpi | OMPI_MCA_pml=ob1 OMPI_MCA_btl=vader,self
shm      | ucx     | OMPI_MCA_pml=ucx OMPI_MCA_pml_ucx_tls=any OMPI_MCA_pml_ucx_devices=any UCX_TLS=sm,self
shm      | mpich   |
1gbit    | openmpi | OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=eth0
1gbit    | gloo    | OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=eth0 GLOO_SOCKET_IFNAME=eth0
5gbit    | openmpi | OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=eth0
5gbit    | gloo    | OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=eth0 GLOO_SOCKET_IFNAME=eth0
'

# peers_row TABLE KEY...: the last column of the first row whose leading columns are KEY..., without blanks around it.
peers_row() {
  local table=$1
  shift
  awk -F'|' -v keys="$*" '
    function bare(text) { gsub(/^ +| +$/, "", text); return text }
    BEGIN { count = split(keys, key, " ") }
    { for (i = 1; i <= count; i++) if (bare($i) != key[i]) next; print bare($NF); exit }' <<<"$table"
}

# peers_launches_on NETWORK: "NAME PROGRAM BASELINES" of each launch that this network has.
peers_launches_on() {
  awk -F'|' -v network="$1" 'NF > 1 && index(" " $3 " ", " " network " ") {
    gsub(/ /, "", $1); gsub(/ /, "", $2); gsub(/ /, "", $4); print $1, $2, $4 }' <<<"$peers_launches"
}
