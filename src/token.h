#pragma once

#include "config.h"
#include "identity.h"

#include <stddef.h>
#include <stdint.h>

/*
 * JSON Web Tokens (RFC 7519) that say who somebody is, signed as RFC 7515 has
 * it, in the compact form, with HS256, ES256 or RS256 (RFC 7518 section 3).
 *
 * A key is good for the one algorithm that the configuration gives it, whatever
 * a token says of itself; one that names another is refused before any
 * signature is looked at (RFC 8725 section 3.1). Nothing of a token is ever
 * logged.
 */
struct token_verifier;

/* Longer ones are refused unread. */
#define TOKEN_SIZE_MAX 8192

enum token_result {
	TOKEN_GOOD,
	TOKEN_TOO_LONG,
	TOKEN_MALFORMED, /* not three parts of base64url with JSON inside */
	TOKEN_CRITICAL,	 /* it names an extension, and there is none that we understand */
	TOKEN_ALGORITHM, /* not what the key is for */
	TOKEN_KEY,	 /* no key has its kid */
	TOKEN_SIGNATURE,
	TOKEN_CLAIMS, /* exp isn't there, or a claim isn't what it should be */
	TOKEN_EXPIRED,
	TOKEN_NOT_YET,
	TOKEN_ISSUER,
	TOKEN_AUDIENCE,
	TOKEN_NAME,   /* nobody may be called that */
	TOKEN_MEMORY, /* there is none left */
	TOKEN_RESULTS,
};

/* A word for it, such as "expired", for logs and metrics. */
const char *token_result_word(enum token_result result);

/*
 * Reads the keys that settings names. The settings must outlive the verifier.
 * Returns 0 or -errno, with the reason in the log.
 */
int token_verifier_create(struct token_verifier **verifierp, const struct config_auth *settings);
void token_verifier_destroy(struct token_verifier *verifier);

/*
 * Whether the token is good at that time, in seconds since 1970. Fills in
 * *identity, to be finished by the caller, where it is: its expiry has the
 * leeway in it. Any thread may call this.
 *
 * The claim "rooms" limits the rooms and "rights" the rights; without them it
 * is every room, to read and to write. A token with an audience is refused
 * where none is configured (RFC 7519 section 4.1.3).
 */
enum token_result token_verify(const struct token_verifier *verifier, const char *token,
			       size_t size, int64_t now, struct identity *identity);
