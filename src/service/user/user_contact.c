#include "service/user/user_contact.h"

#include "base/random.h"
#include "kit/contact.h"
#include "kit/seal.h"
#include "service/user/user_store.h"

enum { KEY_BYTES_MAX = 4096 };

static int load_tx(struct db_tx *tx, void *arg, struct error *err)
{
    uint8_t fresh[32];
    random_bytes(fresh, sizeof fresh);
    return user_store_secret(tx, "contact", fresh, arg, err);
}

int user_contact_start(struct user_room *room, struct error *err)
{
    return db_write(room->db, load_tx, room->contact_key, err);
}

/* The key under which an address is found; absent when it is none. */
static struct slice key_of(enum user_contact kind, struct slice address, struct arena *arena)
{
    if (kind == USER_CONTACT_EMAIL)
        return contact_email_key(address, arena);
    return contact_is_phone(address) ? address : (struct slice){0};
}

int user_contact_write(struct user_room *room, struct db_tx *tx, const struct user_profile *profile,
                       struct error *err)
{
    const struct slice addresses[] = {
        [USER_CONTACT_EMAIL] = profile->email, [USER_CONTACT_PHONE] = profile->phone};
    const bool allowed[] = {[USER_CONTACT_EMAIL] = profile->discoverable_by_email,
                            [USER_CONTACT_PHONE] = profile->discoverable_by_phone};
    struct slice hashes[2] = {{0}};
    uint8_t bytes[2][32];
    struct arena arena;
    arena_init(&arena, KEY_BYTES_MAX);
    for (int kind = USER_CONTACT_EMAIL; kind <= USER_CONTACT_PHONE; kind++) {
        struct slice key = {0};
        if (allowed[kind] && addresses[kind].ptr != NULL)
            key = key_of((enum user_contact)kind, addresses[kind], &arena);
        if (key.ptr == NULL)
            continue;
        seal_mac(room->contact_key, key, bytes[kind]);
        hashes[kind] = slice_of((const char *)bytes[kind], sizeof bytes[kind]);
    }
    int rc = user_store_set_contact(tx, &profile->id, hashes, err);
    arena_done(&arena);
    return rc;
}

struct lookup {
    enum user_contact kind;
    uint8_t hash[32];
    struct id user;
};

static int find_tx(struct db_tx *tx, void *arg, struct error *err)
{
    struct lookup *l = arg;
    return user_store_find_contact(tx, l->kind, slice_of((const char *)l->hash, sizeof l->hash),
                                   &l->user, err);
}

int user_contact_find(struct user_room *room, struct slice text, struct arena *arena,
                      bool *ret_is_address, struct id *ret_user, struct error *err)
{
    struct lookup l = {.kind =
                           slice_find(text, '@') >= 0 ? USER_CONTACT_EMAIL : USER_CONTACT_PHONE};
    struct slice key = key_of(l.kind, text, arena);
    *ret_is_address = key.ptr != NULL;
    *ret_user = (struct id){{0}};
    if (!*ret_is_address)
        return 0;
    seal_mac(room->contact_key, key, l.hash);
    int rc = db_read(room->db, find_tx, &l, err);
    if (rc == 0)
        *ret_user = l.user;
    return rc;
}
