#include <ctype.h>
#include <string.h>

#include "collect.h"

void start_search(struct search *search, const char *directory)
{
	/* What is before the first byte of a file is part of no path. */
	*search = (struct search){.directory = directory, .kept_length = 1};
	search->length = directory == NULL ? 0 : strlen(directory);
}

static bool in_path(unsigned char byte)
{
	return isalnum(byte) || byte >= 0x80 || (byte != '\0' && strchr("_.~%+-/@$", byte) != NULL);
}

/* Whether the path that begins at `at` is an absolute one: not a part of a longer one, but of "-I/work/x". */
static bool is_path(const unsigned char *text, size_t at, size_t length)
{
	unsigned char before = text[at - 1];
	bool option = isalpha(before) && at >= 2 && text[at - 2] == '-';
	if (in_path(before) && !option)
		return false;
	unsigned char after = text[at + length + 1];
	return isalnum(after) || (after != '\0' && strchr("_.+-$", after) != NULL);
}

static void show(const unsigned char *from, size_t length, char text[100])
{
	size_t n = 0;
	while (n < length && n < 99 && from[n] > ' ' && from[n] < 0x7f)
		n++;
	memcpy(text, from, n);
	text[n] = '\0';
}

/* In `length` bytes, of which a path may begin in all but the first and the `margin` last. */
static bool look(struct search *search, const unsigned char *data, size_t length, size_t margin, char text[100])
{
	size_t end = length < margin ? 0 : length - margin;
	for (size_t at = 1; at < end; at++) {
		const unsigned char *next = memchr(data + at, '/', end - at);
		if (next == NULL)
			return false;
		at = (size_t)(next - data);
		if (length - at < search->length + 2 || memcmp(next, search->directory, search->length) != 0)
			continue;
		if (next[search->length] != '/' || !is_path(data, at, search->length))
			continue;
		show(next, length - at, text);
		return true;
	}
	return false;
}

bool look_in(struct search *search, const unsigned char *data, size_t length, bool last, char text[100])
{
	if (search->directory == NULL || search->found)
		return false;
	enum { HALF = SEARCH_MARGIN / 2 };
	/* First where the pieces meet, then in the piece. */
	unsigned char seam[2 * SEARCH_MARGIN];
	size_t part = length < SEARCH_MARGIN ? length : SEARCH_MARGIN;
	size_t total = search->kept_length + part;
	memcpy(seam, search->kept, search->kept_length);
	if (part > 0)
		memcpy(seam + search->kept_length, data, part);
	bool whole = part == length;
	search->found = look(search, seam, total, whole && last ? 0 : HALF, text) ||
		(!whole && look(search, data, length, last ? 0 : HALF, text));
	/* The last bytes, in which no path could begin yet, and those before them. */
	const unsigned char *end = whole ? seam + total : data + length;
	size_t available = whole ? total : length;
	size_t keep = available < HALF + 2 ? available : HALF + 2;
	memmove(search->kept, end - keep, keep);
	search->kept_length = keep;
	return search->found;
}
