#include "handshake.h"
#include "http.h"
#include "http-date.h"
#include "http-request.h"
#include "http-turn.h"
#include "log.h"
#include "mount/conditions.h"
#include "mount/file-range.h"
#include "mount/file-type.h"
#include "mount/table.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOG_MODULE "files"

/* Of work, in a request: see turn.h. */
#define REQUEST_UNITS 4

/*
 * Files. Every . and .. has gone from the path by the time that it is decoded;
 * what is left is opened beneath the root by the kernel (RESOLVE_BENEATH), which
 * follows no symbolic link out of it.
 *
 * lws could serve files itself, but sends several ranges as a body that no
 * client understands, has no Last-Modified, and knows nothing of compressed
 * siblings.
 */

/* What goes out between two turns of the event loop; smaller files leave with their head. */
#define CHUNK (64 * 1024)
#define SMALL_CHUNK 4096

#define SECURITY_HEADERS                                                                           \
	"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "               \
	"img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "      \
	"object-src 'none'\r\n"                                                                    \
	"Referrer-Policy: no-referrer\r\n"

/* The root of all files, in the memory that lws keeps for a protocol of a vhost. */
struct root {
	int fd;
};

/* The rest of a body that is on its way. */
struct transfer {
	bool active;
	int fd;
	off_t position;
	off_t end;
};

/* An open file, and what the answer's headers say of it. */
struct file {
	int fd;
	const char *type;
	bool compressed;
	off_t size;
	char etag[64];
	char modified[HTTP_DATE_SIZE];
	time_t mtime;
};

static struct root *root_of(struct lws *wsi)
{
	return lws_protocol_vh_priv_get(lws_get_vhost(wsi), lws_get_protocol(wsi));
}

static int open_root(struct lws *wsi)
{
	const char *www = server_of(wsi)->config->www;
	struct root *root = lws_protocol_vh_priv_zalloc(lws_get_vhost(wsi), lws_get_protocol(wsi),
							sizeof(*root));

	if (!root)
		return -1;
	root->fd = open(www, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0) {
		log_error("www: %s: %s", www, strerror(errno));
		return -1;
	}
	return 0;
}

static void close_root(struct root *root)
{
	if (root && root->fd >= 0)
		close(root->fd);
}

/* What begins with a dot stays private, but for what RFC 8615 sets aside for everybody. */
static bool is_hidden(const char *path)
{
	static const char well_known[] = ".well-known/";

	for (const char *p = path; *p; p++)
		if (*p == '.' && (p == path || p[-1] == '/') &&
		    strncmp(p, well_known, sizeof(well_known) - 1))
			return true;
	return false;
}

static int open_beneath(const struct root *root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root->fd, *path ? path : ".", &how, sizeof(how));
}

/* Opens a regular file; -1 with errno, EISDIR for a directory. */
static int open_file(const struct root *root, const char *path, struct stat *st)
{
	int fd = open_beneath(root, path);
	int error;

	if (fd < 0)
		return -1;
	if (fstat(fd, st) < 0)
		error = errno;
	else if (S_ISREG(st->st_mode))
		return fd;
	else
		error = S_ISDIR(st->st_mode) ? EISDIR : EACCES;
	close(fd);
	errno = error;
	return -1;
}

static void describe(struct file *file, const struct stat *st)
{
	time_t now = time(NULL);

	file->size = st->st_size;
	file->mtime = st->st_mtime;
	snprintf(file->etag, sizeof(file->etag), "\"%llx-%llx%s\"",
		 (unsigned long long)st->st_mtim.tv_sec * 1000000000ull +
			 (unsigned long long)st->st_mtim.tv_nsec,
		 (unsigned long long)st->st_size, file->compressed ? "-gz" : "");
	/* Never later than Date (RFC 9110 section 8.8.2.1). */
	http_date_format(file->modified, st->st_mtime < now ? st->st_mtime : now);
}

/* Whether the client takes gzip: named, and not with a weight of 0 (RFC 9110 section 12.5.3). */
static bool accepts_gzip(struct lws *wsi)
{
	char *accepted = http_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
	const char *gzip = accepted ? strcasestr(accepted, "gzip") : NULL;
	bool accepts = false;

	if (gzip) {
		const char *weight = gzip + 4 + strspn(gzip + 4, " \t");

		accepts = strncasecmp(weight, ";q=0", 4) ||
			  strspn(weight + 4, ".0") != strcspn(weight + 4, ", \t");
	}
	free(accepted);
	return accepts;
}

/* The sibling that was compressed beforehand, if the client takes it and it isn't older than the file. */
static void try_compressed(const struct root *root, const char *path, struct file *file,
			   struct stat *st)
{
	char sibling[4096];
	struct stat sibling_st;
	int fd;

