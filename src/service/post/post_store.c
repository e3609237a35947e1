/* Posts as rows. Lists of ids are stored as they lie in memory, 16 bytes each; tags are joined by
 * blanks, which no tag holds. */
#include "service/post/post_store.h"

#include "engine/db_one.h"

const struct id post_id_last = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff, 0xff}};

static int too_large(struct error *err)
{
    return error_set(err, FAIL_TOO_LARGE, "too_large", "The posts do not fit; ask for fewer.");
}

/* --- packing -----------------------------------------------------------------------------------
 */

static struct slice pack_ids(const struct schema_list *ids)
{
    return ids->count > 0 ? slice_of(ids->items, ids->count * sizeof(struct id))
                          : (struct slice){0};
}

/* Lists are never NULL: they are encoded as empty ones. */
static bool unpack_ids(struct slice packed, struct arena *arena, struct schema_list *ret_ids)
{
    ret_ids->count = packed.len / sizeof(struct id);
    ret_ids->items = arena_alloc(arena, packed.len + 1);
    if (ret_ids->items != NULL && packed.len > 0)
        memcpy(ret_ids->items, packed.ptr, packed.len);
    return ret_ids->items != NULL;
}

static bool pack_tags(const struct schema_list *tags, struct arena *arena, struct slice *ret_packed)
{
    const struct slice *items = tags->items;
    size_t len = 0;
    *ret_packed = (struct slice){0};
    if (tags->count == 0)
        return true;
    for (size_t i = 0; i < tags->count; i++)
        len += items[i].len + 1;
    char *text = arena_alloc(arena, len), *at = text;
    if (text == NULL)
        return false;
    for (size_t i = 0; i < tags->count; i++) {
        memcpy(at, items[i].ptr, items[i].len);
        at += items[i].len;
        *at++ = ' ';
    }
    *ret_packed = slice_of(text, len - 1);
    return true;
}

