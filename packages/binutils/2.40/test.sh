set -e
case $ARCH in
x86_64-*) printf '.globl _start\n_start: mov $60,%%eax\nmov $7,%%edi\nsyscall\n' >seven.s ;;
*) printf '.globl _start\n_start: mov x8,#93\nmov x0,#7\nsvc #0\n' >seven.s ;;
esac
as -o seven.o seven.s
ar rc seven.a seven.o
nm -s seven.a | grep -q '_start in seven.o'
ld -s -o seven seven.a -u _start
status=0
./seven || status=$?
[ "$status" = 7 ]
