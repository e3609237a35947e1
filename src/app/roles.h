/* The rooms of the house, in the order they start. This list is the whole wiring. */
#ifndef PARLEY_APP_ROLES_H
#define PARLEY_APP_ROLES_H

#include "kit/module.h"

extern const struct module *const all_modules[]; /* NULL-terminated; needs come before needers */
extern const size_t all_module_count;

#endif
