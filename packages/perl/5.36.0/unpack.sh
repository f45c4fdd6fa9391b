set -e
tar xJf perl_5.36.0.orig.tar.xz
cd perl-5.36.0
chmod -R u+w .
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
