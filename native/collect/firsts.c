#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"

struct entry {
	dev_t device;
	ino_t inode;
	char *path;
};

/* Open addressing; `room` is a power of two, at least twice `count`. */
struct first_names {
	struct entry *entries;
	size_t count, room;
};

static struct entry *slot(struct first_names *firsts, dev_t device, ino_t inode)
{
	uint64_t mixed = ((uint64_t)inode ^ (uint64_t)device << 40) * 0x9e3779b97f4a7c15u;
	for (size_t at = mixed >> 20;; at++) {
		struct entry *entry = firsts->entries + (at & (firsts->room - 1));
		if (entry->path == NULL || (entry->device == device && entry->inode == inode))
			return entry;
	}
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		fail("taking memory for", "names");
	return memory;
}

struct first_names *new_firsts(void)
{
	struct first_names *firsts = zeroed(1, sizeof *firsts);
	firsts->room = 64;
	firsts->entries = zeroed(firsts->room, sizeof *firsts->entries);
	return firsts;
}

static void grow(struct first_names *firsts)
{
	struct first_names larger = {.room = firsts->room * 2, .count = firsts->count};
	larger.entries = zeroed(larger.room, sizeof *larger.entries);
	for (size_t i = 0; i < firsts->room; i++) {
		struct entry *old = firsts->entries + i;
		if (old->path != NULL)
			*slot(&larger, old->device, old->inode) = *old;
	}
	free(firsts->entries);
	*firsts = larger;
}

const char *first_name(struct first_names *firsts, dev_t device, ino_t inode, const char *path)
{
	if (firsts->count * 2 >= firsts->room)
		grow(firsts);
	struct entry *entry = slot(firsts, device, inode);
	if (entry->path != NULL)
		return entry->path;
	*entry = (struct entry){device, inode, strdup(path)};
	if (entry->path == NULL)
		fail("taking memory for", path);
	firsts->count++;
	return NULL;
}

void free_firsts(struct first_names *firsts)
{
	for (size_t i = 0; i < firsts->room; i++)
		free(firsts->entries[i].path);
	free(firsts->entries);
	free(firsts);
}
