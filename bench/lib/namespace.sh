#!/usr/bin/env bash
# Runs a command in a network namespace of its own with one device that frees every packet behind one
# gateway (10.64.0.0/16 and more), so that the transmit path alone is charged. Where that is not allowed it says so
# and runs the command as it is: the benches then send on loopback to sockets that nobody reads.
#   bench/lib/namespace.sh [--loopback] COMMAND...
# The namespace goes with the command. Where it is allowed the command gets the processor before anything else that
# the machine does (nice values count only within a session), or delays would tell of that.
set -euo pipefail

chrt --rr --pid 1 $$ >/dev/null 2>&1 || true

if [ "${1:-}" = --loopback ]; then
  shift
  exec "$@"
fi
if [ "${1:-}" = --inside ]; then
  shift
  ip link set lo up
  ip link add bench0 type ifb
  ip addr add 10.63.0.1/24 dev bench0
  ip link set bench0 up
  ip neigh add 10.63.0.2 lladdr 02:00:00:00:00:02 dev bench0 nud permanent
  ip route add 10.64.0.0/10 via 10.63.0.2
  exec "$@"
fi
if [ "${ALCOVE_BENCH_NAMESPACE:-}" = yes ]; then exec "$@"; fi
export ALCOVE_BENCH_NAMESPACE=yes
unshare=(unshare --net)
[ "$(id -u)" = 0 ] || unshare=(unshare --map-root-user --net)
if "${unshare[@]}" "$0" --inside true 2>/dev/null; then
  exec "${unshare[@]}" "$0" --inside "$@"
fi
echo "bench: no network namespace with an ifb device for this user; on loopback without a reader instead" >&2
exec "$@"
