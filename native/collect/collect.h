/*
 * One run: take_tree goes through a directory of the build's once, copies it where asked, and says what it found.
 * Everything that is said are fields that end in a zero byte, a record's kind first; src/build/collection.ts
 * reads them.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A path relative to the tree, grown and shrunk as the walk goes. */
struct path {
	char *text;
	size_t length, room;
};

struct limits {
	uint64_t entries, bytes;
	unsigned depth;
};

struct first_names;

struct collector {
	struct limits limits;
	uint64_t entries, bytes;    /* so far, of all trees */
	const char *looked_for;     /* a directory whose path no file may hold, or null */
	int64_t time;               /* of everything in the copy */
	struct path path;
	int copy;                   /* the directory that the tree is copied to, or -1 */
	struct first_names *firsts; /* of the tree */
	unsigned char *buffer;
};

/* main.c: says a record, up to the null pointer. */
void say(const char *kind, ...);
/* Ends the run with a record "error": what was done, to which path, and errno. */
_Noreturn void fail(const char *doing, const char *path);
/* Ends the run with a record "limit". */
_Noreturn void stop(const char *limit, const char *path);

/* beneath.c: one name below a directory, through no link and into no other file system. */
int open_beneath(int directory, const char *path, int flags);

/* walk.c: `from` is a directory; `to` an empty one or -1. */
void take_tree(struct collector *collector, int from, int to);

/* file.c: reads the file once: copies it to `to` unless that is -1, hashes it and looks into it. */
void take_file(struct collector *collector, int from, int to, unsigned mode);

/* firsts.c: the path under which a file was met first, which has several names; null if it is met first now. */
struct first_names *new_firsts(void);
const char *first_name(struct first_names *firsts, dev_t device, ino_t inode, const char *path);
void free_firsts(struct first_names *firsts);

/* search.c: looks for paths below a directory in what is read piece by piece. */
enum { SEARCH_MARGIN = 160 };
struct search {
	const char *directory;
	size_t length;
	bool found;
	unsigned char kept[SEARCH_MARGIN];
	size_t kept_length;
};
void start_search(struct search *search, const char *directory);
/* `last` with the end of the file, where there may be no data; then true if the path was found, as text. */
bool look_in(struct search *search, const unsigned char *data, size_t length, bool last, char text[100]);

/* elf.c: says what a program needs of others. */
void look_at_program(int file, uint64_t size, const char *path);

#endif
