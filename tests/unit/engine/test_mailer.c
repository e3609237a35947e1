/* The mailer's door and the spool: what a message looks like, what is refused, what is kept. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/mailer.h"
#include "harness.h"

#define NOW INT64_C(1795000000123)

static const struct mailer_message hello = {
    MAILER_EMAIL, {"a@b.example", 11}, {"Hello", 5}, {"One\nTwo\n", 8}};

static void compose(const struct mailer_message *m, struct buf *out)
{
    struct error err;
    error_init(&err);
    CHECK_OK(mailer_check(m, &err), &err);
    buf_init(out, 1 << 20);
    mailer_write_email(m, SLICE("parley@chat.example"), SLICE("an-id"), NOW, out);
    CHECK(buf_ok(out));
    buf_char(out, 0);
}

TEST(an_email_has_its_headers_and_lines)
{
    struct buf out;
    compose(&hello, &out);
    CHECK_STR(slice_str(out.ptr), "Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n"
                                  "From: <parley@chat.example>\r\n"
                                  "To: <a@b.example>\r\n"
                                  "Message-ID: <an-id@chat.example>\r\n"
                                  "Subject: Hello\r\n"
                                  "Auto-Submitted: auto-generated\r\n"
                                  "MIME-Version: 1.0\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Transfer-Encoding: 7bit\r\n\r\n"
                                  "One\r\nTwo\r\n");
    buf_done(&out);
}

static bool lines_within(const char *text, size_t most)
{
    for (const char *end; (end = strstr(text, "\r\n")) != NULL; text = end + 2)
        if ((size_t)(end - text) > most)
            return false;
    return true;
}

TEST(what_is_not_ascii_is_encoded_without_cutting_a_character)
{
    struct buf out;
    struct mailer_message m = hello;
    m.subject = SLICE("Gr\303\274\303\237e \342\202\254 \342\202\254 \342\202\254 \342\202\254"
                      " \342\202\254 \342\202\254 \342\202\254 = ?");
    m.text = SLICE("\303\274 = 1 \nend");
    compose(&m, &out);
    CHECK(strstr(out.ptr, "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_=E2=82=AC_") != NULL);
    CHECK(strstr(out.ptr, "?=\r\n =?UTF-8?Q?") != NULL);
    CHECK(strstr(out.ptr, "=E2?=") == NULL && strstr(out.ptr, "=82?=") == NULL);
    CHECK(strstr(out.ptr, "quoted-printable\r\n\r\n=C3=BC =3D 1=20\r\nend\r\n") != NULL);
    CHECK(lines_within(out.ptr, 78 + 12));
    buf_done(&out);
}

TEST(a_subject_that_looks_encoded_is_encoded)
{
    struct buf out;
    struct mailer_message m = hello;
    m.subject = SLICE("=?UTF-8?Q?x?=");
    compose(&m, &out);
    CHECK(strstr(out.ptr, "Subject: =?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?=\r\n") != NULL);
    buf_done(&out);
}

TEST(long_lines_are_folded)
{
    struct buf out;
    char text[500];
    memset(text, 'x', sizeof text);
    struct mailer_message m = hello;
    m.text = slice_of(text, sizeof text);
    compose(&m, &out);
    CHECK(lines_within(strstr(out.ptr, "\r\n\r\n") + 4, 76));
    buf_done(&out);
}

TEST(what_could_begin_another_header_is_refused)
{
    static const struct mailer_message bad[] = {
        {MAILER_EMAIL, {"a@b.example\r\nBcc: c@d.example", 29}, {"s", 1}, {"t", 1}},
        {MAILER_EMAIL, {"a@b.example c", 13}, {"s", 1}, {"t", 1}},
        {MAILER_EMAIL, {"", 0}, {"s", 1}, {"t", 1}},
        {MAILER_EMAIL, {"a@b.example", 11}, {"s\nBcc: x", 8}, {"t", 1}},
        {MAILER_EMAIL, {"a@b.example", 11}, {"", 0}, {"t", 1}},
        {MAILER_EMAIL, {"a@b.example", 11}, {"\377", 1}, {"t", 1}},
        {MAILER_EMAIL, {"a@b.example", 11}, {"s", 1}, {"", 0}},
        {MAILER_EMAIL, {"a@b.example", 11}, {"s", 1}, {"a\rb", 3}},
        {MAILER_SMS, {"+4915112345678", 14}, {NULL, 0}, {"\1", 1}},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err;
        error_init(&err);
        CHECK_INT(mailer_check(&bad[i], &err), FAIL_INVALID);
        CHECK_STR(slice_str(err.code), "invalid_message");
    }
}

/* --- the spool ---------------------------------------------------------------------------------
 */