static bool unpack_tags(struct slice packed, struct arena *arena, struct schema_list *ret_tags)
{
    struct slice *items = arena_array(arena, POST_TAGS_MAX, sizeof *items);
    struct slice rest = arena_copy(arena, packed);
    size_t count = 0;
    if (items == NULL || (packed.ptr != NULL && rest.ptr == NULL))
        return false;
    for (bool more = rest.len > 0; more && count < POST_TAGS_MAX; count++)
        more = slice_cut(&rest, ' ', &items[count]);
    *ret_tags = (struct schema_list){items, count};
    return true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_head = {
    "SELECT user_id, visibility, edits, deleted_at FROM post WHERE id = ?1"};

int post_store_head(struct db_tx *tx, const struct id *post, struct post_head *ret_head,
                    struct error *err)
{
    struct db_rows rows;
    *ret_head = (struct post_head){.id = *post};
    int rc = db_one(tx, &sql_head, &rows, err, db_id(post));
    if (rc <= 0)
        return rc;
    ret_head->user_id = db_col_id(&rows, 0);
    ret_head->visibility = (int)db_col_int(&rows, 1);
    ret_head->version = db_col_int(&rows, 2);
    ret_head->deleted_at = db_col_int(&rows, 3);
    ret_head->found = true;
    db_rows_close(&rows);
    return 0;
}

static const struct db_sql sql_get = {
    "SELECT p.id, p.user_id, p.text, p.media, p.mentions, p.tags, p.visibility, p.created_at,"
    " p.edited_at, c.likes, c.comments,"
    " EXISTS (SELECT 1 FROM post_like WHERE post_id = p.id AND user_id = ?2),"
    " EXISTS (SELECT 1 FROM post_bookmark WHERE user_id = ?2 AND post_id = p.id)"
    " FROM post p LEFT JOIN post_count c ON c.post_id = p.id"
    " WHERE p.id = ?1 AND p.deleted_at = 0"};

static bool read_post(const struct db_rows *rows, struct arena *arena, struct post *ret_post)
{
    *ret_post = (struct post){
        .id = db_col_id(rows, 0),
        .user_id = db_col_id(rows, 1),
        .text = db_col_copy(rows, 2, arena),
        .visibility = (int)db_col_int(rows, 6),
        .created_at = db_col_int(rows, 7),
        .edited_at = db_col_int(rows, 8),
        .like_count = db_col_int(rows, 9),
        .comment_count = db_col_int(rows, 10),
        .liked = db_col_int(rows, 11) != 0,
        .bookmarked = db_col_int(rows, 12) != 0,
    };
    return ret_post->text.ptr != NULL &&
           unpack_ids(db_col_blob(rows, 3), arena, &ret_post->media_ids) &&
           unpack_ids(db_col_blob(rows, 4), arena, &ret_post->mentions) &&
           unpack_tags(db_col_text(rows, 5), arena, &ret_post->tags);
}

int post_store_get(struct db_tx *tx, const struct id *post, const struct id *viewer,
                   struct arena *arena, struct post *ret_post, bool *ret_found, struct error *err)
{
    struct db_rows rows;
    *ret_found = false;
    int rc = db_one(tx, &sql_get, &rows, err, db_id(post), db_id(viewer));
    if (rc <= 0)
        return rc;
    *ret_found = read_post(&rows, arena, ret_post);
    db_rows_close(&rows);
    return *ret_found ? 0 : too_large(err);
}

static const struct db_sql sql_versions = {
    "SELECT version, text, media, visibility, replaced_at FROM post_edit"
    " WHERE post_id = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3"};

int post_store_versions(struct db_tx *tx, const struct id *post, int64_t before, size_t max,
                        struct arena *arena, struct post_version *ret_versions, size_t *ret_count,
                        struct error *err)
{
    struct db_rows rows;
    *ret_count = 0;
    int rc =
        db_query(tx, &sql_versions, &rows, err, db_id(post), db_int(before), db_int((int64_t)max));
    while (rc == 0 && (rc = db_next(&rows, err)) > 0) {
        struct post_version *v = &ret_versions[(*ret_count)++];
        *v = (struct post_version){.version = db_col_int(&rows, 0),
                                   .text = db_col_copy(&rows, 1, arena),
                                   .visibility = (int)db_col_int(&rows, 3),
                                   .edited_at = db_col_int(&rows, 4)};
        rc = 0;
        if (v->text.ptr == NULL || !unpack_ids(db_col_blob(&rows, 2), arena, &v->media_ids)) {
            db_rows_close(&rows);
            return too_large(err);
        }
    }
    return rc;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static const struct db_sql sql_insert = {
    "INSERT INTO post (id, user_id, text, media, mentions, tags, visibility, created_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};

int post_store_insert(struct db_tx *tx, const struct post *post, struct arena *arena,
                      struct error *err)
{
    struct slice tags;
    if (!pack_tags(&post->tags, arena, &tags))
        return too_large(err);
    int rc =
        db_exec(tx, &sql_insert, err, db_id(&post->id), db_id(&post->user_id), db_text(post->text),
                db_blob(pack_ids(&post->media_ids)), db_blob(pack_ids(&post->mentions)),
                db_text(tags), db_int(post->visibility), db_int(post->created_at));
    return rc < 0 ? rc : post_store_put_tags(tx, post, err);
}

static const struct db_sql sql_keep_version = {
    "INSERT INTO post_edit (post_id, version, text, media, visibility, replaced_at)"
    " SELECT id, edits, text, media, visibility, ?2 FROM post WHERE id = ?1"};
static const struct db_sql sql_update = {
    "UPDATE post SET text = ?2, media = ?3, mentions = ?4, tags = ?5, visibility = ?6,"
    " edited_at = ?7, edits = ?8 WHERE id = ?1"};

int post_store_update(struct db_tx *tx, const struct post *post, int64_t version,
                      struct arena *arena, struct error *err)
{
    struct slice tags;
    if (!pack_tags(&post->tags, arena, &tags))
        return too_large(err);
    int rc = db_exec(tx, &sql_keep_version, err, db_id(&post->id), db_int(post->edited_at));
    if (rc == 0)
        rc = db_exec(tx, &sql_update, err, db_id(&post->id), db_text(post->text),
                     db_blob(pack_ids(&post->media_ids)), db_blob(pack_ids(&post->mentions)),
                     db_text(tags), db_int(post->visibility), db_int(post->edited_at),
                     db_int(version + 1));
    return rc;
}

static const struct db_sql sql_set_deleted = {
    "UPDATE post SET deleted_at = ?2 WHERE id = ?1 AND deleted_at = 0"};

int post_store_set_deleted(struct db_tx *tx, const struct id *post, int64_t at, struct error *err)
{
    return db_exec(tx, &sql_set_deleted, err, db_id(post), db_int(at));
}

static const struct db_sql sql_put_tag = {
    "INSERT OR IGNORE INTO post_tag (tag, post_id) VALUES (?1, ?2)"};

int post_store_put_tags(struct db_tx *tx, const struct post *post, struct error *err)
{
    const struct slice *tags = post->tags.items;
    int rc = 0;
    if (post->visibility == SOCIAL_PRIVATE)
        return 0;
    for (size_t i = 0; rc == 0 && i < post->tags.count; i++)
        rc = db_exec(tx, &sql_put_tag, err, db_text(tags[i]), db_id(&post->id));
    return rc;
}

static const struct db_sql sql_drop_tag = {"DELETE FROM post_tag WHERE tag = ?1 AND post_id = ?2"};

int post_store_drop_tags(struct db_tx *tx, const struct id *post, const struct schema_list *tags,
                         struct error *err)
{
    const struct slice *items = tags->items;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < tags->count; i++)
        rc = db_exec(tx, &sql_drop_tag, err, db_text(items[i]), db_id(post));
    return rc;
}
