#!/bin/sh
# Part of the image's build: the production dependencies and Node, as the lock file has them, without what never runs.
set -eu
if [ -n "${EXTRA_CA:-}" ]; then
  printf '%s\n' "$EXTRA_CA" >/tmp/extra-ca.pem
  export NODE_EXTRA_CA_CERTS=/tmp/extra-ca.pem
fi
npm ci --omit=dev --no-audit --no-fund --loglevel=error --cache /tmp/npm \
  --workspace operator --workspace dataplane --include-workspace-root

# Node's own package: the one of this architecture. Its symbols are a fifth of it; add-ons need the dynamic ones only.
strip --strip-all -o /opt/node node_modules/node-linux-*/bin/node
rm -r node_modules/node-linux-* node_modules/.bin

# Declarations, maps, sources that were compiled, documents: a third of the packages.
rm -rf node_modules/@types node_modules/undici-types node_modules/zod/src \
  node_modules/koffi/vendor node_modules/koffi/doc \
  node_modules/@koromix/*/musl_* node_modules/bare-*/prebuilds
find node_modules -type f \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' -o \
  -iname '*.md' -o -name '*.markdown' -o -name 'tsconfig*.json' \) -delete
find node_modules -type d \( -name test -o -name tests -o -name __tests__ -o -name benchmarks -o -name examples \) \
  -prune -exec rm -r {} +

# Without it the programs fall back to slower sockets that see no ICMP, and only say so in their logs.
/opt/node --input-type=module --eval "import 'koffi'"
