/* The room's tables, as functions; the only SQL of the room is in calendar_store*.c. All run inside
 * db_read or db_write; text is copied into the arena. What is deleted is found by none of them. */
#ifndef PARLEY_SERVICE_CALENDAR_STORE_H
#define PARLEY_SERVICE_CALENDAR_STORE_H

#include "base/arena.h"
#include "engine/db.h"
#include "service/calendar/calendar.h"

/* --- gatherings (calendar_store.c) ------------------------------------------------------------ */
/* Without local times and my_status. */
int gathering_store_get(struct db_tx *tx, const struct id *id, struct arena *arena,
                        struct gathering *ret_gathering, bool *ret_found,
                        struct error *err) MUSTCHECK;
int gathering_store_insert(struct db_tx *tx, const struct gathering *g,
                           struct error *err) MUSTCHECK;
/* Everything that an edit or a cancellation changes; not the counts. */
int gathering_store_update(struct db_tx *tx, const struct gathering *g,
                           struct error *err) MUSTCHECK;
int gathering_store_delete(struct db_tx *tx, const struct id *id, int64_t now_ms,
                           struct error *err) MUSTCHECK;
/* The host is gone, what was to come is cancelled: all else of theirs is deleted, and that when its
 * time is over. */
int gathering_store_forsake(struct db_tx *tx, const struct id *host, int64_t now_ms,
                            struct error *err) MUSTCHECK;
/* Removes up to `limit` answers of what was deleted, and at last the row itself. */
int gathering_store_clean(struct db_tx *tx, int64_t now_ms, unsigned limit, bool *ret_more,
                          struct error *err) MUSTCHECK;
/* Of a host, those that end after the moment and are not cancelled; or all. At most limit. */
int gathering_store_of_host(struct db_tx *tx, const struct id *host, int64_t after_ms, bool all,
                            size_t limit, struct id *ret_ids, size_t *ret_count,
                            struct error *err) MUSTCHECK;
/* Where somebody waits although a place is free, and which are not over. */
int gathering_store_with_free_places(struct db_tx *tx, int64_t now_ms, size_t limit,
                                     struct id *ret_ids, size_t *ret_count,
                                     struct error *err) MUSTCHECK;

/* What decides about places: one row without its texts. */
struct places {
    struct id id, host_id;
    int64_t starts_at, ends_at, cancelled_at;
    int64_t capacity; /* 0: as many as come */
    int64_t yes_count, maybe_count, waiting_count, next_place;
};
int places_store_get(struct db_tx *tx, const struct id *id, struct places *ret_places,
                     bool *ret_found, struct error *err) MUSTCHECK;
int places_store_put(struct db_tx *tx, const struct places *places, struct error *err) MUSTCHECK;

/* --- answers (calendar_store_rsvp.c) ---------------------------------------------------------- */
int rsvp_store_get(struct db_tx *tx, const struct id *gathering, const struct id *user,
                   struct calendar_rsvp *ret_rsvp, bool *ret_found, struct error *err) MUSTCHECK;
int rsvp_store_put(struct db_tx *tx, const struct calendar_rsvp *rsvp, struct error *err) MUSTCHECK;
int rsvp_store_remove(struct db_tx *tx, const struct id *gathering, const struct id *user,
                      struct error *err) MUSTCHECK;
int rsvp_store_first_waiting(struct db_tx *tx, const struct id *gathering,
                             struct calendar_rsvp *ret_rsvp, bool *ret_found,
                             struct error *err) MUSTCHECK;
/* How many wait at or before that place. */
int rsvp_store_position(struct db_tx *tx, const struct id *gathering, int64_t place,
                        int64_t *ret_position, struct error *err) MUSTCHECK;
/* In order of arrival after that place; status CALENDAR_NONE: all, without "no" unless with_no. */
int rsvp_store_page(struct db_tx *tx, const struct id *gathering, int status, bool with_no,
                    int64_t after_place, size_t limit, struct calendar_rsvp *ret_items,
                    size_t *ret_count, struct error *err) MUSTCHECK;
/* Those with one of these answers (bits 1 << enum calendar_answer), by id, after that one. */
int rsvp_store_users(struct db_tx *tx, const struct id *gathering, unsigned answers,
                     const struct id *after, size_t limit, struct id *ret_users, size_t *ret_count,
                     struct error *err) MUSTCHECK;
/* A person's answers, by gathering, after that one; with rows of gatherings hosted by `host` only,
 * unless that is nil. */
