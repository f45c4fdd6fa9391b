set -e
cd "$(mktemp -d)"

# Two servers: one has the data, the other asks it, over TLS.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=data.test -addext subjectAltName=DNS:data.test 2>/dev/null
cat >data.conf <<C
server:
	interface: 127.0.0.1@5301
	interface: 127.0.0.1@8530
	tls-port: 8530
	tls-service-key: "$PWD/key.pem"
	tls-service-pem: "$PWD/cert.pem"
	username: ""
	chroot: ""
	directory: "$PWD"
	pidfile: "$PWD/data.pid"
	use-syslog: no
	local-zone: "example." static
	local-data: "www.example. 300 IN A 192.0.2.7"
	local-data: "www.example. 300 IN AAAA 2001:db8::7"
	local-data: 'www.example. 300 IN TXT "a text"'
remote-control:
	control-enable: no
C
cat >ask.conf <<C
server:
	interface: 127.0.0.1@5302
	username: ""
	chroot: ""
	directory: "$PWD"
	pidfile: "$PWD/ask.pid"
	use-syslog: no
	do-not-query-localhost: no
	tls-cert-bundle: "$PWD/cert.pem"
	module-config: "iterator"
remote-control:
	control-enable: yes
	control-interface: $PWD/control
forward-zone:
	name: "."
	forward-addr: 127.0.0.1@8530#data.test
	forward-tls-upstream: yes
C
unbound-checkconf data.conf
unbound-checkconf ask.conf
unbound-checkconf
unbound -d -c data.conf 2>data.log &
data=$!
unbound -d -c ask.conf 2>ask.log &
ask=$!
trap 'kill $data $ask; cat data.log ask.log' EXIT

# unbound-host asks as a program would that has the library.
host() {
	printf 'server:\n\tdo-not-query-localhost: no\n\tmodule-config: "iterator"\nforward-zone:\n\tname: "."\n\tforward-addr: 127.0.0.1@%s\n' "$1" >host.conf
	shift
	unbound-host -C host.conf "$@"
}
for i in 1 2 3 4 5 6 7 8 9 10; do
	host 5301 -t A www.example. | grep 192.0.2.7 && break
	sleep 0.5
done
test "$(host 5301 -t TXT www.example.)" = 'www.example. has TXT record "a text"'
test "$(host 5302 -t A www.example.)" = 'www.example. has address 192.0.2.7'
test "$(host 5302 -t AAAA www.example.)" = 'www.example. has IPv6 address 2001:db8::7'
host 5302 -t A none.example. | grep 'not found: 3(NXDOMAIN)'

# The second time it is answered from memory.
host 5302 -t A www.example.
unbound-control -c ask.conf stats_noreset | grep '^total.num.cachehits=[1-9]'
