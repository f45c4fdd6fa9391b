set -e
cd "$(mktemp -d)"

curl --version | grep '^Features:.* HTTP2 .*SSL' >/dev/null
curl --version | grep 'OpenSSL/3' | grep 'zlib/' | grep 'nghttp2/' >/dev/null

echo 'from a file' >page
test "$(curl -s "file://$PWD/page")" = 'from a file'

# TLS with a server of one's own: its certificate is checked, and so is the name in it.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
openssl s_server -accept 127.0.0.1:4433 -cert cert.pem -key key.pem -WWW -quiet &
server=$!
trap 'kill $server' EXIT
test "$(curl -s --retry 10 --retry-connrefused --retry-delay 1 --cacert cert.pem https://localhost:4433/page)" = 'from a file'
status=0
curl -s https://localhost:4433/page || status=$?
test "$status" = 77 || test "$status" = 60
status=0
curl -s --cacert cert.pem --resolve other:4433:127.0.0.1 https://other:4433/page || status=$?
test "$status" = 60
