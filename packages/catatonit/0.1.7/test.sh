set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

test "$(catatonit --version | head -n 1)" = 'tini version 0.1.7_catatonit'

# The status of what it runs is its own; also where a signal ended that.
status=0
catatonit -- sh -c 'exit 7' || status=$?
test "$status" = 7
status=0
catatonit -- sh -c 'kill -TERM $$' || status=$?
test "$status" = 143

# It hands on signals, and waits for what they do.
catatonit -- sh -c 'trap "echo ended >ended; exit 0" TERM; echo >ready; while :; do sleep 0.1; done' &
while ! [ -e ready ]; do sleep 0.1; done
kill -TERM $!
wait $!
test "$(cat ended)" = ended

# A process whose parent ended becomes its own child, and it reaps it: no zombie is left.
catatonit -- sh -c 'sh -c "sleep 0.2 & echo \$! >orphan"; sleep 1; ps -o pid,stat' >list
orphan=$(cat orphan)
not grep "^ *$orphan " list
