/* Posts, comments, likes, bookmarks and the home feed (S02 to S05). */
#ifndef PARLEY_SERVICE_POST_H
#define PARLEY_SERVICE_POST_H

#include "kit/module.h"

extern const struct module post_module;

#endif
