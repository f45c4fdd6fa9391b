set -e
tar xzf unbound_1.17.1.orig.tar.gz
cd unbound-1.17.1
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
