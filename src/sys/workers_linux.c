/* workers_linux.c - a bounded pool of threads for calls that block. First come, first served. A thread is started when
 * there is more queued than threads waiting for it, and ends when nothing came for a while. */
#include "base/mem.h"
#include "sys/linux_priv.h"
#include <errno.h>
#include <time.h>

#define IDLE_S 10

struct worker {
    struct worker *next;
    struct workers *pool;
    pthread_t thread;
};

void workers_init(struct workers *ws, unsigned thread_max)
{
    *ws = (struct workers){.thread_max = thread_max};
    pthread_mutex_init(&ws->lock, NULL);
    pthread_cond_init(&ws->more, NULL);
    pthread_cond_init(&ws->fewer, NULL);
}

static struct loop_work *work_of(struct loop_msg *m)
{
    return CONTAINER_OF(m, struct loop_work, msg);
}

static struct linux_loop *backend_of(const struct loop_work *w)
{
    return w->loop->backend;
}

/* Unlinks the message after `before`; NULL: the first. */
static struct loop_msg *unlink_after(struct loop_queue *q, struct loop_msg *before)
{
    struct loop_msg *m = before ? before->next : q->first;
    if (before)
        before->next = m->next;
    else
        q->first = m->next;
    if (q->last == m)
        q->last = before;
    return m;
}

static void count_down(struct workers *ws, struct linux_loop *ll)
{
    ll->work_count--;
    pthread_cond_broadcast(&ws->fewer);
}

static void run_one(struct workers *ws)
{
    struct loop_work *w = work_of(unlink_after(&ws->queue, NULL));
    ws->queued--;
    pthread_mutex_unlock(&ws->lock);
    /* Once posted, w may be gone; the loop stays until its work_count is 0. */
    struct linux_loop *ll = backend_of(w);
    w->run(w);
    loop_post(w->loop, &w->msg);
    pthread_mutex_lock(&ws->lock);
    count_down(ws, ll);
}

/* True: there is something to run. False: nothing came for a while, or it is over. */
static bool wait_for_work(struct workers *ws)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    ws->idle++;
    int e = 0;
    while (!ws->queued && !ws->ending && e != ETIMEDOUT)
        e = pthread_cond_clockwait(&ws->more, &ws->lock, CLOCK_MONOTONIC, &until);
    ws->idle--;
    return ws->queued;
}

static void *serve(void *arg)
{
    struct worker *me = arg;
    struct workers *ws = me->pool;
    pthread_mutex_lock(&ws->lock);
    while (ws->queued || wait_for_work(ws))
        run_one(ws);
    ws->thread_count--;
    me->next = ws->finished;
    ws->finished = me;
    pthread_cond_broadcast(&ws->fewer);
    pthread_mutex_unlock(&ws->lock);
    return NULL;
}

/* Without the lock: joins threads that have left, which takes no time. */
static void join_all(struct worker *list)
{
    while (list) {
        struct worker *w = list;
        list = w->next;
        pthread_join(w->thread, NULL);
        mem_free(w);
    }
}

/* With the lock held. */
static bool start_worker(struct workers *ws)
{
    struct worker *w = NEW(struct worker);
    w->pool = ws;
    struct err why;
    if (thread_start(&w->thread, "worker", serve, w, &why)) {
        mem_free(w);
        return false;
    }
    ws->thread_count++;
    return true;
}

void workers_submit(struct loop *l, struct loop_work *w)
{
    struct workers *ws = &linux_env_of(l)->workers;
    w->msg.next = NULL;
    pthread_mutex_lock(&ws->lock);
    if (ws->queue.last)
        ws->queue.last->next = &w->msg;
    else
        ws->queue.first = &w->msg;
    ws->queue.last = &w->msg;
    ws->queued++;
    backend_of(w)->work_count++;
    struct worker *left = TAKE(ws->finished);
    bool served = true;
    if (ws->queued > ws->idle && ws->thread_count < ws->thread_max)
        served = start_worker(ws) || ws->thread_count;
    if (served)
        pthread_cond_signal(&ws->more);
    else
        run_one(ws); /* no thread to be had at all: late beats never */
    pthread_mutex_unlock(&ws->lock);
    join_all(left);
}

void workers_forget(struct loop *l)
{
    struct workers *ws = &linux_env_of(l)->workers;
    struct linux_loop *ll = l->backend;
    pthread_mutex_lock(&ws->lock);
    for (struct loop_msg *before = NULL, *m = ws->queue.first; m;
         m = before ? before->next : ws->queue.first) {
        if (work_of(m)->loop != l) {
            before = m;
            continue;
        }
        unlink_after(&ws->queue, before);
        ws->queued--;
        ll->work_count--;
        loop_post(l, m);
    }
    while (ll->work_count)
        pthread_cond_wait(&ws->fewer, &ws->lock);
    pthread_mutex_unlock(&ws->lock);
}

void workers_done(struct workers *ws)
{
    pthread_mutex_lock(&ws->lock);
    ASSERT(!ws->queued);
    ws->ending = true;
    pthread_cond_broadcast(&ws->more);
    while (ws->thread_count)
        pthread_cond_wait(&ws->fewer, &ws->lock);
    pthread_mutex_unlock(&ws->lock);
    join_all(ws->finished);
    pthread_cond_destroy(&ws->fewer);
    pthread_cond_destroy(&ws->more);
    pthread_mutex_destroy(&ws->lock);
}