int rsvp_store_of_user(struct db_tx *tx, const struct id *user, const struct id *host,
                       const struct id *after, size_t limit, struct calendar_rsvp *ret_items,
                       size_t *ret_count, struct error *err) MUSTCHECK;

int invite_store_get(struct db_tx *tx, const struct id *gathering, const struct id *user,
                     bool *ret_found, struct error *err) MUSTCHECK;
int invite_store_put(struct db_tx *tx, const struct id *gathering, const struct id *user,
                     int64_t now_ms, struct error *err) MUSTCHECK;
int invite_store_count(struct db_tx *tx, const struct id *gathering, int64_t *ret_count,
                       struct error *err) MUSTCHECK;
int invite_store_remove(struct db_tx *tx, const struct id *gathering, const struct id *user,
                        struct error *err) MUSTCHECK;
int invite_store_remove_user(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;

/* --- lists (calendar_store_list.c) ------------------------------------------------------------ */
struct gathering_key {
    int64_t starts_at;
    struct id id, host_id;
    int visibility;
    bool known; /* the reader hosts it, has answered it or was invited */
};
/* Which part of time a list looks at. */
struct gathering_window {
    struct cursor after; /* behind that one */
    int64_t from, to;
};
/* The first of them in order, without doubles; an array of max. */
struct gathering_keys {
    struct gathering_key *items;
    size_t count, max;
};
int list_store_public(struct db_tx *tx, const struct gathering_window *w,
                      struct gathering_keys *keys, struct error *err) MUSTCHECK;
int list_store_answered(struct db_tx *tx, const struct gathering_window *w, const struct id *user,
                        struct gathering_keys *keys, struct error *err) MUSTCHECK;
/* By their host, who sees the private ones too. */
int list_store_hosted(struct db_tx *tx, const struct gathering_window *w, const struct id *host,
                      struct gathering_keys *keys, struct error *err) MUSTCHECK;
/* By any of those hosts, who are sorted by id, without the private ones. with_public false: only
 * those for followers, when the public ones are among the keys already. The work grows with count,
 * however much others host. */
int list_store_followed(struct db_tx *tx, const struct gathering_window *w, const struct id *hosts,
                        size_t count, bool with_public, struct gathering_keys *keys,
                        struct error *err) MUSTCHECK;
/* Of the scope, those that the words are found in (an FTS5 expression); those of people whom the
 * reader does not follow too, which the caller leaves out for GATHERINGS_FOLLOWING. */
int list_store_search(struct db_tx *tx, const struct gathering_window *w, const struct id *user,
                      int scope, struct slice match, struct gathering_keys *keys,
                      struct error *err) MUSTCHECK;
/* What stands in a person's calendar file: hosted, or answered with yes or maybe. */
int list_store_feed(struct db_tx *tx, const struct id *user, int64_t from, size_t limit,
                    struct id *ret_ids, size_t *ret_count, struct error *err) MUSTCHECK;

/* --- reminders and links (calendar_store_duty.c) ---------------------------------------------- */
struct reminder_row {
    int64_t due_at, before_ms;
    struct id gathering_id, after_user;
};
int reminder_store_add(struct db_tx *tx, const struct id *gathering, int64_t due_at,
                       int64_t before_ms, struct error *err) MUSTCHECK;
int reminder_store_clear(struct db_tx *tx, const struct id *gathering, struct error *err) MUSTCHECK;
int reminder_store_next(struct db_tx *tx, int64_t now_ms, struct reminder_row *ret_row,
                        bool *ret_found, struct error *err) MUSTCHECK;
int reminder_store_progress(struct db_tx *tx, const struct reminder_row *row,
                            struct error *err) MUSTCHECK;
int reminder_store_end(struct db_tx *tx, const struct reminder_row *row,
                       struct error *err) MUSTCHECK;

int link_store_put(struct db_tx *tx, const struct id *user, const uint8_t hash[32], int64_t now_ms,
                   struct error *err) MUSTCHECK;
int link_store_find(struct db_tx *tx, const uint8_t hash[32], struct id *ret_user, bool *ret_found,
                    struct error *err) MUSTCHECK;
int link_store_get(struct db_tx *tx, const struct id *user, int64_t *ret_created_at,
                   bool *ret_found, struct error *err) MUSTCHECK;
int link_store_remove(struct db_tx *tx, const struct id *user, struct error *err) MUSTCHECK;

#endif
