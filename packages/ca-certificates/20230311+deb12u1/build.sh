set -e
cd ca-certificates/mozilla

# Mozilla's list has objects of two kinds, joined by their labels: certificates, as octal numbers, and whom to
# trust. What comes out are the certificates that are trusted for servers, each with its label, in the list's order.
awk '
	/^BEGINDATA/ { data = 1 }
	!data || /^#/ { next }
	/^CKA_CLASS/ { class = $3; octal = "" }
	/^CKA_LABEL/ { label = $0; sub(/^[^"]*"/, "", label); sub(/"$/, "", label) }
	/^CKA_VALUE MULTILINE_OCTAL/ { reading = 1; next }
	/^END/ {
		if (reading && class == "CKO_CERTIFICATE") { order[++count] = label; value[count] = octal }
		reading = 0
		next
	}
	reading { octal = octal $0 }
	/^CKA_TRUST_SERVER_AUTH/ && $3 == "CKT_NSS_TRUSTED_DELEGATOR" { trusted[label] = 1 }
	END { for (i = 1; i <= count; i++) if (order[i] in trusted) print order[i] "\t" value[i] }
' certdata.txt >trusted
tab=$(printf '\t')
while IFS="$tab" read -r label octal; do
	printf '# %b\n-----BEGIN CERTIFICATE-----\n' "$label"
	printf "$octal" | base64 -w 64
	printf -- '-----END CERTIFICATE-----\n'
done <trusted >bundle
for file in extra/*.crt; do
	name=${file##*/}
	printf '# %s\n' "$(printf '%s' "${name%.crt}" | tr _ ' ')"
	cat "$file"
done >>bundle

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/etc/ssl/certs" "$out/share/licenses/ca-certificates"
cp bundle "$out/etc/ssl/certs/ca-certificates.crt"
ln -s certs/ca-certificates.crt "$out/etc/ssl/cert.pem"
cp ../debian/copyright "$out/share/licenses/ca-certificates/"
