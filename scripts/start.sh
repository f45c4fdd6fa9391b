#!/bin/sh
# npm start: from a fresh checkout to a command that runs in a root of packages built from source.
set -eu
cd -- "$(dirname -- "$0")/.."
sh scripts/setup.sh start
PATH=$PWD/node_modules/.bin:$PATH
node bootstrap/quickstart.ts
exec sh scripts/demonstration.sh
