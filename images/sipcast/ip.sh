#!/bin/sh
# `ip` with CAP_NET_ADMIN, for the announcer only: any other container that drops all capabilities cannot even start it.
exec /usr/lib/sipcast/grant --inh-caps +net_admin --ambient-caps +net_admin /sbin/ip "$@"
