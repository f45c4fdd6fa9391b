set -e
cd "$(mktemp -d)"
# "!" alone does not end the script.
not() {
	if "$@"; then
		echo "this should have failed: $*" >&2
		exit 1
	fi
}

mkdir -p in/deep
seq 1 5000 >in/deep/numbers
echo 'größe' >in/name
ln -s deep/numbers in/link
chmod 755 in/name

# What it writes in each format and packing it reads again.
for way in '--format pax -z' '--format ustar -j' '--format gnutar -J' '--format cpio' '--format zip' '--format 7zip'; do
	rm -rf out
	mkdir out
	bsdtar -c $way -f archive in
	bsdtar -xf archive -C out
	cmp in/deep/numbers out/in/deep/numbers
	cmp in/name out/in/name
	test -x out/in/name
	test "$(readlink out/in/link)" = deep/numbers
done

# Other programs read it, and it reads what they write.
bsdtar -czf ours.tar.gz in
mkdir other
tar xzf ours.tar.gz -C other
cmp in/deep/numbers other/in/deep/numbers
tar cJf theirs.tar.xz in 2>/dev/null || tar cf - in | gzip >theirs.tar.xz
test "$(bsdtar -xOf theirs.tar.xz in/name)" = größe
test "$(gzip -c in/name | bsdcat -)" = größe

# A path that leads out is refused.
mkdir safe
printf 'x\n' >evil
bsdtar -cPf evil.tar --uname '' -s ',^evil,../escaped,' evil
not bsdtar -xf evil.tar -C safe 2>/dev/null
not [ -e escaped ]
