/* The time zones that this system knows, by their IANA names (tzdata).
 *
 * All of them are read when the process starts (about 600, 15 ms, 0.7 MB), so a name that a
 * client sends is only ever compared, never made a path, and looking one up waits for nothing. When
 * the package is updated under a process that runs, zones_refresh reads them again; what was read
 * before stays until zones_close, so a zone that somebody holds never goes away.
 */
#ifndef PARLEY_KIT_ZONES_H
#define PARLEY_KIT_ZONES_H

#include "base/clock.h"
#include "base/zone.h"
#include "io/offload.h"

#define ZONE_ID_BYTES_MAX 64 /* of an IANA name */

struct zones;

/* folder: "/usr/share/zoneinfo". Blocks. FAIL_UNAVAILABLE "no_time_zones" when there are none. */
int zones_open(const char *folder, const struct clock *clock, struct zones **ret_zones,
               struct error *err) MUSTCHECK;
void zones_close(struct zones *zones); /* may be NULL */
/* NULL when there is none of that name; in the database's own letter case. Any thread. */
const struct zone *zones_find(struct zones *zones, struct slice name);
size_t zones_count(struct zones *zones);
/* From a coroutine: at most once a minute looks whether the folder has changed since it was read,
 * and then reads it again, on a thread of the pool (NULL: does not look). What cannot be read
 * leaves things as they are. */
void zones_refresh(struct zones *zones, struct offload *pool);

#endif
