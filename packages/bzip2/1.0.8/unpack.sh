set -e
tar xzf bzip2_1.0.8.orig.tar.gz
