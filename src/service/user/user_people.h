/* Whom one may see, and the lists of people (followers, requests, blocks): the rules and their
 * handlers; the rows of the routes stand in user_api.c. */
#ifndef PARLEY_SERVICE_USER_PEOPLE_H
#define PARLEY_SERVICE_USER_PEOPLE_H

#include "service/user/user_room.h"

/* To somebody who is blocked, whoever blocked them does not exist: 404 user_not_found. Waits only
 * when there is a block between the two. */
int user_check_blocked(struct user_room *room, const struct id *viewer, const struct id *user,
                       struct error *err) MUSTCHECK;
/* Nobody sees people who have left or were disabled, but for themselves and moderators. */
bool user_hides(const struct principal *viewer, const struct user_profile *profile);
/* What a list shows to the viewer, as others see it: without those who are gone, have left, or
 * stand on either side of a block with the viewer. Returns how many are kept. */
size_t user_keep_visible(struct user_room *room, const struct principal *viewer,
                         struct user_profile *profiles, size_t count);

int user_followers_route(struct request *req);
int user_following_route(struct request *req);
int user_requests_route(struct request *req);
int user_blocks_route(struct request *req);
int user_mutes_route(struct request *req);

#endif
