set -e
cd perl-5.36.0

# What Configure would ask the machine, or write down of it, is said here.
export PERL_HASH_SEED=0
# Of the time it takes no word.
sed -i 's/^cf_time=`.*/cf_time="Tue Jan  1 00:00:00 UTC 1980"/' Configure
grep -q '^cf_time="' Configure
sh Configure -des -Dcc="$CC" -Dprefix="$PKG_DIR" -Dvendorprefix="$PKG_DIR" -Dsiteprefix="$PKG_DIR" \
	-Dprivlib="$PKG_DIR/lib/perl5" -Darchlib="$PKG_DIR/lib/perl5" \
	-Dsitelib="$PKG_DIR/lib/perl5/site" -Dsitearch="$PKG_DIR/lib/perl5/site" \
	-Dman1dir=none -Dman3dir=none -Dinstallusrbinperl=n -Uusedl -Duseithreads=n \
	-Doptimize="-O2 -g0" -Dldflags="-static -s" -Dlibpth=/lib -Dlocincpth=/include -Dusrinc=/include -Dloclibpth=/lib -Dglibpth=/lib \
	-Dlibs="-lm" -Dperllibs="-lm" -Dcf_by=user -Dcf_email=user@localhost -Dperladmin=root@localhost \
	-Dmyhostname=localhost -Dmydomain=.localdomain -Dmyuname=linux -Dosname=linux -Dosvers=6 -Darchname="$ARCH" \
	-Dstartsh="#!/bin/sh" -Dperlpath="$PKG_DIR/bin/perl" -Dstartperl="#!$PKG_DIR/bin/perl"
make $MAKE_JOBS
# Not "make install": without a place for them it puts manuals into the root of the output.
make install.perl DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
find "$out" -name '*.pod' -exec rm {} +
find "$out" \( -name .packlist -o -name perllocal.pod \) -exec rm {} +
mkdir -p "$out/share/licenses/perl"
cp Artistic Copying "$out/share/licenses/perl/"
