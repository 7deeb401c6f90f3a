#pragma once

#include <stdbool.h>
#include <stddef.h>

struct config_admission;

/*
 * Other sites' pages: what a page may do here, by where it comes from (the CORS
 * protocol of the Fetch standard), and who may show ours in a frame. It goes by
 * the same list of origins as WebSocket handshakes do.
 */
enum cors {
	CORS_NO_PAGE, /* the request has no Origin */
	CORS_SAME,    /* a page from here, that no list names */
	CORS_LISTED,
	CORS_ANY, /* "*" is listed, which isn't to trust it */
	CORS_FOREIGN,
};

/* For a header's lines, from an origin of any length that is judged as no foreign one. */
#define CORS_ORIGIN_MAX 300
#define CORS_LINES_SIZE 1024

/* settings, origin and host may be NULL; secure: the request came in over TLS. */
enum cors cors_judge(const struct config_admission *settings, const char *origin, const char *host,
		     bool secure);

/*
 * Whether the request's cookies say who it is from: browsers send them along with
 * other sites' pages, too, so that they count only for a page from here or for one
 * that is listed by name.
 */
bool cors_allows_cookies(enum cors page);

/* Whether a page may read the answers to what it asks. */
bool cors_allows(enum cors page);

/*
 * The lines, each with its CRLF, that an answer has for the page; Vary is among
 * them whatever the page is. And those that answer a preflight request, for a page
 * that may.
 */
void cors_format(char out[CORS_LINES_SIZE], enum cors page, const char *origin);
void cors_format_preflight(char out[CORS_LINES_SIZE], enum cors page, const char *origin);

/* The sources of frame-ancestors (CSP level 3 section 6.4.2), to be freed; NULL: out of memory. */
char *cors_frame_ancestors(const struct config_admission *settings);
