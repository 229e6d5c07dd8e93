/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "agent-loop.h"
#include "agent-piece.h"

static void
test_again (void)
{
  AgentLoop *loop = agent_loop_new ();
  AgentPiece *one, *two, *small;
  AgentPool pool;

  agent_pool_init (&pool, loop);
  one = agent_pool_take (&pool, 100000);
  g_assert_cmpuint (one->size, >=, 100000);
  agent_piece_bytes (one)[one->size - 1] = 1;
  two = agent_pool_take (&pool, one->size);
  g_assert_true (one != two);
  g_assert_cmpuint (two->size, ==, one->size);
  agent_pool_give (&pool, one);
  g_assert_true (agent_pool_take (&pool, 20000) == one);
  /* what another holds is not written again */
  agent_piece_ref (two);
  agent_pool_give (&pool, two);
  g_assert_cmpuint (pool.n_spare, ==, 0);
  agent_piece_unref (two);
  small = agent_pool_take (&pool, 10);
  g_assert_cmpuint (small->size, ==, 10);
  agent_pool_give (&pool, small);
  g_assert_cmpuint (pool.n_spare, ==, 0);
  agent_pool_give (&pool, one);
  g_assert_cmpuint (pool.n_spare, ==, 1);
  agent_pool_clear (&pool);
  agent_piece_unref (NULL);
  agent_loop_free (loop);
}

static void
test_bounded (void)
{
  AgentLoop *loop = agent_loop_new ();
  AgentPiece *pieces[20];
  AgentPool pool;

  agent_pool_init (&pool, loop);
  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    pieces[i] = agent_pool_take (&pool, 50000);
  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    agent_pool_give (&pool, pieces[i]);
  g_assert_cmpuint (pool.n_spare, <=, 4);
  agent_pool_clear (&pool);
  agent_loop_free (loop);
}

static void
quit (void *data)
{
  agent_loop_quit (data);
}

/* Nobody wants one: it goes back. */
static void
test_idle (void)
{
  AgentLoop *loop = agent_loop_new ();
  AgentPool pool;

  agent_pool_init (&pool, loop);
  agent_pool_give (&pool, agent_pool_take (&pool, 50000));
  g_assert_cmpuint (pool.n_spare, ==, 1);
  for (guint i = 0; i < 300 && pool.timer != NULL; i++)
    {
      agent_timer_new (loop, 100, quit, loop);
      agent_loop_run (loop);
    }
  g_assert_null (pool.timer);
  g_assert_cmpuint (pool.n_spare, ==, 0);
  agent_pool_clear (&pool);
  agent_loop_free (loop);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-piece/again", test_again);
  g_test_add_func ("/agent-piece/bounded", test_bounded);
  g_test_add_func ("/agent-piece/idle", test_idle);
  return g_test_run ();
}
