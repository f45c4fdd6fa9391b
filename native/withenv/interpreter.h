#ifndef INTERPRETER_H
#define INTERPRETER_H

/*
 * Why the kernel says "no such file" of a program that is there: a line that names the interpreter (of a script, or
 * the dynamic linker) that is not; or null. The text is this function's.
 */
const char *missing_interpreter(const char *program);

#endif
