#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A look at JSON from strangers before a tree is made of it, which for a small
 * text can take a hundred times its memory and time.
 */

/*
 * Whether the text can have no more than max values (members and elements),
 * as its brackets and commas outside strings tell. It needs not be JSON.
 */
bool json_scan_fits(const char *text, size_t size, unsigned max);
