#!/bin/sh
# Ends what the lab started once the lab itself is gone, however it went (SIGKILL included): our standard input is a
# pipe that nobody else holds, so its end of file means that the lab's process has ended. Works through its list then.
# Lines: "group PID" watch a process group · "forget PID" it has ended · "netns NAME" delete this namespace at the end
# · "directory PATH" remove this directory at the end (of ours only, by its name).
trap '' INT TERM HUP
groups=' '
namespaces=''
directories=''
while read -r verb name; do
  case "$verb" in
    group) groups="$groups$name " ;;
    forget) groups=$(printf %s "$groups" | sed "s/ $name / /") ;;
    netns) namespaces="$namespaces $name" ;;
    directory) directories="$directories $name" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for namespace in $namespaces; do ip netns delete "$namespace" 2>/dev/null; done
for directory in $directories; do
  # A test may have given it a disk of its own.
  case "$directory" in */sipcast-lab-??????) umount "$directory" 2>/dev/null; rm -rf "$directory" ;; esac
done
exit 0
