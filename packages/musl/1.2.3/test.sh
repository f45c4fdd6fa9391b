set -e
cat >try.c <<'END'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
static void *half(void *x) {
	*(double *)x /= 2;
	return x;
}
int main(void) {
	double x = 3 * sqrt(16);
	pthread_t thread;
	if (pthread_create(&thread, 0, half, &x) || pthread_join(thread, 0)) return 1;
	return printf("%.1f\n", x) < 0;
}
END
gcc -static -o try try.c -lm -lpthread
[ "$(./try)" = 6.0 ]
