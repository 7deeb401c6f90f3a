#include "unit.h"

#include "http-request.h"

#include <errno.h>
#include <string.h>

/* The segments, each ended by a bar. */
static const struct {
	const char *path;
	const char *segments;
	const char *file; /* NULL: none is called that */
} rows[] = {
	{"/", "|", ""},
	{"", "|", ""},
	{"/a", "a|", "a"},
	{"/a/", "a||", "a/"},
	{"/a/b.txt", "a|b.txt|", "a/b.txt"},
	{"//a///b", "a|b|", "a/b"},
	{"/plus+name;v=2&c,d", "plus+name;v=2&c,d|", "plus+name;v=2&c,d"},
	{"/a%20b%2B", "a b+|", "a b+"},
	{"/%c3%A9", "\xc3\xa9|", "\xc3\xa9"},
	/* Dot segments go, RFC 3986 section 5.2.4. */
	{"/.", "|", ""},
	{"/..", "|", ""},
	{"/./a", "a|", "a"},
	{"/../a", "a|", "a"},
	{"/a/.", "a||", "a/"},
	{"/a/..", "|", ""},
	{"/a/./b", "a|b|", "a/b"},
	{"/a/../b", "b|", "b"},
	{"/a/b/../../c", "c|", "c"},
	{"/a/b/c/./../../g", "a|g|", "a/g"},
	{"/a/../../../b", "b|", "b"},
	{"/...", "...|", "..."},
	{"/.a/..b", ".a|..b|", ".a/..b"},
	/* What is encoded is data. */
	{"/a%2Fb", "a/b|", NULL},
	{"/x%2F..%2Flobby", "x/../lobby|", NULL},
	{"/a/%2e%2E/b", "a|..|b|", NULL},
	{"/%2e", ".|", NULL},
	{"/%2f", "/|", NULL},
	{"/%252F", "%2F|", "%2F"},
	/* What is no encoding stays, though no request has it. */
	{"/a%", "a%|", "a%"},
	{"/a%2", "a%2|", "a%2"},
	{"/a%2g", "a%2g|", "a%2g"},
	{"/%%41", "%A|", "%A"},
};

static void join(const struct http_path *path, char *out)
{
	const char *segment = NULL;

	*out = '\0';
	while ((segment = http_path_next(path, segment)))
		out += sprintf(out, "%s|", segment);
}

static void cuts_before_it_decodes(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct http_path path;
		char segments[100];
		const char *file;

		assert_int_equal(http_path_split(&path, rows[i].path, strlen(rows[i].path)), 0);
		join(&path, segments);
		assert_string_equal(segments, rows[i].segments);
		file = http_path_as_file(&path);
		if (rows[i].file)
			assert_string_equal(file, rows[i].file);
		else
			assert_null(file);
		http_path_finish(&path);
	}
}

static void nothing_has_a_nul_inside(void **state)
{
	static const char *const paths[] = {"/%00", "/a%00b", "/a/b%00", "/a%00/b"};
	struct http_path path;

	for (size_t i = 0; i < LENGTH(paths); i++)
		assert_int_equal(http_path_split(&path, paths[i], strlen(paths[i])), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_before_it_decodes),
		cmocka_unit_test(nothing_has_a_nul_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
