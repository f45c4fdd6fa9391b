set -e
tar xJf libarchive_3.6.2.orig.tar.xz
cd libarchive-3.6.2
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
