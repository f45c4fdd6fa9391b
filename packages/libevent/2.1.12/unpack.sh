set -e
tar xzf libevent_2.1.12-stable.orig.tar.gz
cd libevent-2.1.12-stable
for p in ../*.patch; do
	patch -p1 <"$p"
done
# One time for all, or make would want to make anew what is made of patched files.
find . -type f -exec touch -r ../control {} +
