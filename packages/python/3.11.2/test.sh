set -e
cd "$(mktemp -d)"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >run.py <<'P'
import bz2, csv, datetime, decimal, email.utils, hashlib, http.server, json, lzma, multiprocessing, os, re, socket
import sqlite3, ssl, subprocess, sys, threading, unicodedata, urllib.request, xml.etree.ElementTree, zlib, zoneinfo

text = 'größe ' * 1000
for packer in zlib, bz2, lzma:
    packed = packer.compress(text.encode())
    assert len(packed) < 200 and packer.decompress(packed).decode() == text, packer

base = sqlite3.connect('shop.db')
base.execute('CREATE TABLE sale (item TEXT, price REAL)')
base.executemany('INSERT INTO sale VALUES (?, ?)', [('bread', 3), ('milk', 2), ('bread', 4)])
base.commit()
rows = base.execute('SELECT item, sum(price) FROM sale GROUP BY item ORDER BY item').fetchall()
assert rows == [('bread', 7.0), ('milk', 2.0)], rows

assert json.loads(json.dumps({'a': [1, None, 'ö']})) == {'a': [1, None, 'ö']}
assert xml.etree.ElementTree.fromstring('<r><c n="1"/></r>').find('c').get('n') == '1'
assert str(decimal.Decimal(1) / 7)[:8] == '0.142857'
assert unicodedata.name('ß') == 'LATIN SMALL LETTER SHARP S'
assert hashlib.sha3_256(b'').hexdigest().startswith('a7ffc6f8bf1ed766')
assert hashlib.new('ripemd160' if 'ripemd160' in hashlib.algorithms_available else 'sha256', b'')
berlin = datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))
assert berlin.utcoffset() == datetime.timedelta(hours=2)
assert subprocess.run(['sh', '-c', 'echo $((6 * 7))'], capture_output=True, text=True).stdout == '42\n'

# The authorities that the root has are those that are trusted.
assert len(ssl.create_default_context().get_ca_certs()) > 130

# A server and a client of it, over TLS.
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({'path': self.path}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('cert.pem', 'key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f'https://localhost:{server.server_address[1]}/this'
with urllib.request.urlopen(address, context=ssl.create_default_context(cafile='cert.pem')) as answer:
    assert json.load(answer) == {'path': '/this'}
try:
    urllib.request.urlopen(address)
    raise SystemExit('a certificate that nobody signed was taken')
except urllib.error.URLError as error:
    assert isinstance(error.reason, ssl.SSLCertVerificationError), error

# The time of packages is no answer to whether something changed; other times are.
def since(name, time):
    os.utime(name, (time, time))
    date = email.utils.formatdate(time, usegmt=True)
    request = urllib.request.Request(f'http://127.0.0.1:{plain.server_address[1]}/{name}', headers={'If-Modified-Since': date})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers['Last-Modified']
    except urllib.error.HTTPError as error:
        return error.code, None
plain = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=plain.serve_forever, daemon=True).start()
assert since('cert.pem', 315532800) == (200, None)
assert since('cert.pem', 1767225600) == (304, None)

with multiprocessing.get_context('fork').Pool(2) as pool:
    assert pool.map(abs, [-1, -2, 3]) == [1, 2, 3]
print('all of it works on', sys.version.split()[0])
P
test "$(python3 run.py)" = 'all of it works on 3.11.2'

# What is compiled is used, and nothing is written beside it.
python3 -v -c 'import json' 2>&1 | grep "matches /packages/python/.*/json/__init__.py"
test "$(python3 -c 'import sys; print(sys.prefix == sys.exec_prefix, sys.flags.dev_mode)')" = 'True False'
