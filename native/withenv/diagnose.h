/* Why a machine refuses namespaces, and what to do about it. */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include <stddef.h>

/* One line of advice for an errno of clone, of an id map or of the first use of a capability; or null. */
const char *diagnose(int error);

/* The whole of a small file as a string without its last newline; empty if it cannot be read. */
void read_small(const char *path, char *text, size_t size);

#endif
