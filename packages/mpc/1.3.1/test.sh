set -e
cat >try.c <<'END'
#include <stdio.h>
#include <mpc.h>
int main(void) {
	mpc_t x;
	mpc_init2(x, 100);
	mpc_set_si_si(x, 0, 3, MPC_RNDNN);
	mpc_mul(x, x, x, MPC_RNDNN);
	return !mpfr_printf("%.0Rf\n", mpc_realref(x));
}
END
gcc -static -o try try.c -lmpc -lmpfr -lgmp -lm
[ "$(./try)" = -9 ]
