#include "frames.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "report.h"

#define INFLATED_MAX (1024 * 1024)

struct inflater {
	z_stream stream;
	uint64_t messages;
	uint64_t compressed;
	char inflated[INFLATED_MAX];
	char deflated[INFLATED_MAX];
};

struct inflater *inflater_create(void)
{
	struct inflater *inflater = calloc(1, sizeof(*inflater));

	if (!inflater || inflateInit2(&inflater->stream, -MAX_WBITS) != Z_OK)
		die("out of memory");
	return inflater;
}

void inflater_reset(struct inflater *inflater)
{
	inflater->messages = inflater->compressed = 0;
}

double inflater_share(const struct inflater *inflater)
{
	return inflater->messages ? (double)inflater->compressed / (double)inflater->messages : 0;
}

/* Returns the size of what is in inflater->inflated then. */
static size_t inflate_message(struct inflater *inflater, const char *payload, size_t size)
{
	static const char tail[] = {0, 0, (char)0xff, (char)0xff}; /* RFC 7692 section 7.2.2 */
	z_stream *stream = &inflater->stream;
	int status;

	if (size > INFLATED_MAX - sizeof(tail))
		die("a compressed message of more than %d bytes", INFLATED_MAX);
	if (size)
		memcpy(inflater->deflated, payload, size);
	memcpy(inflater->deflated + size, tail, sizeof(tail));
	stream->next_in = (unsigned char *)inflater->deflated;
	stream->avail_in = (unsigned)(size + sizeof(tail));
	stream->next_out = (unsigned char *)inflater->inflated;
	stream->avail_out = INFLATED_MAX;
	inflateReset(stream);
	status = inflate(stream, Z_SYNC_FLUSH);
	if ((status != Z_OK || stream->avail_in || !stream->avail_out) && status != Z_STREAM_END)
		die("a message that doesn't inflate");
	inflater->compressed++;
	return INFLATED_MAX - stream->avail_out;
}

static void take_message(struct frames *frames, bool compressed, const char *payload, size_t size,
			 frames_handler *handler, void *context)
{
	if (compressed && !frames->inflater)
		die("a compressed message, which nobody asked for");
	if (frames->inflater)
		frames->inflater->messages++;
	if (compressed) {
		size = inflate_message(frames->inflater, payload, size);
		payload = frames->inflater->inflated;
	}
	handler(context, OPCODE_TEXT, payload, size);
}

static void append(char **to, size_t *to_size, const char *data, size_t size)
{
	char *grown;

	if (!size)
		return;
	grown = realloc(*to, *to_size + size);
	if (!grown)
		die("out of memory");
	memcpy(grown + *to_size, data, size);
	*to = grown;
	*to_size += size;
}

static void clear(char **bytes, size_t *size)
{
	free(*bytes);
	*bytes = NULL;
	*size = 0;
}

static void take_fragment(struct frames *frames, unsigned first, const char *payload, size_t size,
			  frames_handler *handler, void *context)
{
	if (first & 0x0f)
		frames->compressed = first & 0x40;
	append(&frames->message, &frames->message_size, payload, size);
	if (!(first & 0x80)) {
		handler(context, OPCODE_CONTINUATION, NULL, 0);
		return;
	}
	take_message(frames, frames->compressed, frames->message, frames->message_size, handler,
		     context);
	clear(&frames->message, &frames->message_size);
}

static void take_frame(struct frames *frames, unsigned first, const char *payload, size_t size,
		       frames_handler *handler, void *context)
{
	if (first & 0x30)
		die("reserved bits are set");
	if (first & 0x08)
		handler(context, first & 0x0f, payload, size);
	else if ((first & 0x80) && (first & 0x0f))
		take_message(frames, first & 0x40, payload, size, handler, context);
	else
		take_fragment(frames, first, payload, size, handler, context);
}

/* Returns the whole size of the frame, and sets that of its header; 0: not even that has come. */
static size_t measure_frame(const unsigned char *p, size_t size, size_t *header)
{
	size_t length, extra;

	if (size < 2)
		return 0;
	if (p[1] & 0x80)
		die("a server's frame with a mask");
	length = p[1];
	extra = length < 126 ? 0 : length == 126 ? 2 : 8;
	*header = 2 + extra;
	if (size < *header)
		return 0;
	if (extra)
		length = 0;
	for (size_t i = 0; i < extra; i++)
		length = length << 8 | p[2 + i];
	return *header + length;
}

void frames_take(struct frames *frames, const char *data, size_t size, frames_handler *handler,
		 void *context)
{
	char *held = NULL;
	size_t whole, header;

	if (frames->held_size) {
		append(&frames->held, &frames->held_size, data, size);
		data = held = frames->held;
		size = frames->held_size;
		frames->held = NULL;
		frames->held_size = 0;
	}
	while ((whole = measure_frame((const unsigned char *)data, size, &header)) &&
	       whole <= size) {
		frames->taken += whole;
		take_frame(frames, (unsigned char)data[0], data + header, whole - header, handler,
			   context);
		data += whole;
		size -= whole;
	}
	frames_hold(frames, data, size);
	free(held);
}

void frames_hold(struct frames *frames, const char *data, size_t size)
{
	append(&frames->held, &frames->held_size, data, size);
}

void frames_finish(struct frames *frames)
{
	clear(&frames->held, &frames->held_size);
	clear(&frames->message, &frames->message_size);
}

unsigned frame_close_code(const char *payload, size_t size)
{
	const unsigned char *p = (const unsigned char *)payload;

	return size < 2 ? 1005 : (unsigned)p[0] << 8 | p[1];
}

size_t frame_put_header(char *to, enum opcode opcode, size_t size)
{
	static const char mask[4]; /* as good as any for a test, and saves the masking */
	size_t extra = size < 126 ? 0 : size < 65536 ? 2 : 8;

	to[0] = (char)(0x80 | opcode);
	to[1] = (char)(0x80 | (!extra ? size : extra == 2 ? 126 : 127));
	for (size_t i = 0; i < extra; i++)
		to[2 + i] = (char)(size >> 8 * (extra - 1 - i));
	memcpy(to + 2 + extra, mask, sizeof(mask));
	return 2 + extra + sizeof(mask);
}
