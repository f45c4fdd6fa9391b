set -e
tar xzf redis_7.0.15.orig.tar.gz
cd redis-7.0.15
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
