set -e
[ "$(printf 'b 2\na 1\n' | sort | awk '{ s += $2; print $1, s }' | sed 's/^/-/' | tr '\n' ' ')" = '-a 1 -b 3 ' ]
mkdir d
echo text >d/f
for z in gzip bzip2 xz; do
	tar c d | case $z in xz) cat ;; *) $z ;; esac >d.tar
	rm -r d
	case $z in xz) cat d.tar ;; *) $z -dc d.tar ;; esac | tar x
	[ "$(cat d/f)" = text ]
done
