/* Stories: text or a picture for a day (T01 to T08). */
#ifndef PARLEY_SERVICE_STORY_H
#define PARLEY_SERVICE_STORY_H

#include "kit/module.h"

extern const struct module story_module;

#endif
