set -e
[ "$(sh -c 'x=abc; echo ${x#a} $((6 * 7))')" = 'bc 42' ]
[ "$(echo a b | { read -r x y; echo "$y$x"; })" = ba ]