	if ((size_t)snprintf(sibling, sizeof(sibling), "%s.gz", path) >= sizeof(sibling))
		return;
	fd = open_file(root, sibling, &sibling_st);
	if (fd < 0)
		return;
	if (sibling_st.st_mtime < st->st_mtime) {
		close(fd);
		return;
	}
	close(file->fd);
	file->fd = fd;
	file->compressed = true;
	*st = sibling_st;
}

/* Returns 0 with the file open, or -errno. path is relative to the root. */
static int find_file(struct lws *wsi, const char *path, struct file *file)
{
	const struct root *root = root_of(wsi);
	size_t length = strlen(path);
	char index[4096];
	struct stat st;

	if (is_hidden(path))
		return -ENOENT;
	if (!length || path[length - 1] == '/') {
		if ((size_t)snprintf(index, sizeof(index), "%sindex.html", path) >= sizeof(index))
			return -ENAMETOOLONG;
		path = index;
	}
	file->fd = open_file(root, path, &st);
	if (file->fd < 0)
		return -errno;
	file->type = file_type(path);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_RANGE) <= 0 && accepts_gzip(wsi))
		try_compressed(root, path, file, &st);
	describe(file, &st);
	return 0;
}

static unsigned find_range(struct lws *wsi, const struct file *file,
			   const struct conditions *conditions, struct file_range *range)
{
	char *text = http_header(wsi, WSI_TOKEN_HTTP_RANGE);
	unsigned status = 200;

	*range = (struct file_range){0, file->size - 1};
	if (text && conditions_allow_range(conditions, file->etag, file->modified))
		status = file_range_parse(text, file->size, range);
	if (status == 200)
		*range = (struct file_range){0, file->size - 1};
	free(text);
	return status;
}

/* The conditions come before the range (RFC 9110 section 13.2.2). */
static unsigned decide(struct lws *wsi, const struct file *file, struct file_range *range)
{
	struct conditions conditions;
	unsigned status;

	conditions_read(wsi, &conditions);
	status = conditions_check(&conditions, file->etag, file->mtime, time(NULL));
	if (status == 200)
		status = find_range(wsi, file, &conditions, range);
	conditions_finish(&conditions);
	return status;
}

static void format_headers(char *out, size_t size, const struct file *file, unsigned status,
			   const struct file_range *range)
{
	int n = snprintf(out, size,
			 "ETag: %s\r\nLast-Modified: %s\r\nCache-Control: no-cache\r\n"
			 "Accept-Ranges: bytes\r\nVary: Accept-Encoding\r\n%s" SECURITY_HEADERS,
			 file->etag, file->modified,
			 file->compressed ? "Content-Encoding: gzip\r\n" : "");

	if (status == 206)
		snprintf(out + n, size - (size_t)n, "Content-Range: bytes %lld-%lld/%lld\r\n",
			 (long long)range->first, (long long)range->last, (long long)file->size);
	else if (status == 416)
		snprintf(out + n, size - (size_t)n, "Content-Range: bytes */%lld\r\n",
			 (long long)file->size);
}

/* The body in the same write as the head. Closes the file. */
static int send_at_once(struct lws *wsi, const struct http_reply *head, const struct file *file,
			off_t first, size_t size)
{
	struct http_reply reply = *head;
	char *body = malloc(size + 1);
	ssize_t n = body ? pread(file->fd, body, size, first) : -1;
	int r = -1;

	close(file->fd);
	if (n == (ssize_t)size) {
		reply.body = body;
		reply.size = size;
		r = http_reply(wsi, &reply);
	}
	free(body);
	return r;
}

/* The body by and by. The transfer takes the file, which counts as long as it is open. */
static int begin_transfer(struct lws *wsi, struct transfer *transfer, const struct http_reply *head,
			  const struct file *file, const struct file_range *range)
{
	struct quota *quota = &server_of(wsi)->sockets.quota;

	if (!quota_has_room(quota)) {
		close(file->fd);
		return http_reply_text(wsi, 503, "Too many open files");
	}
	quota_charge(quota);
	*transfer = (struct transfer){
		.active = true,
		.fd = file->fd,
		.position = range->first,
		.end = range->last + 1,
	};
	if (http_begin_body(wsi, head, range->last - range->first + 1) < 0)
		return -1;
	lws_callback_on_writable(wsi);
	return 0;
}

