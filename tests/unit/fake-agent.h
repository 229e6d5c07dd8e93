/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <protobuf-c/protobuf-c.h>

#include "vp-rpc.h"

/* The guest's end of a channel, played by the test in the same main loop. It
 * says what it is told to say, right or wrong. Check is answered by itself
 * unless the handler takes it. */
typedef struct _FakeAgent FakeAgent;

/* TRUE: taken (answered now or later, or never). @request is borrowed. */
typedef gboolean (*FakeAgentFunc) (FakeAgent *agent, guint32 stream, VpRpc rpc,
                                   const ProtobufCMessage *request, gpointer user_data);

/* Over a connected socket (taken), or listening at @path for one connection. */
FakeAgent *fake_agent_new_for_fd (int fd);
FakeAgent *fake_agent_listen (const char *path);
void fake_agent_free (FakeAgent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeAgent, fake_agent_free)

void fake_agent_set_func (FakeAgent *self, FakeAgentFunc func, gpointer user_data);

/* The first @n syncs are not answered; @garbage (may be NULL) precedes each ack. */
void fake_agent_set_sync (FakeAgent *self, guint n_ignored, GBytes *garbage);

void fake_agent_reply (FakeAgent *self, guint32 stream, const ProtobufCMessage *answer);
void fake_agent_reply_error (FakeAgent *self, guint32 stream, int code, const char *message);
void fake_agent_reply_empty (FakeAgent *self, guint32 stream);
/* ReadStdout and ReadStderr */
void fake_agent_reply_data (FakeAgent *self, guint32 stream, const void *data, gsize len);
void fake_agent_send_raw (FakeAgent *self, const void *data, gsize len);
void fake_agent_hang_up (FakeAgent *self);

/* does not read any more */
void fake_agent_stall (FakeAgent *self);
gboolean fake_agent_is_connected (FakeAgent *self);
guint fake_agent_get_n_syncs (FakeAgent *self);
guint fake_agent_get_n_requests (FakeAgent *self);
gsize fake_agent_get_queued (FakeAgent *self);

/* ---- for all tests that run a main loop ---- */
/* Iterates until *@flag is not 0; the test fails after 20 s. */
void test_run_until (const gboolean *flag);
void test_run_for (guint ms);

/* A GAsyncReadyCallback that keeps the result: user_data is a TestResult. */
typedef struct
{
  gboolean done;
  GObject *source;
  GAsyncResult *result;
} TestResult;
void test_result_ready (GObject *source, GAsyncResult *result, gpointer user_data);
void test_result_clear (TestResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TestResult, test_result_clear)
