#!/bin/sh
# npm run bootstrap: the whole distribution, from a machine with a compiler. The options are bootstrap.ts's.
set -eu
cd -- "$(dirname -- "$0")/.."
sh scripts/setup.sh bootstrap
PATH=$PWD/node_modules/.bin:$PATH
exec node bootstrap/bootstrap.ts "$@"