/* Takes the file. */
static int send_file(struct lws *wsi, struct transfer *transfer, const struct file *file)
{
	struct file_range range = {0};
	unsigned status = decide(wsi, file, &range);
	struct http_reply head = {.type = file->type};
	char headers[1024];
	const char *path;
	off_t size;

	if (status == 412) {
		close(file->fd);
		return http_reply_text(wsi, 412, "The file isn't as it was expected to be");
	}
	size = status == 200 || status == 206 ? range.last - range.first + 1 : 0;
	format_headers(headers, sizeof(headers), file, status, &range);
	head.status = status;
	head.headers = headers;
	if (size > CHUNK && http_method(wsi, &path) == LWSHUMETH_GET)
		return begin_transfer(wsi, transfer, &head, file, &range);
	if (size > CHUNK) { /* HEAD: the length, and nothing else */
		close(file->fd);
		head.size = (size_t)size;
		return http_reply(wsi, &head);
	}
	return send_at_once(wsi, &head, file, range.first, (size_t)size);
}

/* What begins with two slashes, or what browsers take for one, would be another site's address. */
static int redirect_to_directory(struct lws *wsi)
{
	const char *path;

	http_method(wsi, &path);
	return http_redirect(wsi, 301, strspn(path, "/\\") > 1 ? "/." : "", "/", false);
}

static int find_path(struct lws *wsi, struct file *file)
{
	struct http_path path;
	const char *name;
	int r = http_path_read(wsi, &path);

	if (r < 0)
		return r;
	name = http_path_as_file(&path);
	r = name ? find_file(wsi, name, file) : -ENOENT;
	http_path_finish(&path);
	return r;
}

static int answer(struct lws *wsi, struct transfer *transfer)
{
	struct file file = {0};
	int r;

	if (!http_is_get_or_head(wsi))
		return http_reply_not_allowed(wsi, "GET, HEAD");
	r = find_path(wsi, &file);
	if (!r)
		return send_file(wsi, transfer, &file);
	if (r == -EISDIR)
		return redirect_to_directory(wsi);
	if (r == -EMFILE || r == -ENFILE)
		return http_reply_text(wsi, 503, "Too many open files");
	return http_reply_text(wsi, 404, "Not found");
}

static void end_transfer(struct lws *wsi, struct transfer *transfer)
{
	if (!transfer || !transfer->active)
		return;
	close(transfer->fd);
	quota_release(&server_of(wsi)->sockets.quota);
	transfer->active = false;
}

/* lws copies what the socket doesn't take: less, where clients haven't taken too much already. */
static off_t choose_piece(struct lws *wsi, const struct transfer *transfer)
{
	off_t left = transfer->end - transfer->position;
	off_t most = pending_is_full(&server_of(wsi)->pending) ? SMALL_CHUNK : CHUNK;

	return left < most ? left : most;
}

static int continue_transfer(struct lws *wsi, struct transfer *transfer)
{
	unsigned char *buffer = service_scratch(service_of(wsi), LWS_PRE + CHUNK);
	ssize_t n;

	if (!transfer->active)
		return 0;
	if (!buffer)
		return -1;
	n = pread(transfer->fd, buffer + LWS_PRE, (size_t)choose_piece(wsi, transfer),
		  transfer->position);
	if (n <= 0)
		return -1; /* it has shrunk: the promised length can't be kept */
	if (http_write_body(wsi, buffer + LWS_PRE, (size_t)n) < 0)
		return -1;
	transfer->position += n;
	if (transfer->position < transfer->end) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	end_transfer(wsi, transfer);
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int files_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size)
{
	struct transfer *transfer = user;

	switch (reason) {
	case LWS_CALLBACK_WSI_CREATE: /* of every connection: this protocol is the vhost's first */
		sockets_note(wsi, reason);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		http_turn_forget(wsi);
		sockets_note(wsi, reason);
		return 0;
	case LWS_CALLBACK_PROTOCOL_INIT:
		return open_root(wsi);
	case LWS_CALLBACK_PROTOCOL_DESTROY:
		close_root(root_of(wsi));
		return 0;
	case LWS_CALLBACK_FILTER_HTTP_CONNECTION: /* of every request */
		http_turn_charge(wsi, REQUEST_UNITS);
		return http_wants_redirect(wsi) ? http_redirect_to_https(wsi) : 0;
	case LWS_CALLBACK_HTTP:
		return answer(wsi, transfer);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: /* of a target that is no path */
		return handshake_refuse(wsi);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return continue_transfer(wsi, transfer);
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		end_transfer(wsi, transfer);
		return 0;
	default:
		return 0;
	}
}

const struct lws_protocols files_protocol = {
	.name = "files",
	.callback = files_callback,
	.per_session_data_size = sizeof(struct transfer),
	.tx_packet_size = HTTP_TX_PACKET,
};
