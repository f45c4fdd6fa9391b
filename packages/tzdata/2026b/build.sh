set -e

# It runs on the machine that builds; what it writes is the same for all.
cd glibc-2.36/timezone
echo 'static char const PKGVERSION[] = "", TZVERSION[] = "2020a", REPORT_BUGS_TO[] = "tz@iana.org";' >version.h
$CC -O2 -g0 -D_GNU_SOURCE -DHAVE_GETTEXT=0 -DTZDIR='"/share/zoneinfo"' -static -s -o zic zic.c
cd ../../tzdata

out=$PKG_INSTDIR$PKG_DIR
zones=$out/share/zoneinfo
mkdir -p "$zones" "$out/share/licenses/tzdata"
../glibc-2.36/timezone/zic -d "$zones" africa antarctica asia australasia europe northamerica southamerica \
	etcetera factory backward
cp iso3166.tab zone.tab zone1970.tab leap-seconds.list "$zones/"
cat version >"$zones/version"
cp LICENSE "$out/share/licenses/tzdata/"
