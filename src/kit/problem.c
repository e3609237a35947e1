#include "kit/problem.h"

#include "base/json.h"

static void write_fields(const struct error *err, struct buf *out)
{
    buf_lit(out, ",\"errors\":[");
    for (unsigned i = 0; i < err->field_count; i++) {
        const struct error_field *f = &err->fields[i];
        buf_str(out, i > 0 ? ",{\"field\":" : "{\"field\":");
        json_write_string(out, slice_str(f->field));
        buf_lit(out, ",\"code\":");
        json_write_string(out, slice_str(f->code));
        buf_lit(out, ",\"detail\":");
        json_write_string(out, slice_str(f->detail));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

/* What went wrong inside is for the log, where the correlation id finds it: statements and paths
 * are nobody's business outside. */
static struct slice detail_of(const struct error *err, int status)
{
    return status == 500
               ? SLICE("Something went wrong here; the log has it by this correlation id.")
               : slice_str(err->detail);
}

void problem_write(const struct error *err, struct slice correlation_id, struct buf *out)
{
    const char *code = err->code != NULL ? err->code : "internal_error";
    int status = error_http_status(err->kind);
    buf_printf(out, "{\"type\":\"about:blank#%s\",\"title\":\"%s\",\"status\":%d,\"detail\":", code,
               error_http_title(status), status);
    json_write_string(out, detail_of(err, status));
    buf_printf(out, ",\"code\":\"%s\",\"correlation_id\":", code);
    if (correlation_id.ptr != NULL)
        json_write_string(out, correlation_id);
    else
        buf_lit(out, "null");
    if (err->field_count > 0)
        write_fields(err, out);
    buf_char(out, '}');
}

int64_t problem_retry_after_s(const struct error *err)
{
    return err->retry_after_ms > 0 ? (err->retry_after_ms + 999) / 1000 : 0;
}
