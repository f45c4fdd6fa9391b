set -e
printf '#include <linux/if_link.h>\n#include <linux/landlock.h>\nint main(void) { return sizeof(struct rtnl_link_stats64) < 64; }\n' >try.c
gcc -static -o try try.c
./try
