set -e
cd "$(mktemp -d)"

test "$(openssl version | cut -d' ' -f2)" = 3.0.22
# The machine's name, user and date are not in it.
openssl version -b | grep -q '1980'
test "$(printf abc | openssl dgst -sha256 -r)" = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad *stdin"
test "$(printf '' | openssl dgst -provider legacy -provider default -md4 -r)" = "31d6cfe0d16ae931b73c59d7e0c089c0 *stdin"

# A certificate of one's own, and a server and a client that speak TLS 1.3 with it over loopback.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
openssl verify -CAfile cert.pem cert.pem
echo 'from the server' >page
openssl s_server -accept 127.0.0.1:4433 -cert cert.pem -key key.pem -WWW -quiet &
server=$!
trap 'kill $server' EXIT
for i in 1 2 3 4 5 6 7 8 9 10; do
	printf 'GET /page HTTP/1.0\r\n\r\n' | openssl s_client -connect 127.0.0.1:4433 -CAfile cert.pem -servername localhost \
		-verify_hostname localhost -verify_return_error -ign_eof >said 2>&1 && break
	sleep 0.5
done
grep 'New, TLSv1.3, Cipher is' said
grep 'from the server' said

# What the libraries are for.
cat >use.c <<'C'
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#ifndef OPENSSL_THREADS
#error "not for threads"
#endif
int main(void) {
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	puts(OpenSSL_version(OPENSSL_DIR));
	return context ? 0 : 1;
}
C
gcc -static -o use use.c -lssl -lcrypto
test "$(./use)" = 'OPENSSLDIR: "/etc/ssl"'
