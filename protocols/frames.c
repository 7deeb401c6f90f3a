#include "protocols/frames.h"

#include "message.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>

int frames_open(struct frames *frames)
{
	frames_finish(frames);
	frames->out = open_memstream(&frames->bytes, &frames->size);
	return frames->out ? 0 : -ENOMEM;
}

int frames_close(struct frames *frames)
{
	FILE *out = frames->out;

	frames->out = NULL;
	return out && fclose(out) ? -ENOMEM : 0;
}

void frames_finish(struct frames *frames)
{
	frames_close(frames);
	free(frames->bytes);
	*frames = (struct frames){0};
}

void frames_put(struct frames *frames, const char *text, size_t size)
{
	uint8_t header[WIRE_HEADER_MAX];

	fwrite(header, 1, wire_put_header(header, WIRE_TEXT, size), frames->out);
	fwrite(text, 1, size, frames->out);
	frames->n++;
}

void frames_put_json(struct frames *frames, struct json_object *object)
{
	size_t size;
	char *text = message_of_json(object, &size);

	if (text)
		frames_put(frames, text, size);
	free(text);
}
