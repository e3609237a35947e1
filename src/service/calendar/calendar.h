/* Events and who comes (E01, E02). */
#ifndef PARLEY_SERVICE_CALENDAR_H
#define PARLEY_SERVICE_CALENDAR_H

#include "kit/module.h"

extern const struct module calendar_module;

#endif
