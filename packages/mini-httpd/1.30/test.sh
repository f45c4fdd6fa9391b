set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

mkdir www www/private
echo 'from the server' >www/page.html
echo 'of a package' >www/old.html
touch -d '2026-01-01 00:00:00' www/page.html
touch -d '1980-01-01 00:00:00' www/old.html
printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n%%s" "asked: $QUERY_STRING"\n' >www/ask.cgi
chmod 755 www/ask.cgi
mini_httpd -D -h 127.0.0.1 -p 8080 -d www -c '*.cgi' -l log &
server=$!
trap 'kill $server' EXIT
get() { wget -q -O - "http://127.0.0.1:8080/$1"; }
for i in 1 2 3 4 5 6 7 8 9 10; do
	get page.html >said 2>&1 && break
	sleep 0.5
done
test "$(get page.html)" = 'from the server'
test "$(get 'ask.cgi?this')" = 'asked: this'
get private/ | grep -i 'index of'
not get none.html
not get ../../etc/passwd

# The time of packages is no answer to whether something changed; other times are.
since() { wget -S -O out --header "If-Modified-Since: $1" "http://127.0.0.1:8080/$2" 2>&1; }
since 'Tue, 01 Jan 1980 00:00:00 GMT' old.html >heads
grep ' 200 ' heads
not grep -i 'last-modified' heads
since 'Thu, 01 Jan 2026 00:00:00 GMT' page.html >heads || true
grep ' 304 ' heads
