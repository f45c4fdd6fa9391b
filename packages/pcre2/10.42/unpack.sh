set -e
tar xzf pcre2_10.42.orig.tar.gz
