set -e
printf 'all: a b\na b:\n\techo $@ >$@\n' >Makefile
make -j2
[ "$(cat a b)" = "a
b" ]
make | grep -q 'Nothing to be done'
