/* The table of files of a program built with -Dweb=false. */
#include "gateway/assets.h"

#define EMPTY_PAGE                                                                                 \
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Parley</title>\n"       \
    "<h1>Parley is running</h1>\n<p>This server was built without the web client. Its API is "     \
    "described at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>\n</html>\n"

const struct asset assets[] = {
    {.path = "/",
     .content_type = "text/html; charset=utf-8",
     .etag = "\"without-web\"",
     .plain = {EMPTY_PAGE, sizeof(EMPTY_PAGE) - 1}},
    {.path = "/docs",
     .content_type = "text/html; charset=utf-8",
     .etag = "\"without-web\"",
     .plain = {EMPTY_PAGE, sizeof(EMPTY_PAGE) - 1}},
};
const size_t asset_count = ARRAY_LEN(assets);