static struct mailer *spool(struct clock_fake *clock, unsigned files_max, int64_t age_max_ms)
{
    static char folder[512];
    struct mailer *mailer = NULL;
    struct error err;
    error_init(&err);
    snprintf(folder, sizeof folder, "%s/spool", test_dir());
    struct mailer_spool_config config = {.folder = folder,
                                         .from = SLICE("parley@localhost"),
                                         .clock = &clock->clock,
                                         .files_max = files_max,
                                         .age_max_ms = age_max_ms};
    CHECK_OK(mailer_spool_open(&config, &mailer, &err), &err);
    return mailer;
}

static int is_file(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* How many files there are; the newest one's text. */
static int look(char *ret_text, size_t size)
{
    char path[1024];
    struct dirent **names = NULL;
    snprintf(path, sizeof path, "%s/spool", test_dir());
    int count = scandir(path, &names, is_file, alphasort);
    if (count > 0 && ret_text != NULL) {
        snprintf(path, sizeof path, "%s/spool/%s", test_dir(), names[count - 1]->d_name);
        FILE *file = fopen(path, "r");
        ret_text[file != NULL ? fread(ret_text, 1, size - 1, file) : 0] = 0;
        if (file != NULL)
            fclose(file);
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return count;
}

TEST(each_message_is_a_file_that_only_its_owner_reads)
{
    struct clock_fake clock;
    struct error err;
    char text[4096];
    struct mailer_message sms = {MAILER_SMS, SLICE("+4915112345678"), {NULL, 0}, SLICE("123456")};
    clock_fake_init(&clock, NOW);
    error_init(&err);
    struct mailer *mailer = spool(&clock, 10, 0);
    CHECK_OK(mailer->ops->send(mailer, &hello, &err), &err);
    CHECK_INT(look(text, sizeof text), 1);
    CHECK(strstr(text, "To: <a@b.example>\r\n") != NULL);
    clock_fake_advance(&clock, 1);
    CHECK_OK(mailer->ops->send(mailer, &sms, &err), &err);
    CHECK_INT(look(text, sizeof text), 2);
    CHECK_STR(slice_str(text), "To: +4915112345678\nDate: 2026-11-18T11:06:40.124Z\n\n123456\n");
    struct stat folder;
    char path[512];
    snprintf(path, sizeof path, "%s/spool", test_dir());
    CHECK(stat(path, &folder) == 0 && (folder.st_mode & 0777) == 0700);
    mailer->ops->close(mailer);
}

TEST(the_oldest_go_when_there_are_too_many_or_they_are_too_old)
{
    struct clock_fake clock;
    struct error err;
    clock_fake_init(&clock, NOW);
    error_init(&err);
    struct mailer *mailer = spool(&clock, 5, 60000);
    for (int i = 0; i < 32; i++) {
        clock_fake_advance(&clock, 1);
        CHECK_OK(mailer->ops->send(mailer, &hello, &err), &err);
    }
    CHECK_INT(look(NULL, 0), 5);
    mailer->ops->close(mailer);
    clock_fake_advance(&clock, 59990);
    mailer = spool(&clock, 5, 60000);
    CHECK_INT(look(NULL, 0), 5);
    mailer->ops->close(mailer);
    clock_fake_advance(&clock, 20);
    mailer = spool(&clock, 5, 60000);
    CHECK_INT(look(NULL, 0), 0);
    mailer->ops->close(mailer);
}

TEST(a_spool_that_is_gone_is_an_error_and_leaves_nothing)
{
    struct clock_fake clock;
    struct error err;
    char path[512];
    clock_fake_init(&clock, NOW);
    error_init(&err);
    struct mailer *mailer = spool(&clock, 5, 0);
    snprintf(path, sizeof path, "%s/spool", test_dir());
    CHECK(rmdir(path) == 0);
    CHECK(mailer->ops->send(mailer, &hello, &err) < 0);
    CHECK_STR(slice_str(err.code), "spool");
    mailer->ops->close(mailer);
}
