#pragma once

#include "config.h"
#include "identity.h"
#include "ticket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who is asking: finds what a request brings along to say so, and looks at it.
 * Nothing of it is ever logged. Any thread may call these functions, except
 * create and destroy. Times are in seconds since 1970.
 */
struct auth;

/* What of a request may say who it is from; each may be NULL. */
struct auth_credentials {
	const char *authorization; /* the header */
	const char *cookies;	   /* the header Cookie */
	const char *ticket;
};

/* Tickets are good for so many seconds. */
#define AUTH_TICKET_SECONDS 30

/*
 * settings, which may be NULL, must outlive it. Returns 0 or -errno, with the
 * reason in the log.
 */
int auth_create(struct auth **authp, const struct config_auth *settings);
void auth_destroy(struct auth *auth);

/* Whether people have to say who they are. */
bool auth_is_needed(const struct auth *auth);

/* Whether there are keys to publish with. */
bool auth_has_publish_keys(const struct auth *auth);

/*
 * Looks at a bearer token (RFC 6750 section 2.1), else the cookie. Returns NULL
 * with *identity, which the caller finishes, or a word for what is wrong with
 * it, that lasts forever: "token_missing" where there is nothing of that kind.
 */
const char *auth_identify(struct auth *auth, const struct auth_credentials *credentials,
			  int64_t now, struct identity *identity);

/*
 * The same for somebody who stays: *identity is released with identity_unref().
 * A ticket does as well where there is no bearer token, and is good no more
 * after that.
 */
const char *auth_admit(struct auth *auth, const struct auth_credentials *credentials, int64_t now,
		       const struct identity **identity);

/* As tickets_issue(), now. */
int auth_issue_ticket(struct auth *auth, const struct identity *identity, char text[TICKET_SIZE]);

/* The publish key that is the bearer token, or NULL. It takes as long for every wrong one. */
const struct config_publish_key *auth_publisher(const struct auth *auth, const char *authorization);
