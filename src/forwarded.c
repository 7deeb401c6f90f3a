#include "forwarded.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* A part of a field. */
struct piece {
	const char *text;
	size_t size;
};

static struct piece trim(struct piece piece)
{
	while (piece.size && strchr(BLANKS, piece.text[0])) {
		piece.text++;
		piece.size--;
	}
	while (piece.size && strchr(BLANKS, piece.text[piece.size - 1]))
		piece.size--;
	return piece;
}

/*
 * Takes the last entry off the list; false: there are no more. A comma is one in
 * quotes, too: no proxy writes such an entry, and who wrote what is further left
 * must not be able to open quotes around what a proxy has written.
 */
static bool take_last(struct piece *list, struct piece *entry)
{
	while (list->size) {
		size_t end = list->size, start = end;

		while (start && list->text[start - 1] != ',')
			start--;
		*entry = trim((struct piece){list->text + start, end - start});
		list->size = start ? start - 1 : 0;
		if (entry->size)
			return true;
	}
	return false;
}

static struct piece piece_of(const char *field)
{
	return (struct piece){field, field ? strlen(field) : 0};
}

/* RFC 9110 section 5.6.4; nothing that matters here needs a backslash. */
static struct piece unquote(struct piece piece)
{
	if (piece.size >= 2 && piece.text[0] == '"' && piece.text[piece.size - 1] == '"')
		return (struct piece){piece.text + 1, piece.size - 2};
	return piece;
}

/* A parameter of an entry of Forwarded: name=value, with semicolons between (RFC 7239 section 4). Empty: it has none. */
static struct piece parameter(struct piece entry, const char *name)
{
	size_t length = strlen(name);

	while (entry.size) {
		const char *semicolon = memchr(entry.text, ';', entry.size);
		size_t size = semicolon ? (size_t)(semicolon - entry.text) : entry.size;
		struct piece pair = trim((struct piece){entry.text, size});

		if (pair.size > length && pair.text[length] == '=' &&
		    !strncasecmp(pair.text, name, length))
			return unquote(
				(struct piece){pair.text + length + 1, pair.size - length - 1});
		entry.text += size + (semicolon != NULL);
		entry.size -= size + (semicolon != NULL);
	}
	return (struct piece){"", 0};
}

static bool is_word(struct piece piece, const char *word)
{
	return piece.size == strlen(word) && !strncasecmp(piece.text, word, piece.size);
}

static void read_scheme(struct piece piece, struct forwarded *out)
{
	if (is_word(piece, "https") || is_word(piece, "wss"))
		out->scheme = FORWARDED_SECURE;
	else if (is_word(piece, "http") || is_word(piece, "ws"))
		out->scheme = FORWARDED_PLAIN;
}

static void read_host(struct piece piece, struct forwarded *out)
{
	if (piece.size && piece.size < sizeof(out->host))
		snprintf(out->host, sizeof(out->host), "%.*s", (int)piece.size, piece.text);
}

/* Whether the walk goes on to the left of an entry that names this address. */
static bool step(struct piece address, char *const *trusted, size_t n_trusted,
		 struct forwarded *out)
{
	char peer[ADDRESS_PEER_SIZE];

	out->is_client = address_read_peer(address.text, address.size, peer) >= 0;
	if (!out->is_client)
		return false;
	memcpy(out->peer, peer, sizeof(peer));
	return address_peer_is_in(peer, trusted, n_trusted);
}

static void walk_forwarded(const char *field, char *const *trusted, size_t n_trusted,
			   struct forwarded *out)
{
	struct piece list = piece_of(field), entry;

	while (take_last(&list, &entry)) {
		read_scheme(parameter(entry, "proto"), out);
		read_host(parameter(entry, "host"), out);
		if (!step(parameter(entry, "for"), trusted, n_trusted, out))
			return;
	}
}

/* The nth entry from the right, or the leftmost: not each proxy adds one to each field. */
static struct piece nth_last(const char *field, size_t n)
{
	struct piece list = piece_of(field), entry = {"", 0};

	while (take_last(&list, &entry) && n--)
		;
	return entry;
}

static void walk_addresses(const struct forwarded_fields *fields, char *const *trusted,
			   size_t n_trusted, struct forwarded *out)
{
	struct piece list = piece_of(fields->addresses), entry;
	size_t hops = 0;

	while (take_last(&list, &entry) && step(entry, trusted, n_trusted, out))
		hops++;
	/* All addresses are trusted: the leftmost was the last one to say something. */
	if (hops && out->is_client && address_peer_is_in(out->peer, trusted, n_trusted))
		hops--;
	read_scheme(nth_last(fields->protos, hops), out);
	read_host(nth_last(fields->hosts, hops), out);
}

void forwarded_read(const struct forwarded_fields *fields, const char *peer, char *const *trusted,
		    size_t n_trusted, struct forwarded *out)
{
	*out = (struct forwarded){.is_client = true};
	snprintf(out->peer, sizeof(out->peer), "%s", peer);
	if (!address_peer_is_in(peer, trusted, n_trusted))
		return;
	if (fields->forwarded)
		walk_forwarded(fields->forwarded, trusted, n_trusted, out);
	else
		walk_addresses(fields, trusted, n_trusted, out);
}
