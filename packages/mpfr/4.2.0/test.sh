set -e
cat >try.c <<'END'
#include <stdio.h>
#include <mpfr.h>
int main(void) {
	mpfr_t x;
	mpfr_init2(x, 200);
	mpfr_const_pi(x, MPFR_RNDN);
	return !mpfr_printf("%.40Rf\n", x);
}
END
gcc -static -o try try.c -lmpfr -lgmp
[ "$(./try)" = 3.1415926535897932384626433832795028841972 ]
