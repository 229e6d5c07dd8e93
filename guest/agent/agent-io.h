/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-piece.h"
#include "agent-rpc.h"

/* The agent's ends of a process' standard streams: pipes, or two descriptors of one
 * pty master. The loop never blocks on them: calls are parked until there is
 * something to read or room to write.
 *
 * A host can go away at any moment and come back, or another in its place. What it was
 * told of an output is kept until its next read of that stream, which is taken to mean
 * that it has it, or until the read says how far it is. A host that comes back is told
 * the same again, with the same offset. So no byte is lost, and one is doubled only for
 * a host that had the answer, has not asked for more, and does not compare offsets.
 * (With several reads at once only the word of the host tells what it has.) What a host
 * has sent for an input is written, whether or not it is there to hear so: it must not
 * send it again. */

typedef struct
{
  AgentLoop *loop;
  int fd;     /* -1: not open yet, or at the end */
  int opened; /* before, reads wait */
  AgentWatch *watch;
  AgentList reads; /* parked ReadStreamRequests */
  AgentList told;  /* what was answered lately, oldest first */
  unsigned n_told;
  AgentPool pool; /* for told */
  uint64_t offset; /* bytes taken out of the pipe */
  AgentTimer *drain;
  int draining; /* the process is gone: an empty pipe is the end */
} AgentOutput;

typedef struct
{
  AgentLoop *loop;
  int fd; /* -1: closed */
  AgentWatch *watch;
  AgentList writes; /* parked WriteStreamRequests */
  size_t done;      /* of the first one, when nobody waits for its answer */
  int close_wanted; /* after what is parked */
} AgentInput;

void agent_output_init (AgentOutput *o, AgentLoop *loop);
/* takes @fd; -1 for a stream that is at its end from the start */
void agent_output_open (AgentOutput *o, int fd);
/* @call is a ReadStreamRequest: answered with at most its len bytes as soon as there
 * are some, with none at the end */
void agent_output_read (AgentOutput *o, AgentCall *call);
/* Somebody else may hold the pipe for ever. Half a second after the process ended
 * what is in it is all there will be. */
void agent_output_process_exited (AgentOutput *o);
void agent_output_clear (AgentOutput *o);

void agent_input_init (AgentInput *i, AgentLoop *loop);
void agent_input_open (AgentInput *i, int fd);
/* @call is a WriteStreamRequest; the answer tells how much was taken */
void agent_input_write (AgentInput *i, AgentCall *call);
void agent_input_close (AgentInput *i);
void agent_input_clear (AgentInput *i);
