set -e
seq 1 100000 >text
cp text before
lzip -9 text
[ ! -e text ]
[ "$(wc -c <text.lz)" -lt "$(($(wc -c <before) / 2))" ]
lzip -dk text.lz
cmp text before
if head -c 1000 text.lz | lzip -dc >part; then
	exit 1
fi
