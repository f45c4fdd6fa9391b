set -e
tar xzf curl_7.88.1.orig.tar.gz
cd curl-7.88.1
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
