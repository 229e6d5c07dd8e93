/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private to vp-kata-import*.c. Names are as in VpConfigRow.kata. */

/* A setting that no key stands for. */
typedef struct
{
  const char *name;     /* "*" at the end: all that begin so */
  const char *harmless; /* a value that loses nothing, besides "", 0 and false; NULL: none */
  const char *why;
} VpKataMissing;

/* A word of theirs that has another name here, or none. */
typedef struct
{
  const char *name;
  const char *theirs;
  const char *ours; /* NULL: refused, @why says it */
  const char *why;
} VpKataWord;

extern const VpKataMissing vp_kata_missing[]; /* ends with name NULL */
extern const VpKataWord vp_kata_words[];      /* ends with name NULL */
