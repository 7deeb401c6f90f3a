#pragma once

#include "client.h"

/* Each measures, and reports. */
void mode_connect(struct load *load);
void mode_echo(struct load *load);
void mode_fanout(struct load *load);
void mode_idle(struct load *load);
void mode_single(struct load *load);
void mode_steady(struct load *load);
