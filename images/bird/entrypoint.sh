#!/bin/sh
# Runs BIRD with a configuration that the announcer writes, from the moment it is there, and ends with BIRD.
#
#   entrypoint.sh CONFIGURATION CONTROL-SOCKET SECONDS
#
# Told to end (SIGTERM), it does not end BIRD: routes are to be marked and withdrawn first, while the balancer still
# serves. The announcer sees to that, and then tells BIRD `down`. Only if nobody does within SECONDS, BIRD is ended.
set -eu
configuration=$1
socket=$2
patience=$3
bird=
isTold=

end() {
  isTold=yes
  [ -z "$bird" ] || last
}

# BIRD's own SIGTERM: sessions are closed, and routers know at once.
last() {
  trap '' TERM INT
  (sleep "$patience" && kill -TERM "$bird") 2>/dev/null &
}

trap end TERM INT

# What a predecessor left would be taken for BIRD's.
rm -f "$socket"
[ -s "$configuration" ] || echo "waiting for $configuration" >&2
while [ ! -s "$configuration" ]; do
  [ -z "$isTold" ] || exit 0
  sleep 0.1
done

bird -f -c "$configuration" -s "$socket" &
bird=$!
[ -z "$isTold" ] || last
code=0
while kill -0 "$bird" 2>/dev/null; do
  # A signal interrupts this, too.
  wait "$bird" && code=0 || code=$?
done
exit "$code"
