#include "fail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "diagnose.h"

const char *tool = "withenv";

/* A message is written at once, so that it stays whole beside what others write. */
struct line {
	char text[4096];
	size_t length;
};

static void put(struct line *line, const char *text)
{
	size_t length = strlen(text), room = sizeof line->text - line->length;
	if (length > room)
		length = room;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

/* With 0xc2 before it, in UTF-8, a control character that some terminals obey. */
static int is_c1(char byte)
{
	return (unsigned char)byte >= 0x80 && (unsigned char)byte < 0xa0;
}

/* Names come from outside: no byte of them may command the terminal. At most 1,024 bytes of them. */
static void put_escaped(struct line *line, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];
		int c1 = (c == 0xc2 && is_c1(text[i + 1])) || (i > 0 && is_c1(text[i]) && (unsigned char)text[i - 1] == 0xc2);
		char shown[5] = {text[i], '\0'};
		if (i >= 1024) {
			put(line, "...");
			return;
		}
		if (c < 0x20 || c == 0x7f || c1) {
			shown[0] = '\\';
			shown[1] = 'x';
			shown[2] = hex[c >> 4];
			shown[3] = hex[c & 15];
			shown[4] = '\0';
		}
		put(line, shown);
	}
}

static void send_line(const struct line *line)
{
	if (write(STDERR_FILENO, line->text, line->length) < 0)
		return; /* There is no other place to say it. */
}

void warn(const char *text, const char *object)
{
	struct line line = {.length = 0};
	put(&line, tool);
	put(&line, ": ");
	put(&line, text);
	if (object != NULL)
		put_escaped(&line, object);
	put(&line, "\n");
	send_line(&line);
}

void fail_with(int status, int error, const char *stage, const char *object, const char *advice)
{
	struct line line = {.length = 0};
	put_escaped(&line, tool);
	put(&line, ": ");
	put(&line, stage);
	if (object != NULL) {
		put(&line, " ");
		put_escaped(&line, object);
	}
	if (error != 0) {
		put(&line, ": ");
		put(&line, strerror(error));
		put(&line, " (");
		put(&line, error_name(error));
		put(&line, ")");
	}
	put(&line, "\n");
	if (advice != NULL) {
		put(&line, "  ");
		put_escaped(&line, advice);
		put(&line, "\n");
	}
	send_line(&line);
	_exit(status);
}

void fail(int error, const char *stage, const char *object, const char *advice)
{
	fail_with(STATUS_FAILED, error, stage, object, advice);
}

int must(long result, const char *stage, const char *object)
{
	if (result < 0)
		fail(errno, stage, object, NULL);
	return (int)result;
}

int must_be_allowed(long result, const char *stage, const char *object)
{
	if (result < 0) {
		int error = errno;
		fail(error, stage, object, diagnose(error));
	}
	return (int)result;
}

const char *error_name(int error)
{
#define NAME(code) {code, #code}
	static const struct {
		int code;
		const char *name;
	} names[] = {
	    NAME(E2BIG), NAME(EACCES), NAME(EAGAIN), NAME(EBADF), NAME(EBUSY), NAME(EDQUOT), NAME(EEXIST),
	    NAME(EFAULT), NAME(EFBIG), NAME(EINTR), NAME(EINVAL), NAME(EIO), NAME(EISDIR), NAME(ELIBBAD),
	    NAME(ELOOP), NAME(EMFILE), NAME(ENAMETOOLONG), NAME(ENFILE), NAME(ENODEV), NAME(ENOENT),
	    NAME(ENOEXEC), NAME(ENOMEM), NAME(ENOSPC), NAME(ENOSYS), NAME(ENOTDIR), NAME(ENOTTY), NAME(ENXIO),
	    NAME(EOPNOTSUPP), NAME(EOVERFLOW), NAME(EPERM), NAME(EPIPE), NAME(EROFS), NAME(ESRCH), NAME(ESTALE),
	    NAME(ETXTBSY), NAME(EUSERS), NAME(EXDEV),
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].code == error)
			return names[i].name;
	return "other error";
}
