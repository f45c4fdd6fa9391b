set -e
[ "$(perl -MDigest::SHA=sha1_hex -e 'print sha1_hex("abc")')" = a9993e364706816aba3e25717850c26c9cd0d89d ]
[ "$(perl -MData::Dumper -MPOSIX -MList::Util=sum -e 'print sum(1 .. 10), " ", POSIX::floor(2.5), " ", "abbc" =~ /b+(c)/')" = '55 2 c' ]
