#!/bin/sh
# Writes the recipe's parameters (lab/kamailio/README.md) from environment variables of the same names, and becomes
# Kamailio. Besides them:
#   ADDRESSES  to listen on, with commas between (a pod's status.podIPs); default: all of this machine
#   PORT       5060
#   USERS      the table of passwords, "alice=secret bob=secret"; FORWARDS: "bob=carol"
#   MEMORY_MB  shared memory, 64
# Only /run/kamailio is written.
set -eu
umask 077
parameters=/run/kamailio/parameters.cfg

fail() {
  echo "entrypoint: $*" >&2
  exit 1
}

# What would end a string of Kamailio's, or its line, has no place in one.
check() {
  case $2 in *[\"\\]* | *'
'*) fail "$1 may not contain quotes, backslashes or line ends" ;; esac
}

# NAME [SUFFIX]: as a string, if it is set.
text() {
  eval "value=\${$1:-}"
  [ -n "$value" ] || return 0
  check "$1" "$value"
  printf '#!define %s "%s%s"\n' "$1" "$value" "${2:-}"
}

number() {
  eval "value=\${$1:-}"
  case $value in '') return 0 ;; *[!0-9]*) fail "$1 is not a number" ;; esac
  printf '#!define %s %s\n' "$1" "$value"
}

# TABLE "user=value user=value"
rows() {
  for row in $2; do
    check "$1" "$row"
    printf '\t$sht(%s=>%s) = "%s";\n' "$1" "${row%%=*}" "${row#*=}"
  done
}

for name in REALM NONCE_SECRET SHARED; do
  eval "[ -n \"\${$name:-}\" ]" || fail "$name is missing: see lab/kamailio/README.md"
done
NAME_HEADER=${NAME_HEADER:-"Server: $(hostname)"}
{
  for name in REALM NONCE_SECRET SHARED PASSWORD_SECRET GATEWAY SHARED_HOSTS PING_FROM NAME_HEADER CONTROL; do
    text "$name"
  done
  text TRACE_HEADER '\r\n'
  for name in PING_INTERVAL EXPIRES_MIN CHILDREN; do number "$name"; done
  echo 'include_file "/etc/kamailio/sipcast/kamailio.cfg"'
  echo 'event_route[htable:mod-init] {'
  rows users "${USERS:-}"
  rows forward "${FORWARDS:-}"
  printf '\treturn;\n}\n'
} >"$parameters"

set -- -DD -E -f "$parameters" -m "${MEMORY_MB:-64}" -M 8
for address in $(echo "${ADDRESSES:-$(hostname -I)}" | tr ',' ' '); do
  case $address in
    *:*) set -- "$@" -l "udp:[$address]:${PORT:-5060}" ;;
    *) set -- "$@" -l "udp:$address:${PORT:-5060}" ;;
  esac
done
exec kamailio "$@"
