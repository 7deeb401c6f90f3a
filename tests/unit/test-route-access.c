#include "unit.h"

#include "auth.h"
#include "metrics.h"
#include "mount/answer.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

/* Who may make a call whose row says nothing, and what it takes to say otherwise. */

/* {"alg":"HS256"}, {"sub":"ann","exp":4102444800}, and their signature by the secret. */
#define TOKEN                                                                                      \
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9."                           \
	"pYLz7ZzBYMIejdxASPg_PTkTG4ETkpgOqYJprnBGuGI"

static char secret[] = "a secret of thirty-two bytes, or more";
static char publish_secret[] = "a-key-to-publish-with-of-some-length";
static char sub[] = "sub", bot[] = "bot";
static struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
static struct config_publish_key publish_key = {
	.name = bot, .secret = publish_secret, .rights = RIGHT_READ | RIGHT_WRITE};
static const struct config_auth tokens = {
	.keys = &key,
	.n_keys = 1,
	.name_claim = sub,
	.publish_keys = &publish_key,
	.n_publish_keys = 1,
};

unsigned route_refuse_rate(const struct route_request *request, enum limit limit,
			   struct json_object **body)
{
	return 429;
}

static const struct route silent = {.method = "GET", .path = "/api/connections"};

static unsigned admit(const struct config_auth *settings, enum route_access access,
		      const char *authorization)
{
	struct route_later later = {0};
	struct server server = {0};
	struct service service = {.server = &server};
	const struct route_request request = {
		.server = &server,
		.service = &service,
		.later = &later,
		.authorization = authorization,
	};
	struct json_object *body = NULL;
	unsigned status;

	assert_int_equal(metrics_create(&service.metrics), 0);
	assert_int_equal(auth_create(&server.auth, settings), 0);
	status = route_admit(&request, access, &body);
	assert_int_equal(!status, !body);
	json_object_put(body);
	free(later.answer.headers);
	auth_destroy(server.auth);
	metrics_destroy(service.metrics);
	return status;
}

static void a_row_that_says_nothing_is_closed(void **state)
{
	assert_int_equal(admit(&tokens, silent.access, NULL), 401);
	assert_int_equal(admit(&tokens, silent.access, "Bearer x"), 401);
	assert_int_equal(admit(&tokens, silent.access, "Bearer " TOKEN), 0);
	assert_int_equal(
		admit(&tokens, silent.access, "Bearer a-key-to-publish-with-of-some-length"), 0);
}

static void others_say_so(void **state)
{
	assert_int_equal(admit(&tokens, ROUTE_OPEN, NULL), 0);
	assert_int_equal(admit(&tokens, ROUTE_ASKS, NULL), 0);
}

static void nobody_has_to_say_who_they_are(void **state)
{
	assert_int_equal(admit(NULL, silent.access, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_says_nothing_is_closed),
		cmocka_unit_test(others_say_so),
		cmocka_unit_test(nobody_has_to_say_who_they_are),
	};

	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
