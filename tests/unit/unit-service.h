#pragma once

#include "unit.h"

#include "service.h"

/* A service thread's loop and its tasks, without any connections: the calling thread is it. */
void unit_service_init(struct service *service);
void unit_service_finish(struct service *service);

/* Runs its loop until that many tasks have been run since the last time. */
void unit_service_run(struct service *service, unsigned tasks);
