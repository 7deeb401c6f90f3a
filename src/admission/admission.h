#pragma once

#include "bans.h"
#include "config.h"
#include "limiter.h"
#include "quota.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Admission: the decision, before the handshake, whether a WebSocket connection
 * may open. Every rule of the table is asked in turn; the first that objects
 * decides.
 */

struct admission_field {
	const char *name;
	const char *value;
	size_t size; /* of the value, which may hold any byte */
};

/* What a rule may look at: copied out of the request. */
struct admission_request {
	const struct admission_field *query; /* percent-decoded */
	size_t n_query;
	const struct admission_field
		*headers; /* names in lower case; those that a setting asks for */
	size_t n_headers;
	const char *origin; /* NULL: the request has none */
	const char *host;   /* the header */
	bool secure;	    /* it came in over TLS */
	const struct quota *connections;
	bool needs_username; /* the endpoint can't do without */
	const char *address; /* the peer's; NULL: it has none */
	bool moderates;	     /* whoever may lift a ban of their own address isn't kept out by it */
	const char *room;    /* that it would join; NULL: none */
	bool no_more_rooms;  /* it would be a new one, and there are as many as may be */
	struct bans *bans;
	struct limiter *limiter; /* NULL: none */
	int64_t time;		 /* seconds since 1970 */
	uint64_t now;		 /* nanoseconds, for the limits */
};

/*
 * Returns 0 to go on, or the HTTP status to refuse with. settings is NULL where
 * the endpoint has none.
 */
typedef int (*admission_check_fn)(const struct admission_request *request,
				  const struct config_admission *settings);

struct admission_rule {
	const char *reason; /* what the log and the metrics call a refusal */
	admission_check_fn check;
};

/* Returns 0, or the HTTP status to refuse with and why in *reason, which lasts forever. */
int admission_decide(const struct admission_request *request,
		     const struct config_admission *settings, const char **reason);

/* The first query parameter of that name, or NULL. */
const struct admission_field *admission_query(const struct admission_request *request,
					      const char *name);

int admission_check_bans(const struct admission_request *request,
			 const struct config_admission *settings);
int admission_check_connections(const struct admission_request *request,
				const struct config_admission *settings);
int admission_check_handshakes(const struct admission_request *request,
			       const struct config_admission *settings);
int admission_check_joins(const struct admission_request *request,
			  const struct config_admission *settings);
int admission_check_names(const struct admission_request *request,
			  const struct config_admission *settings);
int admission_check_origins(const struct admission_request *request,
			    const struct config_admission *settings);
int admission_check_past(const struct admission_request *request,
			 const struct config_admission *settings);
int admission_check_require_headers(const struct admission_request *request,
				    const struct config_admission *settings);
int admission_check_require_query(const struct admission_request *request,
				  const struct config_admission *settings);
int admission_check_rooms(const struct admission_request *request,
			  const struct config_admission *settings);
