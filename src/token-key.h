#pragma once

#include "config.h"

#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stddef.h>

/* A key that tokens are signed with. */
struct token_key {
	const struct config_auth_key *settings;
	mbedtls_pk_context public; /* of ES256 and RS256 */
};

/* Reads the key's file, where it has one. Returns 0 or -errno, with the reason in the log. */
int token_key_init(struct token_key *key, const struct config_auth_key *settings);
void token_key_finish(struct token_key *key);

/* Whether signature is the key's under text. Any thread may call this. */
bool token_key_has_signed(const struct token_key *key, const char *text, size_t text_size,
			  const unsigned char *signature, size_t size);
