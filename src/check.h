#pragma once

#include "config.h"

/*
 * Whether what the config speaks of is there, and fits: certificates and keys, the
 * journal's file, the folder of files and its pages. It changes nothing, and goes
 * by what this user may do. name is what the error calls the config. Returns 0, or
 * -EINVAL with *error filled in; where that is empty, the log has it.
 */
int check_files(const struct config *config, const char *name, struct config_error *error);
