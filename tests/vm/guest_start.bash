# shellcheck shell=bash disable=SC2154
# The first process of the guest once it has the host's root file system. Sourced by a file that tests/vm/guest writes;
# sets: tests (this folder), limit (seconds), netem (or nothing), out (a folder is shared, or nothing), exact_clock
# (yes or nothing).
# Nobody reads its own output but the console, which is shown when the guest does not come back.
: >/run/guest/begun # else the kernel died on its way here
export PATH=$tests:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/run/home

# Open MPI: root may start ranks, more than there are processors; they talk over lo and let others run while they wait.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none

printf '127.0.0.1 localhost ringside-vm\n' >/etc/hosts
if [ -n "$out" ]; then
  mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /run/out && export OUT=/run/out
fi
# While the guest waits for a file of the host, an idle processor would let its clock jump to the next timer, seconds
# ahead. One that is never idle gives it no occasion; and whoever wakes must not wait for another's time slice to end.
if [ -n "$exact_clock" ]; then
  chrt -i 0 busybox sh -c 'while :; do :; done' &
  mount -t debugfs debugfs /sys/kernel/debug && echo 0 >/sys/kernel/debug/sched/wakeup_granularity_ns
fi
ip link set lo up
if wire up && { [ -z "$netem" ] || wire netem "$netem"; }; then
  status=0
  timeout -k 5 "$limit" /bin/bash /run/guest/command </dev/null >/run/guest/stdout 2>/run/guest/stderr || status=$?
  echo "$status" >/run/guest/status
fi
# Qemu runs with -no-reboot, so this ends it; it is quicker than powering off.
busybox reboot -f
