/*
 * Header fields that come several times (lws-fields.h).
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#include "private-lib-core.h"

#include "lws-fields.h"

/* As parsers.c lays them out: the length of the name, of the value, the next one, the name and the value. */
#define UHO_NLEN	0
#define UHO_VLEN	2
#define UHO_LL		4
#define UHO_NAME	8

struct joined {
	char	*dst;
	size_t	size;
	size_t	length;
};

static void
join(struct joined *joined, const char *text, size_t n)
{
	size_t left = joined->size > joined->length + 1 ?
			joined->size - joined->length - 1 : 0;

	memcpy(joined->dst + (left ? joined->length : 0), text, n < left ? n : left);
	joined->length += n;
}

int
lws_fields_join(struct lws *wsi, const char *name, char *dst, size_t size)
{
	char nothing[1];
	struct joined joined = { size ? dst : nothing, size, 0 };
	size_t nlen = strlen(name);
	ah_data_idx_t ll;
	int found = 0;

	if (!wsi->http.ah)
		return -1;

	for (ll = wsi->http.ah->unk_ll_head;
	     ll && ll < wsi->http.ah->data_length;
	     ll = lws_ser_ru32be((uint8_t *)&wsi->http.ah->data[ll + UHO_LL])) {
		const char *field = &wsi->http.ah->data[ll];

		if (nlen != lws_ser_ru16be((const uint8_t *)field + UHO_NLEN) ||
		    strncmp(name, field + UHO_NAME, nlen))
			continue;
		if (found++)
			join(&joined, ",", 1);
		join(&joined, field + UHO_NAME + nlen,
		     lws_ser_ru16be((const uint8_t *)field + UHO_VLEN));
	}
	if (!found)
		return -1;
	if (size)
		dst[joined.length < size ? joined.length : size - 1] = '\0';

	return (int)joined.length;
}
