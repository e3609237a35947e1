/* Each check asks whoever will read the setting later, as far as that can be asked without a
 * running room, and adds to one list of fields: an operator wants to hear all of it at once. */
#include "app/settings.h"

#include "gateway/address.h"
#include "gateway/edge.h"
#include "io/conn.h"
#include "kit/zones.h"
#include "service/auth/auth.h"

static int wrong(struct error *err, const char *field, const struct error *why)
{
    const char *detail = why->field_count > 0 ? why->fields[0].detail : why->detail;
    return error_field(err, field, why->code, "%s", detail);
}

/* --- addresses ---------------------------------------------------------------------------------
 */

/* A port that is taken is no fault of the setting: the server may be running. */
static void check_address(const struct config *config, const char *field, struct error *err)
{
    struct error why;
    error_init(&why);
    if (listener_probe(config_string(config, field), &why) < 0 &&
        strcmp(why.code, "listen_failed") != 0)
        (void)wrong(err, field, &why);
}

static void check_proxies(const struct config *config, struct error *err)
{
    static const char field[] = "trusted_proxies";
    const size_t most = ARRAY_LEN(((struct edge *)NULL)->trusted);
    struct network network;
    if (config_list_count(config, field) > most)
        (void)error_field(err, field, "too_many", "At most %zu networks.", most);
    for (size_t i = 0; i < config_list_count(config, field); i++) {
        const char *text = config_list_item(config, field, i);
        if (!network_parse(text, &network))
            (void)error_field(err, field, "invalid", "\"%s\" is no network such as 10.0.0.0/8.",
                              text);
    }
}

static bool ends_with(struct slice text, struct slice end)
{
    return text.len >= end.len && memcmp(text.ptr + text.len - end.len, end.ptr, end.len) == 0;
}

/* As browsers write it (RFC 6454 section 6.2), since it is compared byte for byte: in lower case,
 * without a path, and without the port that the scheme means anyway. */
static bool is_origin(const char *text)
{
    struct slice host = slice_str(text), scheme;
    if (strcmp(text, "*") == 0 || strcmp(text, "null") == 0)
        return true;
    if (!slice_cut(&host, ':', &scheme) || scheme.len == 0 || !slice_starts(host, SLICE("//")))
        return false;
    host = slice_of(host.ptr + 2, host.len - 2);
    for (const char *c = text; *c != 0; c++)
        if ((*c >= 'A' && *c <= 'Z') || (unsigned char)*c <= ' ' || (unsigned char)*c >= 127)
            return false;
    for (size_t i = 0; i < host.len; i++)
        if (strchr("/?#@\\*", host.ptr[i]) != NULL)
            return false;
    return host.len > 0 && host.ptr[0] != ':' &&
           !(slice_eq(scheme, SLICE("http")) && ends_with(host, SLICE(":80"))) &&
           !(slice_eq(scheme, SLICE("https")) && ends_with(host, SLICE(":443")));
}

static void check_origins(const struct config *config, struct error *err)
{
    static const char field[] = "origins";
    for (size_t i = 0; i < config_list_count(config, field); i++) {
        const char *text = config_list_item(config, field, i);
        if (!is_origin(text))
            (void)error_field(err, field, "invalid",
                              "\"%.48s\" is no origin as browsers send it, such as "
                              "https://chat.example.org (no slash at its end).",
                              text);
    }
}

/* --- files -------------------------------------------------------------------------------------
 */

static void check_zones(const struct config *config, struct error *err)
{
    static const char field[] = "calendar.zoneinfo";
    struct zones *zones = NULL;
    struct error why;
    error_init(&why);
    if (zones_open(config_string(config, field), &clock_system, &zones, &why) < 0)
        (void)wrong(err, field, &why);
    else
        zones_close(zones);
}

int settings_check(const struct config *config, struct error *err)
{
    check_address(config, "listen", err);
    if (config_string(config, "conformance.listen")[0] != 0)
        check_address(config, "conformance.listen", err);
    check_proxies(config, err);
    check_origins(config, err);
    (void)!auth_check_key(config, err);
    check_zones(config, err);
    return err->kind;
}
