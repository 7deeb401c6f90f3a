#include "config.h"
#include "handshake.h"
#include "http.h"
#include "http-cors.h"
#include "http-request.h"
#include "http-turn.h"
#include "log.h"
#include "mount/conditions.h"
#include "mount/file.h"
#include "mount/file-headers.h"
#include "mount/file-range.h"
#include "mount/file-weight.h"
#include "mount/table.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_MODULE "files"

/* Of work, in a request: see turn.h. */
#define REQUEST_UNITS 4

/*
 * Files. lws could serve them itself, but sends several ranges as a body that no
 * client understands, has no Last-Modified, and knows nothing of compressed
 * siblings.
 */

/* What goes out between two turns of the event loop; smaller files leave with their head. */
#define CHUNK (64 * 1024)
#define SMALL_CHUNK 4096

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

/* The body in the same write as the head. */
static int send_at_once(struct lws *wsi, const struct http_reply *head, const struct file *file,
			off_t first, size_t size)
{
	struct http_reply reply = *head;
	char *body = malloc(size + 1);
	ssize_t n = body ? pread(file->fd, body, size, first) : -1;
	int r = -1;

	if (n == (ssize_t)size) {
		reply.body = body;
		reply.size = size;
		r = http_reply(wsi, &reply);
	}
	free(body);
	return r;
}

/* The body by and by. The transfer takes the descriptor, which counts as long as it is open. */
static int begin_transfer(struct lws *wsi, struct transfer *transfer, const struct http_reply *head,
			  struct file *file, const struct file_range *range)
{
	struct quota *quota = &server_of(wsi)->sockets.quota;

	if (!quota_has_room(quota))
		return http_reply_text(wsi, 503, "Too many open files");
	quota_charge(quota);
	*transfer = (struct transfer){
		.active = true,
		.fd = file->fd,
		.position = range->first,
		.end = range->last + 1,
	};
	file->fd = -1;
	if (http_begin_body(wsi, head, range->last - range->first + 1) < 0)
		return -1;
	lws_callback_on_writable(wsi);
	return 0;
}

static int send_range(struct lws *wsi, struct transfer *transfer, const struct http_reply *head,
		      struct file *file, const struct file_range *range)
{
	off_t size =
		head->status == 304 || head->status == 416 ? 0 : range->last - range->first + 1;
	struct http_reply reply = *head;

	if (size <= CHUNK)
		return send_at_once(wsi, head, file, range->first, (size_t)size);
	if (!http_is_head(wsi))
		return begin_transfer(wsi, transfer, head, file, range);
	reply.size = (size_t)size; /* the length, and nothing else */
	return http_reply(wsi, &reply);
}

/* As 200, if the request's conditions are met, or as 404. Takes the file. */
static int send_file(struct lws *wsi, struct transfer *transfer, struct file *file, unsigned status)
{
	struct file_range range = {0, file->size - 1};
	struct http_reply head = {.type = file->type};
	char *headers;
	int r = -1;

	if (status == 200)
		status = decide(wsi, file, &range);
	if (status == 412) {
		file_close(file);
		return http_reply_text(wsi, 412, "The file isn't as it was expected to be");
	}
	headers = file_headers(wsi, file, status, &range);
	head.status = status;
	head.headers = headers;
	if (headers)
		r = send_range(wsi, transfer, &head, file, &range);
	free(headers);
	file_close(file);
	return r;
}

/* What begins with two slashes, or what browsers take for one, would be another site's address. */
static int redirect_to_directory(struct lws *wsi)
{
	const char *path;

	http_method(wsi, &path);
	return http_redirect(wsi, 301, strspn(path, "/\\") > 1 ? "/." : "", "/", false);
}

/* With a range the file itself: parts of what is compressed are of no use to most. */
static int find_file(struct lws *wsi, const char *path, struct file *file)
{
	char *accepted = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_RANGE) > 0
				 ? NULL
				 : http_header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
	int r = file_find(file, root_of(wsi)->fd, &server_of(wsi)->config->files, path, accepted);

	free(accepted);
	return r;
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

/* A page's address, and not that of some picture of it: the fallback stands for those alone. */
static bool is_page_wanted(struct lws *wsi)
{
	char *accepted = http_header(wsi, WSI_TOKEN_HTTP_ACCEPT);
	const char *path = "", *name;
	bool is;

	http_method(wsi, &path);
	name = strrchr(path, '/');
	is = file_weight(accepted, "text/html") > 0 && name && !strchr(name, '.');
	free(accepted);
	return is;
}

/* There is no such file: but perhaps one that is sent in its place. */
static int answer_missing(struct lws *wsi, struct transfer *transfer)
{
	const struct config_files *settings = &server_of(wsi)->config->files;
	struct file file;

	if (settings->fallback && is_page_wanted(wsi) && !find_file(wsi, settings->fallback, &file))
		return send_file(wsi, transfer, &file, 200);
	if (settings->not_found && !find_file(wsi, settings->not_found, &file))
		return send_file(wsi, transfer, &file, 404);
	return http_reply_text(wsi, 404, "Not found");
}

static bool is_preflight(struct lws *wsi)
{
	const char *path;

	return http_method(wsi, &path) >= 0 && *path == '/' && file_is_for_pages(path + 1) &&
	       http_is_preflight(wsi);
}

static int answer(struct lws *wsi, struct transfer *transfer)
{
	struct file file;
	int r;

	if (is_preflight(wsi))
		return http_reply_preflight(wsi);
	if (!http_is_get_or_head(wsi))
		return http_reply_not_allowed(wsi, "GET, HEAD");
	r = find_path(wsi, &file);
	if (!r)
		return send_file(wsi, transfer, &file, 200);
	if (r == -EISDIR)
		return redirect_to_directory(wsi);
	if (r == -EMFILE || r == -ENFILE)
		return http_reply_text(wsi, 503, "Too many open files");
	return answer_missing(wsi, transfer);
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
