#!/bin/sh
# `entrypoint.sh bird` or `entrypoint.sh frr`: waits for /etc/router.conf, then runs that with it.
set -eu
configuration=/etc/router.conf
trap 'exit 0' TERM INT

# Flows are spread by their ports too. Packets go back into the segment that they came from: a redirect would tie a phone
# to one node.
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
  net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
for conf in /proc/sys/net/ipv4/conf/*; do
  echo 0 >"$conf/send_redirects"
  echo 0 >"$conf/rp_filter"
done

while [ ! -s "$configuration" ]; do sleep 0.1; done
case $1 in
  bird)
    install -d /run/bird
    bird -f -c "$configuration" &
    ;;
  frr)
    # zebra first: the others are its clients. The configuration is given as the distribution's service gives it.
    install -d -o frr -g frr /run/frr
    install -o frr -g frr -m 0640 "$configuration" /etc/frr/frr.conf
    echo 'service integrated-vtysh-config' >/etc/frr/vtysh.conf
    for daemon in zebra bfdd bgpd; do
      /usr/lib/frr/$daemon --config_file /dev/null --user frr --group frr --vty_port 0 --log stdout &
      while [ ! -S /run/frr/$daemon.vty ]; do sleep 0.1; done
    done
    vtysh -b
    ;;
esac
wait
