#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds a key that an object has twice, of which json-c silently keeps the last.
 * text is JSON that json-c has read. *at is where the second one is, its quotation
 * mark. Returns false where every key is the only one.
 */
bool config_find_duplicate(const char *text, size_t size, size_t *at);
