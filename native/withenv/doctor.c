#include "doctor.h"
int run_doctor(bool json) { return json; }
