set -e
tar xzf nghttp2_1.52.0.orig.tar.gz
cd nghttp2-1.52.0
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
