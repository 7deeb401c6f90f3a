#pragma once

#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>

/* Frames for one client, as they go out, one after another: see session_send_frames(). */
struct frames {
	char *bytes; /* good once closed */
	size_t size;
	unsigned n;
	FILE *out; /* NULL: not open */
};

/* Begins anew with none; what there was is freed. Returns 0 or -ENOMEM. */
int frames_open(struct frames *frames);

/* Returns 0, or -ENOMEM where one of them could not be put. Harmless where they are not open. */
int frames_close(struct frames *frames);

/* Frees what there is, open or not; harmless for one that is all zeroes. */
void frames_finish(struct frames *frames);

void frames_put(struct frames *frames, const char *text, size_t size);

/* Takes the reference. */
void frames_put_json(struct frames *frames, struct json_object *object);
