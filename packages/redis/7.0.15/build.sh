set -e
cd redis-7.0.15/src

# release.h would name the machine and ask git.
printf '#define REDIS_GIT_SHA1 "00000000"\n#define REDIS_GIT_DIRTY "0"\n#define REDIS_BUILD_ID "%s"\n' "$SOURCE_DATE_EPOCH" >release.h
printf '#!/bin/sh\n' >mkreleasehdr.sh
make $MAKE_JOBS redis-server redis-cli redis-benchmark MALLOC=libc BUILD_TLS=yes USE_SYSTEMD=no V=1 CC="$CC" AR=ar RANLIB=ranlib \
	uname_S=Linux uname_M="${ARCH%%-*}" DEBUG=-g0 LDFLAGS="-static -s"

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/redis" "$out/share/licenses/redis"
cp redis-server "$out/bin/"
ln -s redis-server "$out/bin/redis-sentinel"
ln -s redis-server "$out/bin/redis-check-rdb"
ln -s redis-server "$out/bin/redis-check-aof"
cp ../redis.conf ../sentinel.conf "$out/share/redis/"
cp ../COPYING "$out/share/licenses/redis/"

client=$PKG_INSTDIR/packages/redis-cli/${PKG_DIR##*/}
mkdir -p "$client/bin" "$client/share/licenses/redis-cli"
cp redis-cli redis-benchmark "$client/bin/"
cp ../COPYING "$client/share/licenses/redis-cli/"
