set -e
cd "$(mktemp -d)"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
start() {
	redis-server --bind 127.0.0.1 --port 6379 --tls-port 6380 --tls-cert-file cert.pem --tls-key-file key.pem \
		--tls-ca-cert-file cert.pem --tls-auth-clients no --dir "$PWD" --appendonly yes --save '' >log 2>&1 &
	server=$!
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(redis-cli ping 2>/dev/null)" = PONG ] && return
		sleep 0.5
	done
	cat log
	return 1
}
start
trap 'kill $server' EXIT

redis-cli set greeting hello
redis-cli rpush list a b c
test "$(redis-cli lrange list 1 2)" = "b
c"
# Scripts run in the server.
test "$(redis-cli eval "return redis.call('get', KEYS[1]) .. ' ' .. cjson.encode({1, 2})" 1 greeting)" = 'hello [1,2]'
test "$(redis-cli --tls --cacert cert.pem -h localhost -p 6380 get greeting)" = hello

# What was said done is there after a stop.
redis-cli shutdown || true
wait $server || true
start
test "$(redis-cli get greeting)" = hello
redis-check-aof appendonlydir/appendonly.aof.manifest | grep 'All AOF files and manifest are valid'
