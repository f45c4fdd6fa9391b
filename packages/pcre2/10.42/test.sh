set -e
cd "$(mktemp -d)"

printf '%s\n' 'key: 12' 'key: ab' 'größe: 7' >lines
test "$(pcre2grep -o1 '^key:\s+(\d+)$' lines)" = 12
test "$(pcre2grep -u -o '^\p{L}+(?=: 7)' lines)" = größe
test "$(pcre2grep -c '(?<!k)ey' lines || true)" = 0

# The just-in-time compiler makes the same matches.
printf '%s\n' '/(?<a>a+)b\k<a>/jitverify' '    aaabaaa' | pcre2test -q >out
grep '^ 0: aaabaaa (JIT)$' out
