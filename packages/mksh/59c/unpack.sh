set -e
tar xzf mksh_59c.orig.tar.gz
