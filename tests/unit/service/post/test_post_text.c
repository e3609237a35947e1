/* #tags and @names: where they begin and end. */
#include "post_rig.h"

static void check_tags(const char *text, const char *want)
{
    struct arena arena;
    struct schema_list tags;
    struct error err;
    struct buf got;
    error_init(&err);
    arena_init(&arena, 1 << 20);
    buf_init(&got, 4096);
    CHECK_OK(post_text_tags(slice_str(text), &arena, &tags, &err), &err);
    for (size_t i = 0; i < tags.count; i++) {
        if (i > 0)
            buf_char(&got, ' ');
        buf_slice(&got, ((struct slice *)tags.items)[i]);
    }
    CHECK_STR(buf_view(&got), want);
    buf_done(&got);
    arena_done(&arena);
}

TEST(tags)
{
    check_tags("", "");
    check_tags("#", "");
    check_tags("#a", "a");
    check_tags("# a ## #", "");
    check_tags("a#b #c", "c");
    check_tags("#a#b", "a");
    check_tags("(#a) [#b], #c! \"#d\"", "a b c d");
    check_tags("#Straße #STRASSE", "straße strasse");
    check_tags("#E\xcc\x81t\xc3\xa9 #\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"); /* composed: one */
    check_tags("#हिन्दी #日本語 #ΣΑΣ", "हिन्दी 日本語 σασ");
    check_tags("#1 #2nd #a_b #a-b", "1 2nd a");
    check_tags("&#39; http://x.example/#part", "");
    check_tags("#a\xf0\x9f\x98\x80#b", "a b");
}

static void check_names(const char *text, const char *want)
{
    struct arena arena;
    struct slice names[POST_NAMES_MAX];
    struct buf got;
    arena_init(&arena, 1 << 20);
    buf_init(&got, 4096);
    size_t count = post_text_names(slice_str(text), &arena, names);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&got, ' ');
        buf_slice(&got, names[i]);
    }
    CHECK_STR(buf_view(&got), want);
    buf_done(&got);
    arena_done(&arena);
}

TEST(names)
{
    check_names("", "");
    check_names("@ab @", "");
    check_names("@abc", "abc");
    check_names("@Abc, @aBC. (@d.e_f...)", "abc d.e_f");
    check_names("me@example.com x.@abc @abc@def", "abc");
    check_names("é@abc", "");
    check_names("@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa @bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
}

TEST(more_names_than_are_looked_up)
{
    struct arena arena;
    struct slice names[POST_NAMES_MAX];
    struct buf text;
    arena_init(&arena, 1 << 20);
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "@name%d ", i);
    CHECK_INT(post_text_names(buf_view(&text), &arena, names), POST_NAMES_MAX);
    buf_done(&text);
    arena_done(&arena);
}

TEST(a_tag_as_it_is_asked_for)
{
    struct arena arena;
    struct slice tag;
    arena_init(&arena, 1 << 16);
    CHECK(post_tag_fold(SLICE("ÄB1"), &arena, &tag));
    CHECK_STR(tag, "äb1");
    CHECK(!post_tag_fold(SLICE(""), &arena, &tag));
    CHECK(!post_tag_fold(SLICE("a b"), &arena, &tag));
    CHECK(!post_tag_fold(SLICE("#a"), &arena, &tag));
    arena_done(&arena);
}
