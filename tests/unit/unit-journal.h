#pragma once

#include "unit.h"

#include "journal.h"

/* What tests of the journal have in common. */

/* What a journal delivered or read: each payload with its sequence, such as "1:a 2:b ". */
struct record {
	char text[4096];
	size_t count;
	size_t calls;
	int64_t last_time;
	uint64_t last_sequence;
};

void journal_note(void *user, const struct journal_entry *entry);
void journal_note_all(void *user, const struct journal_entry *entries, size_t n);

/* A stream whose deliveries are noted in record. */
struct journal_stream *open_stream(struct journal *journal, const char *room,
				   struct record *record);

/* Publishes that and waits until it is done; returns it, with the result. */
struct journal_publication publish_with(struct journal_stream *stream,
					const struct journal_publication *publication);

/* The same for a text; key may be NULL. The result is in the publication. */
struct journal_publication publish_with_key(struct journal_stream *stream, const char *text,
					    const char *key);

/* With something that is to be gone; returns the result. */
int publish_redacting(struct journal_stream *stream, const char *text, uint64_t sequence,
		      const char *prefix, const char *payload);

/* As above, without a key; it must be kept. */
void publish(struct journal_stream *stream, const char *text);

/* Publishes the numbers 1 to n as text. */
void publish_numbers(struct journal_stream *stream, unsigned n);

int read_range(struct journal_stream *stream, uint64_t after, uint64_t before, unsigned limit,
	       bool newest, struct record *record);

/* Reads the oldest after a sequence. */
void assert_reads(struct journal_stream *stream, uint64_t after, unsigned limit,
		  const char *expected);

/* With all that is in it, which are files. */
int journal_remove_directory(const char *directory);
