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
	const struct identity *identity; /* shared */
	struct person *person;
	TAILQ_ENTRY(ticket) order;
	TAILQ_ENTRY(ticket) of_person;
};

/* Somebody who has a ticket. */
struct person {
	const char *name; /* first, as it is what the tree compares; in the newest one's identity */
	TAILQ_HEAD(person_tickets, ticket) by_age;
	size_t count;
};

struct tickets {
	pthread_mutex_t lock;
	void *by_hash; /* of tsearch() */
	void *people;  /* as well */
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

static int compare_people(const void *a, const void *b)
{
	return strcmp(((const struct person *)a)->name, ((const struct person *)b)->name);
}

static void leave_person(struct tickets *tickets, struct ticket *ticket)
{
	struct person *person = ticket->person;

	TAILQ_REMOVE(&person->by_age, ticket, of_person);
	if (--person->count) {
		person->name = TAILQ_LAST(&person->by_age, person_tickets)->identity->name;
		return;
	}
	tdelete(person, &tickets->people, compare_people);
	free(person);
}

static void forget(struct tickets *tickets, struct ticket *ticket)
{
	tdelete(ticket->hash, &tickets->by_hash, compare);
	TAILQ_REMOVE(&tickets->by_age, ticket, order);
	tickets->count--;
	leave_person(tickets, ticket);
	identity_unref(ticket->identity);
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

static void sweep(struct tickets *tickets, int64_t at)
{
	struct ticket *oldest;

	while ((oldest = TAILQ_FIRST(&tickets->by_age)) && oldest->expires <= at)
		forget(tickets, oldest);
}

/* The person of that name, who may have no tickets yet; NULL: out of memory. */
static struct person *find_person(struct tickets *tickets, const char *name)
{
	struct person *person = calloc(1, sizeof(*person));
	struct person *const *found;

	if (!person)
		return NULL;
	person->name = name;
	TAILQ_INIT(&person->by_age);
	found = tsearch(person, &tickets->people, compare_people);
	if (!found || *found != person)
		free(person);
	return found ? *found : NULL;
}

/* What the ticket stands for is what the person's newest one does, most of the time. */
static bool share_identity(struct ticket *ticket, const struct identity *identity)
{
	const struct ticket *newest = TAILQ_LAST(&ticket->person->by_age, person_tickets);

	ticket->identity = newest && identity_is_equal(newest->identity, identity)
				   ? identity_ref(newest->identity)
				   : identity_share(identity);
	return ticket->identity != NULL;
}

static void give_to_person(struct ticket *ticket)
{
	TAILQ_INSERT_TAIL(&ticket->person->by_age, ticket, of_person);
	ticket->person->count++;
	ticket->person->name = ticket->identity->name;
}

/* With the lock held. The person lasts, though all of their tickets may go for this one. */
static int insert(struct tickets *tickets, struct ticket *ticket, const struct identity *identity)
{
	ticket->person = find_person(tickets, identity->name);
	if (!ticket->person)
		return -ENOMEM;
	if (!share_identity(ticket, identity) ||
	    !tsearch(ticket->hash, &tickets->by_hash, compare)) {
		if (!ticket->person->count) {
			tdelete(ticket->person, &tickets->people, compare_people);
			free(ticket->person);
		}
		return -ENOMEM;
	}
	give_to_person(ticket);
	TAILQ_INSERT_TAIL(&tickets->by_age, ticket, order);
	tickets->count++;
	if (ticket->person->count > TICKETS_OF_A_PERSON)
		forget(tickets, TAILQ_FIRST(&ticket->person->by_age));
	if (tickets->count > tickets->max)
		forget(tickets, TAILQ_FIRST(&tickets->by_age));
	return 0;
}

int tickets_issue(struct tickets *tickets, const struct identity *identity, int64_t at,
		  char text[TICKET_SIZE])
{
	unsigned char random[RANDOM_SIZE];
	struct ticket *ticket;
	int r = 0;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	ticket = calloc(1, sizeof(*ticket));
	if (!ticket)
		return -ENOMEM;
	base64url_encode(text, random, sizeof(random));
	ticket->expires = at + tickets->seconds;
	if (mbedtls_sha256((unsigned char *)text, TICKET_SIZE - 1, ticket->hash, 0))
		r = -EIO;
	if (!r) {
		pthread_mutex_lock(&tickets->lock);
		sweep(tickets, at);
		r = insert(tickets, ticket, identity);
		pthread_mutex_unlock(&tickets->lock);
	}
	if (r < 0) {
		identity_unref(ticket->identity);
		free(ticket);
	}
	return r;
}

const struct identity *tickets_redeem(struct tickets *tickets, const char *text, int64_t at,
				      int64_t now)
{
	const struct identity *identity = NULL;
	unsigned char hash[HASH_SIZE];
	struct ticket *const *found;

	if (mbedtls_sha256((const unsigned char *)text, strlen(text), hash, 0))
		return NULL;
	pthread_mutex_lock(&tickets->lock);
	found = tfind(hash, &tickets->by_hash, compare);
	if (found) {
		struct ticket *ticket = *found;

		if (at < ticket->expires && now < ticket->identity->expires)
			identity = identity_ref(ticket->identity);
		forget(tickets, ticket);
	}
	pthread_mutex_unlock(&tickets->lock);
	return identity;
}
