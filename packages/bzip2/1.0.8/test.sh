set -e
seq 1 100000 >text
cp text before
bzip2 -9 text
[ ! -e text ]
[ "$(wc -c <text.bz2)" -lt "$(($(wc -c <before) / 2))" ]
bzip2 -dk text.bz2
cmp text before
if head -c 1000 text.bz2 | bzip2 -dc >part; then
	exit 1
fi
