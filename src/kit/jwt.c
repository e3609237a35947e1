/* JWS compact serialisation (RFC 7515 section 7.1): three base64url parts joined by dots.
 *
 * Order of the checks: size, form, header, key, signature; the payload is handed out only after the
 * signature has been found good, so nobody can look at claims that nobody vouches for.
 */
#include "kit/jwt.h"

#include "kit/jwk.h"

/* Of keys that may be the one, after those that the token names: verifying takes up to 85 us, and
 * whoever invents tokens has it done. */
enum { KEYS_TRIED_MAX = 32 };

static int refuse(struct error *err, const char *why)
{
    return error_set(err, FAIL_UNAUTHENTICATED, "invalid_token", "The token is not valid: %s.",
                     why);
}

int jwt_sign(const struct jwk *key, const char *typ, struct slice claims, struct buf *out,
             struct error *err)
{
    struct buf header, signature;
    buf_init(&header, 512);
    buf_init(&signature, JWK_SIGNATURE_BYTES_MAX);
    buf_printf(&header, "{\"typ\":\"%s\",\"alg\":\"%s\"", typ, jwt_alg_name(key->alg));
    if (key->kid[0] != 0) {
        buf_lit(&header, ",\"kid\":");
        json_write_string(&header, slice_str(key->kid));
    }
    buf_char(&header, '}');
    size_t start = out->len;
    base64url_encode(buf_view(&header), out);
    buf_char(out, '.');
    base64url_encode(claims, out);
    int rc =
        jwk_crypto_sign(key->crypto, slice_of(out->ptr + start, out->len - start), &signature, err);
    buf_char(out, '.');
    base64url_encode(buf_view(&signature), out);
    if (rc == 0 && (!buf_ok(&header) || !buf_ok(out) || out->len - start > JWT_BYTES_MAX))
        rc = error_set(err, FAIL_TOO_LARGE, "token_too_large", "A token has at most %d bytes.",
                       JWT_BYTES_MAX);
    buf_done(&header);
    buf_done(&signature);
    return rc;
}

struct parts {
    struct slice input; /* what is signed: header, dot, payload */
    struct slice header, payload, signature;
};

static bool split(struct slice token, struct parts *ret_parts)
{
    struct slice rest = token, header, payload;
    if (!slice_cut(&rest, '.', &header) || !slice_cut(&rest, '.', &payload) ||
        memchr(rest.ptr, '.', rest.len) != NULL)
        return false;
    if (header.len == 0 || rest.len == 0)
        return false;
    *ret_parts = (struct parts){
        .input = slice_of(token.ptr, header.len + 1 + payload.len),
        .header = header,
        .payload = payload,
        .signature = rest,
    };
    return true;
}

static bool decode(struct slice text, struct arena *arena, struct slice *ret_bytes)
{
    struct buf bytes;
    buf_init(&bytes, JWT_BYTES_MAX);
    bool good = base64url_decode(text, &bytes);
    *ret_bytes = good ? arena_copy(arena, buf_view(&bytes)) : (struct slice){0};
    buf_done(&bytes);
    return ret_bytes->ptr != NULL;
}

struct header {
    struct slice alg, kid, typ; /* kid and typ may be absent */
};

/* A member that may be missing, but when it is there it is a text. */
static bool optional_text(const struct json_value *object, const char *name, struct slice *ret_text)
{
    const struct json_value *v = json_member(object, name);
    *ret_text = v != NULL ? v->text : (struct slice){0};
    return v == NULL || v->type == JSON_STRING;
}

static int read_header(struct slice json, struct arena *arena, struct header *ret_header,
                       struct error *err)
{
    /* Each would change how the rest is to be read (RFC 7515 section 4.1.11, RFC 7797, RFC 7516):
     * none is understood here, so none may be there. */
    static const char *const refused[] = {"crit", "b64", "zip", "enc"};
    struct json_value *object;
    struct error why;
    error_init(&why);
    if (json_parse(json, arena, &object, &why) < 0 || object->type != JSON_OBJECT)
        return refuse(err, "its header is no JSON object with each member once");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (json_member(object, refused[i]) != NULL)
            return refuse(err, "its header has a member that is not supported");
    struct slice cty;
    if (!optional_text(object, "alg", &ret_header->alg) || ret_header->alg.ptr == NULL ||
        !optional_text(object, "kid", &ret_header->kid) ||
        !optional_text(object, "typ", &ret_header->typ) || !optional_text(object, "cty", &cty))
        return refuse(err, "a member of its header has the wrong type");
    if (slice_ieq(cty, SLICE("JWT"))) /* RFC 7519 section 5.2: a token within a token */
        return refuse(err, "nested tokens are not supported");
    return 0;
}

enum fit { FITS_NOT, MAY_FIT, IS_NAMED };

static enum fit key_fits(const struct jwk *key, const struct header *header)
{
    if (!slice_eq(header->alg, slice_str(jwt_alg_name(key->alg))))
        return FITS_NOT;
    if (header->kid.ptr == NULL || key->kid[0] == 0)
        return MAY_FIT;
    return slice_eq(header->kid, slice_str(key->kid)) ? IS_NAMED : FITS_NOT;
}

static bool one_verifies(struct jwk *const *keys, size_t count, const struct header *header,
                         enum fit fit, struct slice input, struct slice signature)
{
    unsigned tried = 0;
    for (size_t i = 0; i < count && tried < KEYS_TRIED_MAX; i++) {
        if (key_fits(keys[i], header) != fit)
            continue;
        tried++;
        if (jwk_crypto_verify(keys[i]->crypto, input, signature))
            return true;
    }
    return false;
}

static bool any_key_verifies(struct jwk *const *keys, size_t count, const struct header *header,
                             struct slice input, struct slice signature)
{
    return one_verifies(keys, count, header, IS_NAMED, input, signature) ||
           one_verifies(keys, count, header, MAY_FIT, input, signature);
}

int jwt_verify(struct slice token, struct jwk *const *keys, size_t key_count, struct arena *arena,
               struct jwt *ret_jwt, struct error *err)
{
    struct parts parts;
    struct slice header_json, signature, payload;
    struct header header;
    if (token.len > JWT_BYTES_MAX)
        return refuse(err, "it is longer than 8192 bytes");
    if (!split(token, &parts))
        return refuse(err, "it does not have three parts");
    if (!decode(parts.header, arena, &header_json) || !decode(parts.signature, arena, &signature))
        return refuse(err, "it is not canonical base64url");
    int rc = read_header(header_json, arena, &header, err);
    if (rc < 0)
        return rc;
    if (!any_key_verifies(keys, key_count, &header, parts.input, signature))
        return refuse(err, "no key here has made its signature");
    if (!decode(parts.payload, arena, &payload))
        return refuse(err, "it is not canonical base64url");
    *ret_jwt = (struct jwt){.header_json = header_json, .payload_json = payload, .typ = header.typ};
    return 0;
}
