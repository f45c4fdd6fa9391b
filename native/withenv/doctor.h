#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>

/* Prints, line by line or as JSON, what the helper needs and whether this machine has it; 0 if it has all of it. */
int run_doctor(bool json);

#endif
