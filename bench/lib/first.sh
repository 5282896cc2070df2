#!/usr/bin/env bash
# Runs a command as a session of its own that the scheduler prefers where that is allowed, so that whatever else the
# machine does disturbs less. Within it the nice values of threads count as they always do.   bench/lib/first.sh COMMAND...
setsid bash -c 'echo -20 >/proc/self/autogroup; exec "$@"' bash "$@" 2> >(grep -v autogroup >&2) &
child=$!
trap 'kill -TERM -- -$child 2>/dev/null' INT TERM
wait "$child"
