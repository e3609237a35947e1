#include "kit/token_claims.h"

static void write_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    json_write_string(out, slice_str(value));
    buf_char(out, ',');
}

static void write_id(struct buf *out, const char *name, const struct id *id)
{
    char text[ID_TEXT_LEN + 1];
    id_format(id, text);
    buf_printf(out, "\"%s\":\"%s\",", name, text);
}

/* iat is in whole seconds, for the sake of other people's verifiers; `ms` is what it leaves out, so
 * that somebody who signs out everywhere can sign in again within the same second. */
void token_claims_write(const struct token_config *config, const struct principal *principal,
                        const struct id *jti, struct buf *out)
{
    buf_char(out, '{');
    write_text(out, "iss", config->issuer);
    write_text(out, "aud", config->audience);
    write_id(out, "sub", &principal->user);
    write_text(out, "client_id", "parley"); /* RFC 9068 section 2.2 wants one */
    write_id(out, "sid", &principal->session);
    write_text(out, "role", role_names[principal->role]);
    buf_printf(out, "\"iat\":%lld,\"exp\":%lld,\"ms\":%d,",
               (long long)(principal->issued_ms / 1000), (long long)(principal->expires_ms / 1000),
               (int)(principal->issued_ms % 1000));
    write_id(out, "jti", jti);
    if (buf_ok(out))
        out->ptr[out->len - 1] = '}';
}

static int refuse(struct error *err, const char *why)
{
    return error_set(err, FAIL_UNAUTHENTICATED, "invalid_token", "The token is not valid: %s.",
                     why);
}

/* RFC 7519 section 4.1.3: one text, or a list that has it. */
static bool meant_for(const struct json_value *aud, const char *audience)
{
    if (aud == NULL)
        return false;
    if (aud->type == JSON_STRING)
        return slice_eq(aud->text, slice_str(audience));
    if (aud->type != JSON_ARRAY)
        return false;
    for (const struct json_value *v = aud->first; v != NULL; v = v->next)
        if (v->type == JSON_STRING && slice_eq(v->text, slice_str(audience)))
            return true;
    return false;
}

/* Seconds since 1970, up to the year 9999: what follows multiplies it by a thousand. */
static bool read_seconds(const struct json_value *claims, const char *name, bool required,
                         int64_t *ret_ms)
{
    const struct json_value *v = json_member(claims, name);
    if (v == NULL)
        return !required;
    if (v->type != JSON_INT || v->integer < 0 || v->integer > 253402300799)
        return false;
    *ret_ms = v->integer * 1000;
    return true;
}

static int check_times(const struct token_config *config, const struct json_value *claims,
                       int64_t now_ms, struct principal *principal, struct error *err)
{
    int64_t nbf_ms = 0;
    if (!read_seconds(claims, "exp", true, &principal->expires_ms) ||
        !read_seconds(claims, "iat", true, &principal->issued_ms) ||
        !read_seconds(claims, "nbf", false, &nbf_ms))
        return refuse(err, "exp, iat or nbf is missing or no time");
    if (principal->expires_ms + config->leeway_ms <= now_ms)
        return error_set(err, FAIL_UNAUTHENTICATED, "token_expired",
                         "The token has expired; refresh it.");
    if (nbf_ms > now_ms + config->leeway_ms || principal->issued_ms > now_ms + config->leeway_ms)
        return error_set(err, FAIL_UNAUTHENTICATED, "token_not_yet_valid",
                         "The token is not valid yet.");
    return 0;
}

static bool read_id(const struct json_value *claims, const char *name, struct id *ret_id)
{
    return id_parse(json_member_text(claims, name), ret_id) && !id_is_nil(ret_id);
}

static bool read_role(const struct json_value *claims, struct principal *principal)
{
    struct slice text = json_member_text(claims, "role");
    for (int i = 0; role_names[i] != NULL; i++) {
        if (!slice_eq(text, slice_str(role_names[i])))
            continue;
        principal->role = (enum role)i;
        principal->scopes = role_scopes(principal->role);
        return true;
    }
    return false;
}

static void refine_issued(const struct json_value *claims, struct principal *principal)
{
    const struct json_value *ms = json_member(claims, "ms");
    if (ms != NULL && ms->type == JSON_INT && ms->integer >= 0 && ms->integer < 1000)
        principal->issued_ms += ms->integer;
}

int token_claims_read(const struct token_config *config, const struct jwt *jwt, int64_t now_ms,
                      struct arena *arena, struct principal *ret_principal, struct error *err)
{
    struct json_value *claims;
    struct principal principal = {0};
    struct error why;
    error_init(&why);
    /* RFC 9068 section 4: so that no other kind of token is taken for an access token. */
    if (!slice_ieq(jwt->typ, SLICE("at+jwt")) && !slice_ieq(jwt->typ, SLICE("application/at+jwt")))
        return refuse(err, "typ says that it is no access token");
    if (json_parse(jwt->payload_json, arena, &claims, &why) < 0 || claims->type != JSON_OBJECT)
        return refuse(err, "its claims are no JSON object with each member once");
    if (!slice_eq(json_member_text(claims, "iss"), slice_str(config->issuer)))
        return refuse(err, "it has another issuer");
    if (!meant_for(json_member(claims, "aud"), config->audience))
        return refuse(err, "it is meant for another audience");
    int rc = check_times(config, claims, now_ms, &principal, err);
    if (rc < 0)
        return rc;
    if (!read_id(claims, "sub", &principal.user) || !read_id(claims, "sid", &principal.session))
        return refuse(err, "sub or sid is missing or no id");
    if (!read_role(claims, &principal))
        return refuse(err, "its role is unknown");
    refine_issued(claims, &principal);
    *ret_principal = principal;
    return 0;
}
