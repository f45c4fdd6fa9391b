set -e
[ "$(sh -c 'x=abc; echo ${x#a} $((6 * 7))')" = 'bc 42' ]
[ "$(printf '%s' a b | { read -r x || echo "$x"; })" = ab ]
