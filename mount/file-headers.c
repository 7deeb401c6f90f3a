#include "mount/file-headers.h"

#include "config.h"
#include "cors.h"
#include "http-cors.h"
#include "mount/file-hashed.h"
#include "server.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is said of a file, in which the settings have the last word. */
struct lines {
	FILE *out;
	const struct config_files *settings;
	const char *path;
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A pattern without a slash is for the name alone, one with any for the path from the root. */
static bool matches(const struct config_file_headers *rule, const char *path)
{
	const char *match = rule->match;

	if (!strchr(match, '/'))
		return !fnmatch(match, last_part(path), 0);
	return !fnmatch(*match == '/' ? match + 1 : match, path, 0);
}

static bool has(const struct config_file_headers *rule, size_t from, const char *name)
{
	for (size_t i = from; i < rule->n_headers; i++)
		if (!strcasecmp(rule->headers[i].name, name))
			return true;
	return false;
}

/* Whether a rule from that one on says it for this path. */
static bool is_set(const struct lines *lines, size_t from, const char *name)
{
	for (size_t i = from; i < lines->settings->n_headers; i++)
		if (has(&lines->settings->headers[i], 0, name) &&
		    matches(&lines->settings->headers[i], lines->path))
			return true;
	return false;
}

static void put(const struct lines *lines, const char *name, const char *value)
{
	if (!is_set(lines, 0, name))
		fprintf(lines->out, "%s: %s\r\n", name, value);
}

/* Of all that match the later one wins. */
static void put_settings(const struct lines *lines)
{
	for (size_t i = 0; i < lines->settings->n_headers; i++) {
		const struct config_file_headers *rule = &lines->settings->headers[i];

		if (!matches(rule, lines->path))
			continue;
		for (size_t j = 0; j < rule->n_headers; j++)
			if (!has(rule, j + 1, rule->headers[j].name) &&
			    !is_set(lines, i + 1, rule->headers[j].name))
				fprintf(lines->out, "%s: %s\r\n", rule->headers[j].name,
					rule->headers[j].value);
	}
}

/* Our own pages need nothing from elsewhere, but to connect; what other pages need is their own matter. */
static void put_policy(struct lws *wsi, const struct lines *lines)
{
	char *ancestors = cors_frame_ancestors(http_page_settings(wsi));

	if (!is_set(lines, 0, "Content-Security-Policy"))
		fprintf(lines->out,
			"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
			"img-src 'self' data:; base-uri 'none'; form-action 'self'; "
			"frame-ancestors %s; object-src 'none'\r\n",
			ancestors ? ancestors : "'none'");
	put(lines, "Referrer-Policy", "no-referrer");
	free(ancestors);
}

static void put_page_headers(struct lws *wsi, const struct lines *lines)
{
	char *text = http_cors_headers(wsi);

	if (text && !is_set(lines, 0, "Access-Control-Allow-Origin"))
		fputs(text, lines->out);
	free(text);
}

/* What other requests may go by: not of a page that says that there is nothing. */
static void put_state(const struct lines *lines, const struct file *file, unsigned status,
		      const struct file_range *range)
{
	if (status == 404)
		return;
	fprintf(lines->out, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n", file->etag,
		file->modified);
	if (status == 206)
		fprintf(lines->out, "Content-Range: bytes %lld-%lld/%lld\r\n",
			(long long)range->first, (long long)range->last, (long long)file->size);
	else if (status == 416)
		fprintf(lines->out, "Content-Range: bytes */%lld\r\n", (long long)file->size);
}

bool file_is_for_pages(const char *path)
{
	return !fnmatch("chat-client*.js", path, FNM_PATHNAME) ||
	       !fnmatch("chat-client*.d.ts", path, FNM_PATHNAME);
}

char *file_headers(struct lws *wsi, const struct file *file, unsigned status,
		   const struct file_range *range)
{
	struct lines lines = {.settings = &server_of(wsi)->config->files, .path = file->path};
	char *text = NULL;
	size_t size;

	lines.out = open_memstream(&text, &size);
	if (!lines.out)
		return NULL;
	put_state(&lines, file, status, range);
	put(&lines, "Cache-Control",
	    status != 404 && file_is_hashed(last_part(file->path))
		    ? "public, max-age=31536000, immutable"
		    : "no-cache");
	fputs("Vary: Accept-Encoding\r\n", lines.out);
	if (file->coding)
		fprintf(lines.out, "Content-Encoding: %s\r\n", file->coding);
	if (file->ours)
		put_policy(wsi, &lines);
	if (file_is_for_pages(file->path))
		put_page_headers(wsi, &lines);
	put_settings(&lines);
	if (fclose(lines.out)) {
		free(text);
		return NULL;
	}
	return text;
}
