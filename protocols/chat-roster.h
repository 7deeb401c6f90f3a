#pragma once

#include <stddef.h>

/*
 * Who has come and gone while a client was getting its past, and heard nothing
 * of it: the difference between two lists of people_list(), as the text of a
 * presence frame, to be freed, with its length in *size; people is how many
 * there are now. NULL: there is none, or out of memory.
 */
char *chat_roster_changes(const char *before, const char *now, size_t people, size_t *size);
