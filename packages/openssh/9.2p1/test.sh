set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

ssh-keygen -q -t ed25519 -N '' -f host
ssh-keygen -q -t ed25519 -N '' -f key
ssh-keygen -q -t ecdsa -N '' -f other
ssh-keygen -q -t rsa -b 3072 -N secret -f rsa
test "$(ssh-keygen -y -P secret -f rsa | cut -d' ' -f2)" = "$(cut -d' ' -f2 rsa.pub)"
cp key.pub authorized
cat >sshd_config <<C
ListenAddress 127.0.0.1
Port 2222
HostKey $PWD/host
PidFile $PWD/pid
AuthorizedKeysFile $PWD/authorized
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp /bin/sftp-server
C
/bin/sshd -t -f sshd_config
/bin/sshd -D -e -f "$PWD/sshd_config" 2>log &
server=$!
trap 'kill $server; cat log' EXIT
printf '[127.0.0.1]:2222 %s\n' "$(cat host.pub)" >known
cat >ssh_config <<C
Host server
	HostName 127.0.0.1
	Port 2222
	UserKnownHostsFile $PWD/known
	StrictHostKeyChecking yes
	IdentitiesOnly yes
	BatchMode yes
C
for i in 1 2 3 4 5 6 7 8 9 10; do
	ssh -F ssh_config -i key server true 2>said && break
	sleep 0.5
done
test "$(ssh -F ssh_config -i key server 'echo "over $SSH_CONNECTION"' | cut -d' ' -f1,2,5)" = 'over 127.0.0.1 2222'
status=0
seq 1 50000 | ssh -C -F ssh_config -i key server "cat >$PWD/copy; exit 3" || status=$?
test "$status" = 3
seq 1 50000 | cmp - copy

# Files go there and back.
seq 1 1000 >file
scp -q -F ssh_config -i key file "server:$PWD/there"
scp -q -F ssh_config -i key "server:$PWD/there" back
cmp file back

# With another key there is no way in, nor to a server with another key.
not ssh -F ssh_config -i other server true 2>>said
printf '[127.0.0.1]:2222 %s\n' "$(cat other.pub)" >known
not ssh -F ssh_config -i key server true 2>>said

# Keys sign files.
printf 'me %s\n' "$(cat key.pub)" >allowed
ssh-keygen -q -Y sign -f key -n file file
ssh-keygen -q -Y verify -f allowed -I me -n file -s file.sig <file
