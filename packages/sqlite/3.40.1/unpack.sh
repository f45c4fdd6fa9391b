set -e
tar xJf sqlite3_3.40.1.orig.tar.xz
cd sqlite3-3.40.1
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
