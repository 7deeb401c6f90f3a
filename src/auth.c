#include "auth.h"

#include "token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* That are out at a time. */
#define TICKETS_MAX 100000

struct auth {
	const struct config_auth *settings; /* NULL: there are none */
	struct token_verifier *verifier;    /* NULL: names are taken as they are given */
	struct tickets *tickets;
};

/* In seconds. */
static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int auth_create(struct auth **authp, const struct config_auth *settings)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	int r = 0;

	if (!auth)
		return -ENOMEM;
	auth->settings = settings;
	if (settings && settings->n_keys) {
		r = token_verifier_create(&auth->verifier, settings);
		if (!r)
			r = tickets_create(&auth->tickets, TICKETS_MAX, AUTH_TICKET_SECONDS);
	}
	if (r < 0) {
		auth_destroy(auth);
		return r;
	}
	*authp = auth;
	return 0;
}

void auth_destroy(struct auth *auth)
{
	if (!auth)
		return;
	tickets_destroy(auth->tickets);
	token_verifier_destroy(auth->verifier);
	free(auth);
}

bool auth_is_needed(const struct auth *auth)
{
	return auth->verifier != NULL;
}

bool auth_has_publish_keys(const struct auth *auth)
{
	return auth->settings && auth->settings->n_publish_keys;
}

/* What follows "Bearer" in the header, or NULL. */
static const char *bearer(const char *authorization)
{
	if (!authorization || strncasecmp(authorization, "Bearer ", 7))
		return NULL;
	authorization += 7;
	return authorization + strspn(authorization, " ");
}

/* The value of the cookie of that name (RFC 6265 section 5.4), without the quotes that it may have; NULL: none. */
static const char *find_cookie(const char *cookies, const char *name, size_t *size)
{
	size_t length = strlen(name);

	while (cookies && *cookies) {
		const char *value;

		cookies += strspn(cookies, " \t;");
		*size = strcspn(cookies, ";");
		value = cookies + length + 1;
		if (*size > length && !strncmp(cookies, name, length) && cookies[length] == '=') {
			*size -= length + 1;
			while (*size && strchr(" \t", value[*size - 1]))
				--*size;
			if (*size > 1 && value[0] == '"' && value[*size - 1] == '"') {
				value++;
				*size -= 2;
			}
			return value;
		}
		cookies += *size;
	}
	return NULL;
}

static const char *token_problem(enum token_result result)
{
	static const char *const words[TOKEN_RESULTS] = {
		[TOKEN_TOO_LONG] = "token_too_long", [TOKEN_MALFORMED] = "token_malformed",
		[TOKEN_CRITICAL] = "token_critical", [TOKEN_ALGORITHM] = "token_algorithm",
		[TOKEN_KEY] = "token_key",	     [TOKEN_SIGNATURE] = "token_signature",
		[TOKEN_CLAIMS] = "token_claims",     [TOKEN_EXPIRED] = "token_expired",
		[TOKEN_NOT_YET] = "token_not_yet",   [TOKEN_ISSUER] = "token_issuer",
		[TOKEN_AUDIENCE] = "token_audience", [TOKEN_NAME] = "token_name",
		[TOKEN_MEMORY] = "token_memory",
	};

	return words[result];
}

const char *auth_identify(struct auth *auth, const struct auth_credentials *credentials,
			  int64_t now, struct identity *identity)
{
	const char *token = bearer(credentials->authorization);
	size_t size = token ? strlen(token) : 0;

	if (!auth->verifier)
		return "token_missing";
	if (!token && auth->settings->cookie)
		token = find_cookie(credentials->cookies, auth->settings->cookie, &size);
	return token ? token_problem(token_verify(auth->verifier, token, size, now, identity))
		     : "token_missing";
}

/* A ticket is for this one connection; a cookie comes along with everything. */
const char *auth_admit(struct auth *auth, const struct auth_credentials *credentials, int64_t now,
		       const struct identity **identity)
{
	struct identity found;
	const char *reason;

	*identity = NULL;
	if (auth->verifier && credentials->ticket && !bearer(credentials->authorization)) {
		*identity = tickets_redeem(auth->tickets, credentials->ticket, monotonic(), now);
		return *identity ? NULL : "ticket";
	}
	reason = auth_identify(auth, credentials, now, &found);
	if (reason)
		return reason;
	*identity = identity_share(&found);
	identity_finish(&found);
	return *identity ? NULL : token_problem(TOKEN_MEMORY);
}

int auth_issue_ticket(struct auth *auth, const struct identity *identity, char text[TICKET_SIZE])
{
	return tickets_issue(auth->tickets, identity, monotonic(), text);
}

/* Whether they are the same, in a time that depends on nothing but the text's length. */
static bool is_same(const char *text, const char *secret)
{
	size_t size = strlen(text), secret_size = strlen(secret);
	unsigned char difference = size != secret_size;

	for (size_t i = 0; i < size; i++)
		difference |= (unsigned char)(text[i] ^ secret[i % secret_size]);
	return !difference;
}

const struct config_publish_key *auth_publisher(const struct auth *auth, const char *authorization)
{
	const char *token = bearer(authorization);
	const struct config_publish_key *key = NULL;

	for (size_t i = 0; token && auth->settings && i < auth->settings->n_publish_keys; i++)
		if (is_same(token, auth->settings->publish_keys[i].secret))
			key = &auth->settings->publish_keys[i];
	return key;
}
