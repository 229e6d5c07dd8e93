/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec-table.h"

/* Rows of the tables in vp-spec-table*.c; further members of VpSpecField follow the first three arguments. */
#define FIELD(n, t, f, h, ...)                                                                               \
  {                                                                                                          \
    .name = n, .type = VP_SPEC_##t, .fate = VP_FATE_##f, .how = h, __VA_ARGS__                               \
  }
#define STRING(n, f, ...) FIELD (n, STRING, f, __VA_ARGS__)
#define BOOL(n, f, ...) FIELD (n, BOOL, f, __VA_ARGS__)
#define INT(n, f, ...) FIELD (n, INT, f, __VA_ARGS__)
#define UINT(n, f, ...) FIELD (n, UINT, f, __VA_ARGS__)
#define OBJECT(n, f, ...) FIELD (n, OBJECT, f, __VA_ARGS__)
#define MAP(n, f, ...) FIELD (n, MAP, f, __VA_ARGS__)
#define ANY(n, f, ...) FIELD (n, ANY, f, __VA_ARGS__)
#define END                                                                                                  \
  {                                                                                                          \
    .name = NULL                                                                                             \
  }
