/* Failures: one line `TOOL: stage object: reason (CODE)`, at most one line of advice, and the end. */
#ifndef FAIL_H
#define FAIL_H

enum { STATUS_FAILED = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

/* What messages begin with. */
extern const char *tool;

/* Ends this process with 125. `error` is an errno; 0 for none. `object` and `advice` may be null. */
_Noreturn void fail(int error, const char *stage, const char *object, const char *advice);
_Noreturn void fail_with(int status, int error, const char *stage, const char *object, const char *advice);

/* A line that does not end anything. */
void warn(const char *text, const char *object);

const char *error_name(int error);

/* Fails with errno if `result` is negative; otherwise gives it back. */
int must(long result, const char *stage, const char *object);

/* The same for what a machine's settings may forbid, with advice about them. */
int must_be_allowed(long result, const char *stage, const char *object);

#endif
