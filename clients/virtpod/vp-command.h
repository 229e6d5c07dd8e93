/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-client.h"

/* exit statuses of virtpod's own, as shells and other container tools have them */
#define VP_EXIT_FAILURE 1          /* of every verb but run and exec */
#define VP_EXIT_OWN 125            /* run, exec: virtpod failed, not the command; also unknown verbs */
#define VP_EXIT_NOT_EXECUTABLE 126 /* run, exec: the command cannot be executed */
#define VP_EXIT_NOT_FOUND 127      /* run, exec: there is no such command */
#define VP_EXIT_SIGNAL 128         /* + number: virtpod was told to give up by a signal */

typedef struct _VpCommand VpCommand;

/* One verb: a row of the table of its program, in verbs.c; defined in cmd-VERB.c. */
struct _VpCommand
{
  const char *name;
  const char *alias;     /* another name; NULL: none */
  const char *arguments; /* for "Usage:", marked with N_(); NULL: none */
  const char *summary;   /* one line, marked with N_() */
  int min_args;
  int max_args;          /* -1: any number */
  int failure;           /* exit status when virtpod itself fails */
  gboolean verbatim;     /* the first argument ends the options: what follows is a command line */
  gboolean needs_running; /* in the wrong state means: the container does not run */
  const GOptionEntry *options; /* NULL: none */
  const char *program;   /* has the verb instead, and only .name and .summary are set here; NULL: this one */

  /* Returns the exit status. @args has between min_args and max_args elements. */
  int (*run) (const VpCommand *self, VpClient *client, int n_args, char **args);
};

/* what a program has, in the order of its help; NULL at the end */
extern const VpCommand *const vp_verbs[];

extern const VpCommand vp_cmd_run;
extern const VpCommand vp_cmd_create;
extern const VpCommand vp_cmd_start;
extern const VpCommand vp_cmd_features;
extern const VpCommand vp_cmd_spec;
extern const VpCommand vp_cmd_exec;
extern const VpCommand vp_cmd_attach;
extern const VpCommand vp_cmd_cp;
extern const VpCommand vp_cmd_list;
extern const VpCommand vp_cmd_ps;
extern const VpCommand vp_cmd_stats;
extern const VpCommand vp_cmd_wait;
extern const VpCommand vp_cmd_logs;
extern const VpCommand vp_cmd_console;
extern const VpCommand vp_cmd_events;
extern const VpCommand vp_cmd_network;
extern const VpCommand vp_cmd_port_forward;
extern const VpCommand vp_cmd_state;
extern const VpCommand vp_cmd_inspect;
extern const VpCommand vp_cmd_kill;
extern const VpCommand vp_cmd_pause;
extern const VpCommand vp_cmd_resume;
extern const VpCommand vp_cmd_update;
extern const VpCommand vp_cmd_stop;
extern const VpCommand vp_cmd_delete;
extern const VpCommand vp_cmd_prune;
extern const VpCommand vp_cmd_xml;
extern const VpCommand vp_cmd_explain;
extern const VpCommand vp_cmd_config;
extern const VpCommand vp_cmd_k8s;
extern const VpCommand vp_cmd_check;
extern const VpCommand vp_cmd_version;

/* in the help of two programs */
#define VP_CP_SUMMARY N_("Copy files between a container (ID:PATH) and the host")

/* Prints "virtpod: VERB ID: message (ErrorName)" and returns the verb's exit
 * status for @error. @id may be NULL. */
int vp_command_fail (const VpCommand *self, const char *id, const GError *error);

/* The same for a wrong command line: the message and where help is. */
int vp_command_usage (const VpCommand *self, const char *message);

/* What every argument-less option dictionary looks like: a{sv} with "force" when @force. Floating. */
GVariant *vp_command_force_options (gboolean force);
