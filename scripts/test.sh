#!/bin/sh
# npm test [-- TEST-FILE ...]: the same set-up as npm start, as far as needed, then every check and test.
set -eu
cd -- "$(dirname -- "$0")/.."
sh scripts/setup.sh test
PATH=$PWD/node_modules/.bin:/usr/sbin:/sbin:$PATH
export PATH
node scripts/check.ts
node bootstrap/quickstart.ts
exec ava "$@"
