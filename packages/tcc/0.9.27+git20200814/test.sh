set -e
cd "$(mktemp -d)"

cat >part.c <<'C'
int twice(int n) { return 2 * n; }
C
cat >main.c <<'C'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
int twice(int);
static void *run(void *number) { *(int *)number = twice(*(int *)number); return number; }
int main(int count, char **words) {
	pthread_t thread;
	int number = 21;
	pthread_create(&thread, 0, run, &number);
	pthread_join(thread, 0);
	printf("%d %.3f %s\n", number, sqrt(2), words[count - 1]);
	return 0;
}
C
# Of two files, and of a library.
cc -c part.c
cc -o two main.c part.c
test "$(./two word)" = '42 1.414 word'
tcc -ar rc libpart.a part.o
cc -o one main.c -L. -lpart
test "$(./one word)" = '42 1.414 word'
# What is no C is not compiled.
if printf 'int f( {' | tcc -c -o none.o - 2>/dev/null; then
	exit 1
fi
