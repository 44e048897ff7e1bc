#!/bin/sh
# Whether BIRD answers, or is still to be started: `alive.sh CONTROL-SOCKET`.
[ ! -S "$1" ] || exec birdc -r -s "$1" show status
