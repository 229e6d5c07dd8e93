/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-facts.h"

#include <stdlib.h>

struct _VpFacts
{
  gatomicrefcount ref_count;
  VpFactsInit init; /* strings are owned */
};

VpFacts *
vp_facts_new (const VpFactsInit *init)
{
  VpFacts *facts = g_new0 (VpFacts, 1);

  g_atomic_ref_count_init (&facts->ref_count);
  facts->init = *init;
  facts->init.driver = g_strdup (init->driver ?: "");
  facts->init.arch = g_strdup (init->arch ?: "");
  facts->init.emulator = g_strdup (init->emulator);
  facts->init.image = g_strdup (init->image);
  facts->init.kvm_reason = init->kvm_usable ? NULL : g_strdup (init->kvm_reason ?: "reason not known");
  facts->init.passt_reason = init->passt ? NULL : g_strdup (init->passt_reason ?: "reason not known");
  if (init->network != NULL)
    vp_network_ref (init->network);
  if (init->uplink != NULL)
    vp_uplink_ref (init->uplink);
  return facts;
}

VpFacts *
vp_facts_new_with_image (VpFacts *facts, const char *image, guint64 size)
{
  VpFactsInit init = facts->init;

  init.image = image;
  init.image_size = size;
  return vp_facts_new (&init);
}

VpFacts *
vp_facts_new_with_network (VpFacts *facts, VpNetwork *network)
{
  VpFactsInit init = facts->init;

  init.network = network;
  return vp_facts_new (&init);
}

VpFacts *
vp_facts_new_with_uplink (VpFacts *facts, VpUplink *uplink)
{
  VpFactsInit init = facts->init;

  init.uplink = uplink;
  return vp_facts_new (&init);
}

VpFacts *
vp_facts_ref (VpFacts *facts)
{
  g_atomic_ref_count_inc (&facts->ref_count);
  return facts;
}

void
vp_facts_unref (VpFacts *facts)
{
  if (facts == NULL || !g_atomic_ref_count_dec (&facts->ref_count))
    return;
  g_free ((char *)facts->init.driver);
  g_free ((char *)facts->init.arch);
  g_free ((char *)facts->init.emulator);
  g_free ((char *)facts->init.kvm_reason);
  g_free ((char *)facts->init.image);
  g_free ((char *)facts->init.passt_reason);
  vp_uplink_unref (facts->init.uplink);
  vp_network_unref (facts->init.network);
  g_free (facts);
}

const VpFactsInit *
vp_facts_get (VpFacts *facts)
{
  return &facts->init;
}

/* Packagers write their own words round it, and not all of them the underscores. */
guint
vp_facts_parse_passt_release (const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new ("^passt .*?(?<![0-9])(20[0-9]{2})_?([01][0-9])_?([0-3][0-9])(?![0-9])", 0, 0,
                                           NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint day = 0;

  if (!g_utf8_validate (text, -1, NULL) || !g_regex_match (regex, text, 0, &match))
    return 0;
  for (int i = 1; i <= 3; i++)
    {
      g_autofree char *digits = g_match_info_fetch (match, i);

      day = day * 100 + (guint)atoi (digits);
    }
  return day;
}

const char *
vp_facts_get_auto_accel (VpFacts *facts)
{
  return facts->init.kvm_usable ? "kvm" : "tcg";
}
