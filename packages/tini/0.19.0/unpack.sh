set -e
tar xzf tini_0.19.0.orig.tar.gz
