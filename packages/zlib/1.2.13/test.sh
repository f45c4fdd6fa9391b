set -e
cd "$(mktemp -d)"

# What minigzip packs, another program unpacks, and the other way round.
seq 1 20000 >numbers
minigzip <numbers >numbers.gz
test "$(wc -c <numbers.gz)" -lt "$(wc -c <numbers)"
gzip -dc numbers.gz | cmp - numbers
gzip -c numbers | minigzip -d | cmp - numbers

cat >use.c <<'C'
#include <stdio.h>
#include <string.h>
#include <zlib.h>
int main(void) {
	Bytef packed[64], again[64];
	uLongf size = sizeof packed, length = sizeof again;
	if (compress(packed, &size, (const Bytef *)"static", 7) != Z_OK) return 1;
	if (uncompress(again, &length, packed, size) != Z_OK) return 2;
	printf("%s %08lx\n", (char *)again, crc32(0, (const Bytef *)"123456789", 9));
	return strcmp(zlibVersion(), ZLIB_VERSION);
}
C
gcc -static -o use use.c -lz
test "$(./use)" = "static cbf43926"
