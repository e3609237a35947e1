/* Gatherings ("events" on the wire) and who comes to them (E01, E02).
 *
 * The door sign of the room: its rules, callable from routes, jobs and tests alike. A rule takes a
 * calendar_call (who asks, where memory comes from, where errors go) and an input struct as
 * calendar_schema.c decodes it. All may wait. What they return lives in the call's arena. Whoever
 * may not see a gathering gets FAIL_NOT_FOUND "event_not_found" from all of them, as if it did not
 * exist. Words, invariants and tables: README.md beside this file.
 */
#ifndef PARLEY_SERVICE_CALENDAR_H
#define PARLEY_SERVICE_CALENDAR_H

#include "contract/calendar.h"
#include "contract/social.h"
#include "kit/module.h"
#include "kit/paging.h"

enum {
    CALENDAR_TITLE_CHARS_MAX = 200,
    CALENDAR_DESCRIPTION_CHARS_MAX = 5000,
    CALENDAR_PLACE_CHARS_MAX = 500,
    CALENDAR_LINK_BYTES_MAX = 2000,
    CALENDAR_CAPACITY_MAX = 1000000,
    CALENDAR_DAYS_MAX = 366,
    CALENDAR_FEED_MAX = 1000,    /* gatherings in a person's calendar file */
    CALENDAR_INVITES_MAX = 1000, /* of one gathering */
    CALENDAR_SEARCH_CHARS_MAX = 100,
    CALENDAR_FOUND_MAX = 2000, /* that a search looks at, those made last */
};

struct calendar_room;
extern const struct module calendar_module;

struct calendar_call {
    struct calendar_room *room;
    struct id user;
    bool moderates; /* reads what anybody hosts, and may delete it */
    struct arena *arena;
    struct slice correlation_id; /* may be absent */
    struct buf *headers;         /* of the answer: RateLimit; may be NULL */
    /* If-Match: negative when the resource in this JSON is not the one that the caller has seen.
     * NULL: not asked for. Called on any thread while the caller waits. */
    int (*unchanged)(struct calendar_call *call, struct slice current_json);
    void *unchanged_arg;
    struct error *err;
};

/* --- gatherings (calendar.c) ------------------------------------------------------------------ */
/* A new one, or what is to change of one: `present` tells (enum gathering_field). */
struct gathering_input {
    uint64_t present;
    struct slice title, description, place, link, time_zone;
    struct slice starts_at, ends_at; /* RFC 3339, or local time in time_zone */
    int64_t capacity;                /* 0: null */
    int visibility;
};
enum gathering_field { /* bits of present; the order of the fields in calendar_schema.c */
                       GATHERING_TITLE,
                       GATHERING_STARTS_AT,
                       GATHERING_ENDS_AT,
                       GATHERING_TIME_ZONE,
                       GATHERING_DESCRIPTION,
                       GATHERING_PLACE,
                       GATHERING_LINK,
                       GATHERING_CAPACITY,
                       GATHERING_VISIBILITY,
};

int gathering_create(struct calendar_call *call, const struct gathering_input *in,
                     struct gathering *ret_gathering) MUSTCHECK;
int gathering_get(struct calendar_call *call, const struct id *id,
                  struct gathering *ret_gathering) MUSTCHECK;
/* The next three for the host alone: FAIL_FORBIDDEN "host_only". Editing a cancelled one is
 * FAIL_CONFLICT "event_cancelled". A raised capacity gives places to those who wait; a lowered one
 * takes none away. */
int gathering_edit(struct calendar_call *call, const struct id *id,
                   const struct gathering_input *in, struct gathering *ret_gathering) MUSTCHECK;
int gathering_cancel(struct calendar_call *call, const struct id *id,
                     struct gathering *ret_gathering) MUSTCHECK;
/* One that is still to come and that others have answered is cancelled; else it is gone. A
 * moderator's word: it is gone, and the audit log says who did it. */
int gathering_delete(struct calendar_call *call, const struct id *id) MUSTCHECK;

/* --- lists (calendar_list.c) ------------------------------------------------------------------ */
enum gathering_scope {
    GATHERINGS_ALL,
    GATHERINGS_MINE,
    GATHERINGS_ANSWERED,
    GATHERINGS_FOLLOWING,
    GATHERINGS_PUBLIC,
};
extern const char *const gathering_scope_names[]; /* "all" ... NULL */
struct gathering_query {
    struct page_query page;
    int64_t from, to; /* those that touch the time between; from 0: now; to 0: for ever */
    int scope;
    struct slice q; /* words of title or place, or beginnings of words; may be absent */
};
struct gathering_list {
    struct gathering *items;
    size_t count;
    struct cursor next;
    bool more; /* also after a page that is not full */
};
/* In order of their start. */
int gathering_list(struct calendar_call *call, const struct gathering_query *query,
                   struct gathering_list *ret_list) MUSTCHECK;

/* --- answers (calendar_rsvp.c) ---------------------------------------------------------------- */
/* FAIL_CONFLICT "event_cancelled", "event_over". The same answer again changes nothing. */
int calendar_answer(struct calendar_call *call, const struct id *id, enum calendar_answer answer,
                    struct calendar_rsvp *ret_rsvp) MUSTCHECK;
struct rsvp_query {
    struct page_query page;
    int status; /* enum calendar_answer */
    uint64_t present;
};
enum { RSVP_QUERY_STATUS = 2 }; /* bit of present */
struct rsvp_list {
    struct calendar_rsvp *items;
    size_t count;
    struct cursor next;
    bool more;
};
/* In order of arrival; "no" is for the host to see. Those whom a block stands between and those who
 * are switched off are left out; they keep their places and are counted. */
int calendar_attendees(struct calendar_call *call, const struct id *id,
                       const struct rsvp_query *query, struct rsvp_list *ret_list) MUSTCHECK;
/* By the host. Taking an invitation back takes the answer away too. FAIL_NOT_FOUND
 * "user_not_found", FAIL_CONFLICT "too_many_invites". */
int calendar_invite(struct calendar_call *call, const struct id *id,
                    const struct id *user) MUSTCHECK;
int calendar_uninvite(struct calendar_call *call, const struct id *id,
                      const struct id *user) MUSTCHECK;

/* --- iCalendar (calendar_feed.c) -------------------------------------------------------------- */
/* Appends the file of one gathering, or of all that the person hosts, comes to or may come to, from
 * 90 days ago on. */
int calendar_file(struct calendar_call *call, const struct id *id, struct buf *out) MUSTCHECK;
int calendar_feed(struct calendar_call *call, struct buf *out) MUSTCHECK;

struct calendar_link {
    struct slice url; /* path on this server */
    int64_t created_at;
};
/* A new secret address for call->user; the one before ends. */
int calendar_link_make(struct calendar_call *call, struct calendar_link *ret_link) MUSTCHECK;
int calendar_link_end(struct calendar_call *call) MUSTCHECK;
/* Whose calendar that is: FAIL_NOT_FOUND "calendar_not_found". file: "<token>.ics". */
int calendar_link_find(struct calendar_room *room, struct slice file, struct id *ret_user,
                       struct error *err) MUSTCHECK;

/* --- schemas (calendar_schema.c) -------------------------------------------------------------- */
struct gathering_params {
    struct id id, user_id;
};
struct rsvp_input {
    int status;
};
struct link_params {
    struct slice file;
};
extern const struct schema gathering_new_schema, gathering_patch_schema, gathering_query_schema,
    gathering_params_schema, invite_params_schema, rsvp_input_schema, rsvp_query_schema,
    link_params_schema, calendar_link_schema;

#endif
