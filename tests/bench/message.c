#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "report.h"

#define SIZE_MAX_TEXT ((size_t)1 << 20)
#define MARK_MAX 24
#define SPREAD 997 /* two messages rarely say the same */

struct messages {
	size_t size;
	const char *before;
	const char *after;
	char *words;
};

/* Text that compresses about as well as what people write, from a few numbers. */
static char *write_words(size_t size)
{
	static const char *const common[] = {
		"the",	  "of",	  "and",   "you",     "that",	"was",	  "for",   "are",
		"with",	  "they", "this",  "have",    "from",	"one",	  "had",   "word",
		"but",	  "not",  "what",  "all",     "were",	"when",	  "your",  "can",
		"said",	  "use",  "each",  "which",   "she",	"how",	  "their", "will",
		"people", "time", "night", "thought", "window", "letter", "river", "question",
	};
	char *words = malloc(size + 16);
	unsigned seed = 1;

	if (!words)
		die("out of memory");
	for (size_t n = 0; n < size;) {
		seed = seed * 1103515245 + 12345;
		n += (size_t)sprintf(words + n, "%s ",
				     common[(seed >> 16) % (sizeof(common) / sizeof(*common))]);
	}
	return words;
}

struct messages *messages_create(size_t size, bool chat)
{
	struct messages *messages = calloc(1, sizeof(*messages));

	if (size > SIZE_MAX_TEXT)
		die("messages of at most %zu bytes", SIZE_MAX_TEXT);
	if (!messages)
		die("out of memory");
	messages->size = size;
	messages->before = chat ? "{\"message\":\"" : "";
	messages->after = chat ? "\"}" : "";
	messages->words = write_words(size + SPREAD);
	return messages;
}

size_t messages_room(const struct messages *messages)
{
	return FRAME_HEADER_MAX + messages->size + MARK_MAX + 16;
}

/* What follows the mark: sets *size to how much of it there is behind so many bytes. */
static const char *words_for(const struct messages *messages, struct mark mark, size_t before,
			     size_t *size)
{
	before += strlen(messages->after);
	*size = messages->size > before ? messages->size - before : 0;
	return messages->words + (mark.number * 31U + (unsigned)mark.sender) % SPREAD;
}

size_t messages_put(const struct messages *messages, struct mark mark, char *to)
{
	char start[MARK_MAX + 16];
	size_t start_size, size, end_size = strlen(messages->after);
	const char *words;
	char *p = to;

	start_size =
		(size_t)sprintf(start, "%s#%d:%u:", messages->before, mark.sender, mark.number);
	words = words_for(messages, mark, start_size, &size);
	p += frame_put_header(p, OPCODE_TEXT, start_size + size + end_size);
	p = mempcpy(p, start, start_size);
	p = mempcpy(p, words, size);
	p = mempcpy(p, messages->after, end_size);
	return (size_t)(p - to);
}

bool messages_equal(const struct messages *messages, struct mark mark, const char *text,
		    size_t size)
{
	char start[MARK_MAX + 16];
	size_t words_size, start_size = (size_t)sprintf(start, "#%d:%u:", mark.sender, mark.number);
	const char *words = words_for(messages, mark, start_size, &words_size);

	return size == start_size + words_size && !memcmp(text, start, start_size) &&
	       !memcmp(text + start_size, words, words_size);
}
