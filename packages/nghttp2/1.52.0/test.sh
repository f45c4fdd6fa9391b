set -e
cd "$(mktemp -d)"

# Headers go through the compression of HTTP/2 and come out again.
cat >use.c <<'C'
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>
int main(void) {
	nghttp2_hd_deflater *deflater;
	nghttp2_hd_inflater *inflater;
	nghttp2_nv name = { (uint8_t *)":method", (uint8_t *)"GET", 7, 3, NGHTTP2_NV_FLAG_NONE };
	nghttp2_nv value = { (uint8_t *)"x-test", (uint8_t *)"packed", 6, 6, NGHTTP2_NV_FLAG_NONE }, all[2], out;
	uint8_t block[64], *next = block;
	ssize_t size, used;
	int flags = 0;
	all[0] = name;
	all[1] = value;
	if (nghttp2_hd_deflate_new(&deflater, 4096) || nghttp2_hd_inflate_new(&inflater)) return 1;
	size = nghttp2_hd_deflate_hd(deflater, block, sizeof block, all, 2);
	if (size <= 0) return 2;
	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		used = nghttp2_hd_inflate_hd2(inflater, &out, &flags, next, (size_t)size, 1);
		if (used < 0) return 3;
		next += used;
		size -= used;
		if (flags & NGHTTP2_HD_INFLATE_EMIT) printf("%s=%s\n", out.name, out.value);
	}
	return strcmp(nghttp2_version(0)->version_str, NGHTTP2_VERSION);
}
C
gcc -static -o use use.c -lnghttp2
test "$(./use)" = ":method=GET
x-test=packed"
