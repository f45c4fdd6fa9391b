set -e
tar xzf python3.11_3.11.2.orig.tar.gz
cd Python-3.11.2
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
