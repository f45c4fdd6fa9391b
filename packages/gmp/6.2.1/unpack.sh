set -e
tar xJf gmp_6.2.1+dfsg1.orig.tar.xz
cd gmp-6.2.1
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
