#include "http-turn.h"

#include "service.h"

#include <stdlib.h>

/* Its input is held back for a reason of its own, whatever else holds it back. */
#define RXFLOW_RESTS (LWS_RXFLOW_REASON_APPLIES | 1 << 3)

struct resting {
	struct rester rester;
	struct lws *wsi;
};

static void resume(struct rester *rester)
{
	struct resting *resting = (struct resting *)rester;

	lws_rx_flow_control(resting->wsi, RXFLOW_RESTS | LWS_RXFLOW_REASON_APPLIES_ENABLE_BIT);
	free(resting);
}

static struct rester *find(struct turn *turn, const struct lws *wsi)
{
	struct rester *rester = turn->resting;

	while (rester && (rester->resume != resume || ((struct resting *)rester)->wsi != wsi))
		rester = rester->next;
	return rester;
}

void http_turn_charge(struct lws *wsi, unsigned units)
{
	struct service *service = service_of(wsi);
	struct resting *resting;

	if (!turn_spend(&service->turn, wsi, units) || find(&service->turn, wsi))
		return;
	resting = calloc(1, sizeof(*resting));
	if (!resting)
		return;
	resting->wsi = wsi;
	lws_rx_flow_control(wsi, RXFLOW_RESTS);
	turn_rest(&service->turn, service->loop, &resting->rester, resume);
}

void http_turn_forget(struct lws *wsi)
{
	struct turn *turn = &service_of(wsi)->turn;
	struct rester *rester = turn->resting ? find(turn, wsi) : NULL;

	if (!rester)
		return;
	turn_forget(turn, rester);
	free(rester);
}
