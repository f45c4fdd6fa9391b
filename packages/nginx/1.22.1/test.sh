set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

mkdir www
printf 'first' >www/page
printf 'second' >www/dated
touch -d '1980-01-01 00:00:00' www/page
touch -d '2026-01-01 00:00:00' www/dated
seq 1 5000 >www/numbers.txt
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >nginx.conf <<C
pid $PWD/nginx.pid;
events {}
http {
	include /etc/nginx/mime.types;
	gzip on;
	gzip_types text/plain;
	access_log off;
	server {
		listen 127.0.0.1:8080;
		listen 127.0.0.1:8443 ssl http2;
		ssl_certificate $PWD/cert.pem;
		ssl_certificate_key $PWD/key.pem;
		root $PWD/www;
		location ~ ^/user/(?<name>[a-z]+)\$ { return 200 "hello \$name"; }
		location /proxy/ { proxy_pass http://127.0.0.1:8080/; }
	}
}
C
nginx -t -q -c "$PWD/nginx.conf"
nginx -c "$PWD/nginx.conf" -g 'daemon off;' &
server=$!
trap 'kill $server' EXIT
get() { curl -s --cacert cert.pem "$@"; }

test "$(get --retry 10 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080/page)" = first
test "$(get http://127.0.0.1:8080/user/maria)" = 'hello maria'
test "$(get http://127.0.0.1:8080/proxy/dated)" = second
test "$(get --http2 -w ' %{http_version} %{response_code}' https://localhost:8443/page)" = 'first 2 200'
get --compressed -D heads http://127.0.0.1:8080/numbers.txt | cmp - www/numbers.txt
grep -i '^content-encoding: gzip' heads

# The time of packages makes no ETag and is no answer to whether something changed; other times are.
get -D heads -o page http://127.0.0.1:8080/page
not grep -i '^etag:\|^last-modified:' heads
test "$(get -o page -w '%{response_code}' -H 'If-Modified-Since: Tue, 01 Jan 1980 00:00:00 GMT' http://127.0.0.1:8080/page)" = 200
get -D heads -o page http://127.0.0.1:8080/dated
grep -i '^etag: "' heads
test "$(get -o page -w '%{response_code}' -H 'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT' http://127.0.0.1:8080/dated)" = 304

# The configuration that comes with it is one, and serves the page that does.
nginx -t -q >said 2>&1
