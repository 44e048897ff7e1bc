#!/usr/bin/env bash
# Builds the images sipcast:TAG, sipcast-bird:TAG and sipcast-kamailio:TAG (default: dev) with the local Docker engine;
# or those that are named: `images/build.sh TAG router`.
# Certificates that this machine's administrator added, and another npm registry, are used for the build only.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:-dev}
# Debian brings no BuildKit along; the Dockerfiles need none.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
extra_ca=$(cat /usr/local/share/ca-certificates/*.crt 2>/dev/null || true)
arguments=(
  --build-arg "BASE_IMAGE=${BASE_IMAGE:-debian:bookworm-slim}"
  --build-arg "EXTRA_CA=$extra_ca"
  --build-arg "NPM_CONFIG_REGISTRY=$(npm config get registry 2>/dev/null)"
  --build-arg "VERSION=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)"
  --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
)
[ $# -gt 1 ] || set -- "$tag" sipcast bird kamailio
for name in "${@:2}"; do
  image=sipcast-$name
  [ "$name" != sipcast ] || image=sipcast
  docker build --quiet --file "images/$name/Dockerfile" --tag "$image:$tag" "${arguments[@]}" .
done
