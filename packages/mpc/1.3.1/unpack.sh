set -e
tar xzf mpclib3_1.3.1.orig.tar.gz
