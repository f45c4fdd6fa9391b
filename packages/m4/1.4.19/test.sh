set -e
[ "$(printf 'define(`twice'"'"', `$1$1'"'"')twice(ab) eval(6 * 7)' | m4)" = 'abab 42' ]
