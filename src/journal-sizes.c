#include "journal-sizes.h"

/* The place of the highest bit, and the two bits below it. */
static unsigned class_of(size_t size)
{
	unsigned bit;

	if (size < 4)
		return 0;
	bit = (unsigned)(sizeof(size) * 8 - 1) - (unsigned)__builtin_clzl(size);
	return bit * 4 + (unsigned)(size >> (bit - 2) & 3);
}

void journal_sizes_init(struct journal_sizes *sizes)
{
	sizes->top = 0;
	for (size_t i = 0; i < JOURNAL_SIZES_CLASSES; i++)
		TAILQ_INIT(&sizes->classes[i]);
}

void journal_sizes_add(struct journal_sizes *sizes, struct journal_sized *sized, size_t size)
{
	unsigned class = class_of(size);

	sized->class = class;
	TAILQ_INSERT_TAIL(&sizes->classes[class], sized, list);
	if (class > sizes->top)
		sizes->top = class;
}

void journal_sizes_remove(struct journal_sizes *sizes, struct journal_sized *sized)
{
	TAILQ_REMOVE(&sizes->classes[sized->class], sized, list);
}

/* One class too low is near enough: what goes up and down at the border of two stays where it is. */
int journal_sizes_is_misplaced(const struct journal_sized *sized, size_t size)
{
	unsigned class = class_of(size), at = sized->class;

	return class > at || class + 1 < at;
}

void journal_sizes_move(struct journal_sizes *sizes, struct journal_sized *sized, size_t size)
{
	journal_sizes_remove(sizes, sized);
	journal_sizes_add(sizes, sized, size);
}

struct journal_sized *journal_sizes_largest(struct journal_sizes *sizes)
{
	while (sizes->top && TAILQ_EMPTY(&sizes->classes[sizes->top]))
		sizes->top--;
	return TAILQ_FIRST(&sizes->classes[sizes->top]);
}
