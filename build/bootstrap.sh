#!/bin/sh
# Run first by every npm script: makes node_modules what package-lock.json says, and says so. After it, `node` is the pinned Node 24.
set -eu
cd "$(dirname "$0")/.."
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "· npm packages (npm ci)" >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
