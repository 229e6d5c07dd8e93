/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fake-agent.h"
#include "vp-sandbox.h"

/* What the domain's objects work with, for real but in a directory of the
 * test's: a store, libvirt's test driver, a worker, and a guest that is played
 * in the same main loop. Needs root and a mount namespace: domain_test_run (). */
typedef struct
{
  char *dir;
  VpServices services;
  FakeAgent *agent; /* of domain_fixture_guest () */
  gboolean mute[VP_N_RPCS]; /* calls the guest takes and does not answer */
  int fail[VP_N_RPCS];      /* gRPC codes it answers with */
  guint calls[VP_N_RPCS];
  GArray *waits; /* WaitProcess calls under way */
  guint32 oom_stream; /* of the GetOOMEvent call under way, 0: none */
} DomainFixture;

void domain_fixture_set_up (DomainFixture *f, gconstpointer data);
void domain_fixture_tear_down (DomainFixture *f, gconstpointer data);

/* A bundle in the test's directory. */
char *domain_fixture_make_bundle (DomainFixture *f, const char *name);
VpSpec *domain_fixture_load_spec (DomainFixture *f, const char *name);

/* The guest of the domain @name listens from here on; a guest before it is gone. */
void domain_fixture_guest (DomainFixture *f, const char *domain_name);
void domain_fixture_guest_for_fd (DomainFixture *f, int fd);

/* The guest tells of the end of a process. */
void domain_fixture_exit (DomainFixture *f, const char *cid, const char *exec_id, guint status);

/* Runs the main loop until the guest has got @n calls of @rpc. */
void domain_fixture_await_call (DomainFixture *f, VpRpc rpc, guint n);

/* Finishes when @result is there: the GAsyncResult, borrowed. */
GAsyncResult *domain_fixture_await (TestResult *result);

/* Gives up a reference that, once what is under way has ended, is the last one. */
void domain_fixture_assert_gone (gpointer object);

/* Mount points below the test's directory. */
guint domain_fixture_count_mounts (DomainFixture *f);

/* Like g_test_run (), in a mount namespace of its own; adds one skipped test
 * instead of what @add adds where that cannot be. */
int domain_test_run (int argc, char **argv, void (*add) (void));

#define DOMAIN_TEST(path, func)                                                                                       \
  g_test_add (path, DomainFixture, NULL, domain_fixture_set_up, func, domain_fixture_tear_down)
