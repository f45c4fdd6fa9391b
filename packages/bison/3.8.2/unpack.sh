set -e
tar xJf bison_3.8.2+dfsg.orig.tar.xz
cd bison-3.8.2
# The manual was taken out of the archive; make wants to see it.
mkdir -p doc/figs
for f in doc/bison.texi doc/figs/example.gv doc/figs/example-reduce.gv doc/figs/example-shift.gv \
	doc/figs/example.txt doc/figs/example-reduce.txt doc/figs/example-shift.txt examples/c/rpcalc/rpcalc.y; do
	[ -f "$f" ] || : >"$f"
done
# One time for all: nothing is made anew of what is not there.
find . -type f -exec touch -r ../control {} +
