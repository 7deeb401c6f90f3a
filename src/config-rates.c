#include "config-rates.h"

#include <stddef.h>

static const char *const names[LIMITS] = {
	[LIMIT_API] = "api",
	[LIMIT_CONTROL] = "control",
	[LIMIT_FRAMES] = "frames",
	[LIMIT_HANDSHAKES] = "handshakes",
	[LIMIT_MODERATION] = "moderation",
	[LIMIT_PAGES] = "pages",
	[LIMIT_SPEECH] = "speech",
	[LIMIT_TICKETS] = "tickets",
	[LIMIT_TLS] = "tls",
	[LIMIT_JOINS] = "joins",
	[LIMIT_MESSAGES] = "messages",
};

#define RATE(member) offsetof(struct config_rate, member)

static const struct field rate_fields[] = {
	{.key = "per_second",
	 .read = reader_number,
	 .offset = RATE(per_second),
	 .min = 0,
	 .max = 1000000000},
	{.key = "burst", .read = reader_number, .offset = RATE(burst), .min = 1, .max = 1000000000},
	{0},
};

const char *config_rate_name(enum limit limit)
{
	return names[limit];
}

int config_read_rates(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target)
{
	struct field fields[LIMIT_RATES + 1] = {0};
	const struct field shape = {.fields = fields};

	for (size_t i = 0; i < LIMIT_RATES; i++)
		fields[i] = (struct field){
			.key = names[i],
			.read = reader_object,
			.offset = i * sizeof(struct config_rate),
			.fields = rate_fields,
		};
	return reader_object(reader, path, value, &shape, target);
}
