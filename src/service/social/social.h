/* Who follows, blocks, mutes and reports whom (S01). */
#ifndef PARLEY_SERVICE_SOCIAL_H
#define PARLEY_SERVICE_SOCIAL_H

#include "kit/module.h"

extern const struct module social_module;

#endif
