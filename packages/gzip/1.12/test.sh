set -e
seq 1 100000 >text
cp text before
gzip -9 text
[ ! -e text ]
[ "$(wc -c <text.gz)" -lt "$(($(wc -c <before) / 2))" ]
gzip -dk text.gz
cmp text before
if head -c 1000 text.gz | gzip -dc >part; then
	exit 1
fi
