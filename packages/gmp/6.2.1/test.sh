set -e
cat >try.c <<'END'
#include <gmp.h>
int main(void) {
	mpz_t x;
	mpz_init(x);
	mpz_ui_pow_ui(x, 2, 100);
	return !gmp_printf("%Zd\n", x);
}
END
gcc -static -o try try.c -lgmp
[ "$(./try)" = 1267650600228229401496703205376 ]
