#include "unit.h"

#include "config.h"
#include "mount/file-hashed.h"
#include "mount/file-type.h"
#include "mount/file-weight.h"

#include <string.h>

static void weights(void **state)
{
	static const struct {
		const char *list, *name;
		int weight;
	} rows[] = {
		{"br", "br", 1000},
		{"gzip, br", "br", 1000},
		{"GZIP,BR", "br", 1000},
		{"br;q=1", "br", 1000},
		{"br;q=1.000", "br", 1000},
		{"br;q=0.5", "br", 500},
		{"br ; Q=0.05", "br", 50},
		{"br;q=0.123456", "br", 123},
		{"br;q=0", "br", 0},
		{"br;q=0.000", "br", 0},
		{"br;q=x", "br", 0},
		{"br;level=1;q=0.3, gzip", "br", 300},
		{"br;level=1, gzip;q=0.3", "br", 1000},
		{"brr, xbr", "br", -1},
		{"text/html;q=0.9,*/*", "text/html", 900},
		{", ,,br", "br", 1000},
		{"", "br", -1},
		{NULL, "br", -1},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (file_weight(rows[i].list, rows[i].name) != rows[i].weight)
			fail_msg("row %zu: %d", i, file_weight(rows[i].list, rows[i].name));
}

static void assert_coding(const char *accepted, unsigned place, const char *expected)
{
	const char *coding = file_coding(accepted, place);

	if (!expected != !coding || (coding && strcmp(coding, expected) != 0))
		fail_msg("%s, place %u: %s", accepted, place, coding ? coding : "none");
}

static void codings(void **state)
{
	static const char *const rows[][3] = {
		{"gzip, deflate, br", "br", "gzip"},
		{"gzip", "gzip", NULL},
		{"br", "br", NULL},
		{"br;q=0.5, gzip;q=0.8", "gzip", "br"},
		{"br;q=0, gzip", "gzip", NULL},
		{"*", "br", "gzip"},
		{"*, br;q=0", "gzip", NULL},
		{"identity, gzip;q=0.5", NULL, NULL},
		{"identity;q=0.5, gzip", "gzip", NULL},
		{"deflate", NULL, NULL},
		{"", NULL, NULL},
		{NULL, NULL, NULL},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_coding(rows[i][0], 0, rows[i][1]);
		assert_coding(rows[i][0], 1, rows[i][2]);
		assert_coding(rows[i][0], 2, NULL);
	}
}

static void hashed(void **state)
{
	static const char *const are[] = {
		"app.3f2a9c1b.js",
		"index-BpXq3Z1a.js",
		"index-B_x-3Z1a.css",
		"app-5VYDFQPB.js",
		"main.4e1243bd22c66e76c2ba.css",
		"app.3f2a9c1b.js.map",
		"chat-client-3f2a9c1b.js",
		"font.q8AxZ2bW9kLm0PqRsT1v.woff2",
	};
	static const char *const are_not[] = {
		"chat-client.js",
		"chat-client-server.js",
		"chat-client.d.ts",
		"chat-client2.min.js",
		"jquery-3.7.1.min.js",
		"bootstrap.bundle.min.js",
		"report-20240101.pdf",
		"my-document2.html",
		"App-Version2.js",
		"app-Screenshot2024.png",
		"Sony-WH1000XM4.jpg",
		"app.deadbeef.js",
		"app.3f2a9c1.js",
		"3f2a9c1b.js",
		"app-3f2a9c1b",
		"app.3f2a9c1b",
		"index.html",
		"internationalisation-Resources.js",
		"",
	};

	for (size_t i = 0; i < LENGTH(are); i++)
		if (!file_is_hashed(are[i]))
			fail_msg("%s isn't", are[i]);
	for (size_t i = 0; i < LENGTH(are_not); i++)
		if (file_is_hashed(are_not[i]))
			fail_msg("%s is", are_not[i]);
}

static void types(void **state)
{
	char glb[] = ".glb", model[] = "model/x", html[] = ".HTML", text[] = "text/x",
	     map[] = ".js.map";
	struct config_file_type more[] = {{glb, model}, {html, text}, {map, text}};
	const struct config_files none = {0}, some = {.types = more, .n_types = 3};
	static const char *const rows[][2] = {
		{"a.htm", "text/html; charset=utf-8"},
		{"a.cjs", "text/javascript; charset=utf-8"},
		{"a.vtt", "text/vtt; charset=utf-8"},
		{"a.m4a", "audio/mp4"},
		{"a.TTF", "font/ttf"},
		{"a.csv", "text/csv; charset=utf-8"},
		{"a.yaml", "application/yaml"},
		{"a.d.ts", "text/plain; charset=utf-8"},
		{"a.ts", "video/mp2t"},
		{"a.tar.gz", "application/gzip"},
		{"a", "application/octet-stream"},
		{"a.unheard", "application/octet-stream"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_string_equal(file_type(&none, rows[i][0]), rows[i][1]);
	assert_string_equal(file_type(&some, "a.glb"), "model/x");
	assert_string_equal(file_type(&some, "a.html"), "text/x");
	assert_string_equal(file_type(&some, "a.js.map"), "text/x");
	assert_string_equal(file_type(&some, "a.css.map"), "application/json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights),
		cmocka_unit_test(codings),
		cmocka_unit_test(hashed),
		cmocka_unit_test(types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
