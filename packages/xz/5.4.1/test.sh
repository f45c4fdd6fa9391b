set -e
seq 1 100000 >text
cp text before
xz -9 text
[ ! -e text ]
[ "$(wc -c <text.xz)" -lt "$(($(wc -c <before) / 2))" ]
xz -dk text.xz
cmp text before
if head -c 1000 text.xz | xz -dc >part; then
	exit 1
fi
