/* The files of the web client, as part of the program: what web/embed.mjs writes at build time.
 * Everything here is constant and lives as long as the process.
 *
 * "/" is the web client and also the answer to unknown paths that neither start with /api nor have
 * a dot in their last part (the client routes those by itself); "/docs" is the API reference. A
 * program built with -Dweb=false has these two paths only, with a small page that says so. */
#ifndef PARLEY_GATEWAY_ASSETS_H
#define PARLEY_GATEWAY_ASSETS_H

#include "base/base.h"

struct asset {
    const char *path;         /* as requested: "/", "/docs", "/assets/app-1a2b3c.js" */
    const char *content_type; /* complete, with charset */
    const char *etag;         /* strong, with its quotes; of the plain form: add the coding to it */
    bool immutable;           /* the name has a hash of the bytes: may be cached for ever */
    struct slice plain;       /* always there */
    struct slice gzip;        /* ptr NULL where compression saves nothing */
    struct slice brotli;
};

extern const struct asset assets[]; /* sorted by path, byte by byte */
extern const size_t asset_count;

#endif
