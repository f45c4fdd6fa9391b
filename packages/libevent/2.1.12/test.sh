set -e
cd "$(mktemp -d)"

# A web server and a client of it in one loop, on epoll.
cat >use.c <<'C'
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>
static void answer(struct evhttp_request *request, void *unused) {
	struct evbuffer *body = evbuffer_new();
	evbuffer_add_printf(body, "asked for %s", evhttp_request_get_uri(request));
	evhttp_send_reply(request, 200, "OK", body);
	evbuffer_free(body);
}
static void done(struct evhttp_request *request, void *base) {
	char text[64] = "";
	if (request) evbuffer_remove(evhttp_request_get_input_buffer(request), text, sizeof text - 1);
	printf("%d %s\n", request ? evhttp_request_get_response_code(request) : 0, text);
	event_base_loopbreak(base);
}
int main(void) {
	struct event_base *base = event_base_new();
	struct evhttp *server = evhttp_new(base);
	struct evhttp_connection *connection;
	evhttp_set_gencb(server, answer, NULL);
	if (evhttp_bind_socket(server, "127.0.0.1", 8081)) return 1;
	connection = evhttp_connection_base_new(base, NULL, "127.0.0.1", 8081);
	evhttp_make_request(connection, evhttp_request_new(done, base), EVHTTP_REQ_GET, "/this");
	event_base_dispatch(base);
	return strcmp(event_base_get_method(base), "epoll");
}
C
gcc -static -o use use.c -levent
test "$(./use)" = '200 asked for /this'
