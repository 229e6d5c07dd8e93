/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "variants.h"

/* The groups that variants.c counts through. */
extern const Variant variants_machine[];
extern const guint n_variants_machine;
extern const Variant variants_devices[];
extern const guint n_variants_devices;
extern const Variant variants_cloud[];
extern const guint n_variants_cloud;
