set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

dropbearkey -t ed25519 -f host >host.pub
dropbearkey -t ed25519 -f key | grep '^ssh-ed25519' >key.pub
dropbearkey -t ed25519 -f other >other.pub

# Keys are looked for in the home that the system names, and taken if nobody else could have put them there.
home=$(sed -n "s/^$(id -un):[^:]*:[^:]*:[^:]*:[^:]*:\([^:]*\):.*/\1/p" /etc/passwd)
mkdir -p -m 700 "$home/.ssh"
cp key.pub "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"

dropbear -F -E -r host -p 127.0.0.1:2222 -P "$PWD/pid" 2>log &
server=$!
trap 'kill $server' EXIT
ssh() { dbclient -y -y -p 2222 "$@" 2>>said; }
for i in 1 2 3 4 5 6 7 8 9 10; do
	ssh -i key "$(id -un)@127.0.0.1" true && break
	sleep 0.5
done
test "$(ssh -i key "$(id -un)@127.0.0.1" 'echo "over $SSH_CONNECTION"' | cut -d' ' -f1,2,5)" = 'over 127.0.0.1 2222'
seq 1 50000 | ssh -i key "$(id -un)@127.0.0.1" 'cat >copy; exit 3' && status=0 || status=$?
test "$status" = 3
seq 1 50000 | cmp - "$home/copy"
# Another key is no key.
not ssh -i other "$(id -un)@127.0.0.1" true </dev/null
