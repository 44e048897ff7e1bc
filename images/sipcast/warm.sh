#!/bin/sh
# Part of the image's build: runs the programs for a moment, as the user they will run as, so that Node keeps what it
# compiled. Without it every start of every thread strips the types anew (dataplane/main.ts). Node keeps it apart by
# user, and takes it only under the flags it was made with: therefore a folder for each program, which
# NODE_COMPILE_CACHE names at run time.
set -eu
cache=/opt/sipcast/compile-cache
install -d -o 65532 -g 65532 "$cache" /tmp/warm
printf '%s\n' '{apiVersion: sipcast.io/v1alpha1, kind: SipProxy, metadata: {name: warm}, spec: {addresses: [127.0.0.1],' \
  'port: 15060, proxies: {static: [{name: a, address: 127.0.0.1, port: 15061}]}}}' >/tmp/warm/warm.yaml

# PROGRAM SECONDS ARGUMENTS…: for so long after it is up, however long that takes here; ended by SIGTERM, as in the
# cluster, which is asked for once: without --foreground, timeout sends it twice, and a second one ends a program at once.
# A balancer is up when its threads are.
run() {
  program=$1
  seconds=$2
  log=/tmp/$program.log
  shift 2
  : >"$log"
  NODE_COMPILE_CACHE=$cache/$program NODE_ENV=production setpriv --reuid 65532 --regid 65532 --clear-groups \
    timeout --foreground --preserve-status --kill-after 10 300 /opt/node "$@" >"$log" &
  pid=$!
  until grep -q '"event":"Started"' "$log"; do
    kill -0 "$pid" || { cat "$log" && exit 1; }
    sleep 0.2
  done
  [ "$program" != balancer ] || timeout 300 /opt/node -e "
    const ask = () => fetch('http://127.0.0.1:15062/readyz').then(({ ok }) => ok || again(), again)
    const again = () => setTimeout(ask, 200)
    ask()"
  sleep "$seconds"
  kill -TERM "$pid"
  wait "$pid"
}

run operator 6 operator/main.ts --directory /tmp/warm &
sleep 1
run balancer 4 dataplane/main.ts --directory /tmp/warm --name warm --inside 127.0.0.1 --metrics 127.0.0.1:15062
wait $!
# What reads BgpPeers is loaded when it is needed; there is no BIRD here, and no address is touched.
run announcer 3 dataplane/announcer/main.ts --directory /tmp/warm --name warm --ip /bin/false \
  --bird-config /tmp/warm/bird.conf --bird-socket /tmp/warm/bird.ctl

# Once more as a pod, of a cluster whose API server does not answer: it serves by the table kept above.
account=/var/run/secrets/kubernetes.io/serviceaccount
install -d "$account"
for file in token ca.crt namespace; do echo warm >"$account/$file"; done
export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=9
run balancer 4 dataplane/main.ts --kubernetes --namespace warm --name warm --inside 127.0.0.1 \
  --metrics 127.0.0.1:15062 --keys /tmp/warm/keys.json --state /tmp/warm/state/warm
rm -r "${account%/kubernetes.io/*}"

chmod -R a=rX "$cache"
for program in operator balancer announcer; do test -n "$(find "$cache/$program" -type f)"; done
