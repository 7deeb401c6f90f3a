#include "ticket.h"

#include "base64url.h"

#include <errno.h>
#include <mbedtls/sha256.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#define RANDOM_SIZE 24
#define HASH_SIZE 32

_Static_assert(BASE64URL_LENGTH(RANDOM_SIZE) + 1 == TICKET_SIZE, "a ticket is as long as it says");

struct ticket {
	unsigned char hash[HASH_SIZE]; /* first, as it is what the tree compares */
	int64_t expires;
	struct identity identity;
	TAILQ_ENTRY(ticket) order;
};

struct tickets {
	pthread_mutex_t lock;
	void *by_hash; /* of tsearch() */
	TAILQ_HEAD(, ticket) by_age;
	size_t count;
	size_t max;
	unsigned seconds;
};

/* What the time of it tells is about hashes, from which no ticket can be guessed. */
static int compare(const void *a, const void *b)
{
	return memcmp(a, b, HASH_SIZE);
}

static void forget(struct tickets *tickets, struct ticket *ticket)
{
	tdelete(ticket->hash, &tickets->by_hash, compare);
	TAILQ_REMOVE(&tickets->by_age, ticket, order);
	tickets->count--;
	identity_finish(&ticket->identity);
	free(ticket);
}

int tickets_create(struct tickets **ticketsp, size_t max, unsigned seconds)
{
	struct tickets *tickets = calloc(1, sizeof(*tickets));

	if (!tickets)
		return -ENOMEM;
	pthread_mutex_init(&tickets->lock, NULL);
	TAILQ_INIT(&tickets->by_age);
	tickets->max = max;
	tickets->seconds = seconds;
	*ticketsp = tickets;
	return 0;
}

void tickets_destroy(struct tickets *tickets)
{
	if (!tickets)
		return;
	while (!TAILQ_EMPTY(&tickets->by_age))
		forget(tickets, TAILQ_FIRST(&tickets->by_age));
	pthread_mutex_destroy(&tickets->lock);
	free(tickets);
}

static void sweep(struct tickets *tickets, int64_t now)
{
	struct ticket *oldest;

	while ((oldest = TAILQ_FIRST(&tickets->by_age)) && oldest->expires <= now)
		forget(tickets, oldest);
}

static int insert(struct tickets *tickets, struct ticket *ticket, int64_t now)
{
	int r = 0;

	pthread_mutex_lock(&tickets->lock);
	sweep(tickets, now);
	if (tickets->count >= tickets->max) {
		r = -ENOSPC;
	} else if (!tsearch(ticket->hash, &tickets->by_hash, compare)) {
		r = -ENOMEM;
	} else {
		TAILQ_INSERT_TAIL(&tickets->by_age, ticket, order);
		tickets->count++;
	}
	pthread_mutex_unlock(&tickets->lock);
	return r;
}

int tickets_issue(struct tickets *tickets, const struct identity *identity, int64_t now,
		  char text[TICKET_SIZE])
{
	unsigned char random[RANDOM_SIZE];
	struct ticket *ticket;
	int r;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	ticket = calloc(1, sizeof(*ticket));
	if (!ticket)
		return -ENOMEM;
	base64url_encode(text, random, sizeof(random));
	ticket->expires = now + tickets->seconds;
	r = identity_copy(&ticket->identity, identity);
	if (!r && mbedtls_sha256((unsigned char *)text, TICKET_SIZE - 1, ticket->hash, 0))
		r = -EIO;
	if (!r)
		r = insert(tickets, ticket, now);
	if (r < 0) {
		identity_finish(&ticket->identity);
		free(ticket);
	}
	return r;
}

int tickets_redeem(struct tickets *tickets, const char *text, int64_t now,
		   struct identity *identity)
{
	unsigned char hash[HASH_SIZE];
	struct ticket *const *found;
	int r = -ENOENT;

	if (mbedtls_sha256((const unsigned char *)text, strlen(text), hash, 0))
		return -ENOENT;
	pthread_mutex_lock(&tickets->lock);
	found = tfind(hash, &tickets->by_hash, compare);
	if (found) {
		struct ticket *ticket = *found;

		if (now < ticket->expires && now < ticket->identity.expires) {
			*identity = ticket->identity;
			ticket->identity = (struct identity){0};
			r = 0;
		}
		forget(tickets, ticket);
	}
	pthread_mutex_unlock(&tickets->lock);
	return r;
}
