set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

# Every certificate can be read, and where openssl looks for them without being told.
bundle=/etc/ssl/certs/ca-certificates.crt
count=$(grep -c 'BEGIN CERTIFICATE' $bundle)
test "$count" -ge 130
openssl storeutl -noout -certs $bundle | grep "^Total found: $count$"
cmp $bundle /etc/ssl/cert.pem

# A root that everybody uses has the fingerprint that its owner publishes, and verifies by the list.
sed -n '/^# ISRG Root X1$/,/END CERTIFICATE/p' $bundle >isrg.pem
openssl x509 -in isrg.pem -noout -fingerprint -sha256 |
	grep '96:BC:EC:06:26:49:76:F3:74:60:77:9A:CF:28:C5:A7:CF:E8:A3:C0:AA:E1:1A:8F:FC:EE:05:C0:BD:DF:08:C6$'
openssl verify isrg.pem

# What the distribution added is there; what nobody trusts is not.
grep '^# Sectigo Public Server Authentication Root E46$' $bundle
not grep -i diginotar $bundle
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out own.pem -subj /CN=own 2>/dev/null
not openssl verify own.pem
