#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in is = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtol(port, NULL, 10))};
	inet_pton(AF_INET, host, &is.sin_addr);
	return is;
}

/* PORT: binds it on the loopback address, and connects to itself. */
static int serve(char **words)
{
	struct sockaddr_in at = address("127.0.0.1", words[0]);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	say("bind", bind(server, (const struct sockaddr *)&at, sizeof at));
	say("listen", listen(server, 1));
	say("connect", connect(client, (const struct sockaddr *)&at, sizeof at));
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(81)};
	server = socket(AF_INET6, SOCK_STREAM, 0);
	say("bind 6", bind(server, (const struct sockaddr *)&six, sizeof six));
	return 0;
}

/* HOST PORT */
static int call(char **words)
{
	struct sockaddr_in at = address(words[0], words[1]);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	say("connect", connect(client, (const struct sockaddr *)&at, sizeof at));
	return 0;
}

/* The families of which a socket of any type can be made. */
static int families(char **words)
{
	const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
	(void)words;
	for (int family = 0; family < 64; family++) {
		int refused = 0, made = 0;
		for (size_t i = 0; i < 4; i++) {
			int fd = socket(family, types[i], 0);
			made += fd >= 0;
			refused += fd < 0 && errno == EAFNOSUPPORT;
		}
		if (made > 0 || refused < 4)
			printf("family: %d\n", family);
	}
	return 0;
}

/* NAME: connects to an abstract socket. */
static int abstract(char **words)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t length = strlen(words[0]);
	memcpy(at.sun_path + 1, words[0], length);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	say("connect", connect(client, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)));
	return 0;
}

/* NAME WORDS...: listens on an abstract socket, and runs the words meanwhile. */
static int listen_abstract(char **words)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t length = strlen(words[0]);
	memcpy(at.sun_path + 1, words[0], length);
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(server, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) < 0 ||
	    listen(server, 9) < 0)
		return 96;
	/* The helper closes it in itself only, and this process must go on listening. */
	pid_t child = fork();
	if (child == 0) {
		execv(words[1], words + 1);
		_exit(96);
	}
	int status;
	while (waitpid(child, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 95;
}

const struct word network_words[] = {{"serve", serve}, {"call", call}, {"families", families}, {"abstract", abstract},
    {"listen-abstract", listen_abstract}, {NULL, NULL}};
