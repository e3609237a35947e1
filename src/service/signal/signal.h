/* Trade signals and their approval (X01 to X03). */
#ifndef PARLEY_SERVICE_SIGNAL_H
#define PARLEY_SERVICE_SIGNAL_H

#include "kit/module.h"

extern const struct module signal_module;

#endif
