/* loop.c - the event loop against the plain means of the system: threads that block. */
#include "sys/loop.h"
#include "base/mem.h"
#include "bench.h"
#include "sys/stream.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static struct env *new_env(void)
{
    struct env *env;
    struct err why;
    BENCH_MUST(env_new_real(NULL, &env, &why) == ERR_NONE);
    return env;
}

static struct loop *new_loop(struct env *env)
{
    struct loop *l;
    struct err why;
    BENCH_MUST(loop_new(env, S("bench"), &l, &why) == ERR_NONE);
    return l;
}

static struct loop *new_started_loop(struct env *env)
{
    struct loop *l = new_loop(env);
    struct err why;
    BENCH_MUST(loop_start(l, &why) == ERR_NONE);
    return l;
}

static void must_write(int fd, const void *p, size_t n)
{
    BENCH_MUST(write(fd, p, n) == (ssize_t)n);
}

static void must_read(int fd, void *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, (char *)p + got, n - got);
        BENCH_MUST(r > 0);
        got += (size_t)r;
    }
}

/* --- messages one way: one thread sends, another counts --- */

enum { FLOOD = 20000 };

struct flood;
struct parcel {
    struct loop_msg msg;
    struct flood *flood;
    struct parcel *next;
};

struct flood {
    struct parcel parcels[FLOOD];
    size_t received; /* the receiver's */
    sem_t all;
    struct loop *to;
    /* The queue of the plain receivers. */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct parcel *first, **end;
    bool whole; /* takes all there is at once */
    int pipe[2];
};

static void receive(struct flood *f, const struct parcel *p)
{
    bench_keep(p);
    if (++f->received == FLOOD) {
        f->received = 0;
        sem_post(&f->all);
    }
}

static void receive_msg(struct loop_msg *m)
{
    struct parcel *p = CONTAINER_OF(m, struct parcel, msg);
    receive(p->flood, p);
}

static void flood_skiff(void *ctx)
{
    struct flood *f = ctx;
    for (size_t i = 0; i < FLOOD; i++)
        loop_post(f->to, &f->parcels[i].msg);
    sem_wait(&f->all);
}

static void queue_put(struct flood *f, struct parcel *p)
{
    p->next = NULL;
    pthread_mutex_lock(&f->lock);
    *f->end = p;
    f->end = &p->next;
    pthread_cond_signal(&f->more);
    pthread_mutex_unlock(&f->lock);
}

/* One, or all of them linked. */
static struct parcel *queue_take(struct flood *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->first)
        pthread_cond_wait(&f->more, &f->lock);
    struct parcel *p = f->first;
    if (f->whole) {
        f->first = NULL;
    } else {
        f->first = p->next;
        p->next = NULL;
    }
    if (!f->first)
        f->end = &f->first;
    pthread_mutex_unlock(&f->lock);
    return p;
}

static void *queue_serve(void *ctx)
{
    struct flood *f = ctx;
    for (;;)
        for (struct parcel *p = queue_take(f), *next; p; p = next) {
            next = p->next;
            if (!p->flood)
                return NULL;
            receive(f, p);
        }
}

static void flood_queue(void *ctx)
{
    struct flood *f = ctx;
    for (size_t i = 0; i < FLOOD; i++)
        queue_put(f, &f->parcels[i]);
    sem_wait(&f->all);
}

static void *pipe_serve(void *ctx)
{
    struct flood *f = ctx;
    struct parcel *got[512];
    ssize_t n;
    while ((n = read(f->pipe[0], got, sizeof got)) > 0)
        for (size_t i = 0; i < (size_t)n / sizeof *got; i++)
            receive(f, got[i]);
    return NULL;
}

static void flood_pipe(void *ctx)
{
    struct flood *f = ctx;
    for (size_t i = 0; i < FLOOD; i++) {
        const struct parcel *p = &f->parcels[i];
        must_write(f->pipe[1], &p, sizeof p);
    }
    sem_wait(&f->all);
}

static struct flood *flood_new(void)
{
    struct flood *f = NEW(struct flood);
    for (size_t i = 0; i < FLOOD; i++)
        f->parcels[i] = (struct parcel){.msg.run = receive_msg, .flood = f};
    BENCH_MUST(sem_init(&f->all, 0, 0) == 0);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->more, NULL);
    f->end = &f->first;
    return f;
}

BENCH(loop_messages, "from one thread to another, 20,000 in a row")
{
    struct env *env = new_env();
    struct flood *ours = flood_new(), *queue = flood_new(), *whole = flood_new(), *piped = flood_new();
    pthread_t threads[3];
    struct parcel last[2] = {{.flood = NULL}};
    ours->to = new_started_loop(env);
    whole->whole = true;
    BENCH_MUST(pipe(piped->pipe) == 0);
    pthread_create(&threads[0], NULL, queue_serve, queue);
    pthread_create(&threads[1], NULL, queue_serve, whole);
    pthread_create(&threads[2], NULL, pipe_serve, piped);
    BENCH_CASE(b, "one way", BENCH_ITEMS(FLOOD, "messages"), {"skiff", flood_skiff, ours},
               {"mutex and condition", flood_queue, queue}, {"same, taken whole", flood_queue, whole},
               {"pipe of pointers", flood_pipe, piped});
    queue_put(queue, &last[0]);
    queue_put(whole, &last[1]);
    close(piped->pipe[1]);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    loop_free(ours->to);
    env_free(env);
    mem_free(ours);
    mem_free(queue);
    mem_free(whole);
    mem_free(piped);
}

/* --- messages to and fro: each finds the other asleep --- */

struct ball {
    struct loop_msg msg;
    struct loop *home, *away;
    bool back;
    /* The plain ones. */
    sem_t there, here;
    int out, in; /* eventfd */
};

static void ball_at_home(struct loop_msg *m)
{
    CONTAINER_OF(m, struct ball, msg)->back = true;
}

static void ball_away(struct loop_msg *m)
{
    struct ball *ball = CONTAINER_OF(m, struct ball, msg);
    m->run = ball_at_home;
    loop_post(ball->home, m);
}

static bool ball_is_back(void *ctx)
{
    return ((struct ball *)ctx)->back;
}

static void throw_skiff(void *ctx)
{
    struct ball *ball = ctx;
    ball->back = false;
    ball->msg.run = ball_away;
    loop_post(ball->away, &ball->msg);
    BENCH_MUST(loop_run_until(ball->home, ball_is_back, ball, LOOP_FOREVER));
}

static void *return_sem(void *ctx)
{
    struct ball *ball = ctx;
    do {
        sem_wait(&ball->there);
        sem_post(&ball->here);
    } while (!ball->back);
    return NULL;
}

static void throw_sem(void *ctx)
{
    struct ball *ball = ctx;
    sem_post(&ball->there);
    sem_wait(&ball->here);
}

static void *return_eventfd(void *ctx)
{
    struct ball *ball = ctx;
    uint64_t n;
    do {
        must_read(ball->out, &n, sizeof n);
        must_write(ball->in, &n, sizeof n);
    } while (n == 1);
    return NULL;
}

static void throw_eventfd(void *ctx)
{
    struct ball *ball = ctx;
    uint64_t n = 1;
    must_write(ball->out, &n, sizeof n);
    must_read(ball->in, &n, sizeof n);
}

BENCH(loop_round_trips, "one message to another thread and back, each asleep when it comes")
{
    struct env *env = new_env();
    struct ball ours = {.home = new_loop(env), .away = new_started_loop(env)}, sem = {.back = false},
                events = {.out = eventfd(0, 0), .in = eventfd(0, 0)};
    pthread_t threads[2];
    sem_init(&sem.there, 0, 0);
    sem_init(&sem.here, 0, 0);
    pthread_create(&threads[0], NULL, return_sem, &sem);
    pthread_create(&threads[1], NULL, return_eventfd, &events);
    BENCH_CASE(b, "to and fro", BENCH_ITEMS(1, "round trips"), {"skiff", throw_skiff, &ours},
               {"semaphores", throw_sem, &sem}, {"blocking eventfds", throw_eventfd, &events});
    sem.back = true;
    throw_sem(&sem);
    must_write(events.out, &(uint64_t){2}, sizeof(uint64_t));
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    close(events.out);
    close(events.in);
    loop_free(ours.away);
    loop_free(ours.home);
    env_free(env);
    bench_note(b, "skiff writes one eventfd per wake and waits in epoll: the third is its physical limit");
}

/* --- timers --- */

enum { TIMERFDS = 500, MANY = 100000 };

struct clockwork;
struct ticker {
    struct timer timer;
    struct clockwork *clockwork;
};

struct clockwork {
    struct loop *l;
    struct ticker *tickers;
    size_t count, fired;
    uint64_t rnd;
    int fds[TIMERFDS]; /* the peer: a timerfd for each */
};

static uint64_t next_random(struct clockwork *c)
{
    c->rnd = c->rnd * 6364136223846793005u + 1442695040888963407u;
    return c->rnd >> 33;
}

static void count_fired(struct timer *t)
{
    CONTAINER_OF(t, struct ticker, timer)->clockwork->fired++;
}

static void clockwork_init(struct clockwork *c, struct env *env, size_t count)
{
    *c = (struct clockwork){.l = new_loop(env), .tickers = NEW_ARRAY(struct ticker, count), .count = count};
    for (size_t i = 0; i < count; i++) {
        c->tickers[i].clockwork = c;
        timer_init(&c->tickers[i].timer, c->l, count_fired);
        timer_set(&c->tickers[i].timer, NS_PER_S + (int64_t)next_random(c));
    }
    for (size_t i = 0; i < TIMERFDS; i++) {
        c->fds[i] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        BENCH_MUST(c->fds[i] >= 0);
    }
}

static void clockwork_done(struct clockwork *c)
{
    for (size_t i = 0; i < c->count; i++)
        timer_cancel(&c->tickers[i].timer);
    for (size_t i = 0; i < TIMERFDS; i++)
        close(c->fds[i]);
    loop_free(c->l);
    mem_free(c->tickers);
}

/* As a connection's deadline is, with each byte that comes. */
static void move_skiff(void *ctx)
{
    struct clockwork *c = ctx;
    timer_set(&c->tickers[next_random(c) % c->count].timer, NS_PER_S + (int64_t)next_random(c));
}

static void move_timerfd(void *ctx)
{
    struct clockwork *c = ctx;
    struct itimerspec at = {.it_value = {.tv_sec = 1 + (time_t)(next_random(c) % 1000)}};
    BENCH_MUST(timerfd_settime(c->fds[next_random(c) % TIMERFDS], 0, &at, NULL) == 0);
}

static bool all_fired(void *ctx)
{
    const struct clockwork *c = ctx;
    return c->fired == TIMERFDS;
}

/* Due at once: what is measured is the book-keeping, not the clock of the machine. */
static void fire_skiff(void *ctx)
{
    struct clockwork *c = ctx;
    c->fired = 0;
    for (size_t i = 0; i < TIMERFDS; i++)
        timer_set_at(&c->tickers[i].timer, (int64_t)(next_random(c) % 1000));
    BENCH_MUST(loop_run_until(c->l, all_fired, c, LOOP_FOREVER));
}

BENCH(loop_timers, "set and fired on one thread")
{
    struct env *env = new_env();
    struct clockwork few, many;
    clockwork_init(&few, env, TIMERFDS);
    BENCH_CASE(b, "moved, 500 pending", BENCH_ITEMS(1, "timers"), {"skiff", move_skiff, &few},
               {"timerfd", move_timerfd, &few});
    BENCH_CASE(b, "set and fired, 500", BENCH_ITEMS(TIMERFDS, "timers"), {"skiff", fire_skiff, &few});
    clockwork_done(&few);
    clockwork_init(&many, env, MANY);
    BENCH_CASE(b, "moved, 100,000 pending", BENCH_ITEMS(1, "timers"), {"skiff", move_skiff, &many});
    clockwork_done(&many);
    env_free(env);
}

/* --- echo over TCP --- */

enum { ECHO_BYTES = 64, CROWD_MAX = 32 };

struct echo {
    struct env *env;
    struct loop *client, *server;
    struct listener *ln;
    struct stream *streams[CROWD_MAX];
    size_t count, returned; /* connections; answers of this round */
};

/* Both sides of the server and the client of ours: whatever comes is small enough to come and go in one piece. */
static size_t read_some(struct stream *s, char bytes[ECHO_BYTES])
{
    struct err why;
    size_t n;
    err_code code = stream_read(s, bytes, ECHO_BYTES, &n, &why);
    if (code == ERR_AGAIN)
        return 0;
    if (code) {
        stream_close(s);
        return 0;
    }
    return n;
}

static void write_some(struct stream *s, const char *bytes, size_t size)
{
    struct err why;
    size_t n;
    BENCH_MUST(stream_write(s, &(str){bytes, size}, 1, &n, &why) == ERR_NONE && n == size);
}

static void echo_back(void *ctx, struct stream *s, unsigned ready)
{
    char bytes[ECHO_BYTES];
    size_t n = read_some(s, bytes);
    if (n)
        write_some(s, bytes, n);
}

static void echo_accept(void *ctx, struct stream *s)
{
    stream_set_handler(s, (struct stream_handler){.on_ready = echo_back});
    stream_want(s, STREAM_READ);
}

static void echo_returned(void *ctx, struct stream *s, unsigned ready)
{
    struct echo *e = ctx;
    char bytes[ECHO_BYTES];
    size_t n = read_some(s, bytes);
    BENCH_MUST(n == 0 || n == ECHO_BYTES);
    e->returned += n > 0;
}

static bool all_returned(void *ctx)
{
    const struct echo *e = ctx;
    return e->returned == e->count;
}

static void echo_skiff(void *ctx)
{
    static const char bytes[ECHO_BYTES];
    struct echo *e = ctx;
    e->returned = 0;
    for (size_t i = 0; i < e->count; i++)
        write_some(e->streams[i], bytes, ECHO_BYTES);
    BENCH_MUST(loop_run_until(e->client, all_returned, e, 10 * NS_PER_S));
}

static bool all_connected(void *ctx)
{
    const struct echo *e = ctx;
    for (size_t i = 0; i < e->count; i++)
        if (!stream_local(e->streams[i])->port)
            return false;
    return true;
}

static void echo_init(struct echo *e, size_t count)
{
    struct net_addr at;
    struct err why;
    *e = (struct echo){.env = new_env(), .count = count};
    e->client = new_loop(e->env);
    e->server = new_loop(e->env);
    BENCH_MUST(net_addr_parse(S("127.0.0.1:0"), &at, &why) == ERR_NONE);
    BENCH_MUST(listener_new(e->env, &at, NULL, &e->ln, &why) == ERR_NONE);
    BENCH_MUST(listener_attach(e->ln, e->server, echo_accept, NULL, &why) == ERR_NONE);
    BENCH_MUST(loop_start(e->server, &why) == ERR_NONE);
    for (size_t i = 0; i < count; i++) {
        struct stream_handler h = {.on_ready = echo_returned, .ctx = e};
        BENCH_MUST(stream_connect(e->client, listener_addr(e->ln), h, &e->streams[i], &why) == ERR_NONE);
        stream_want(e->streams[i], STREAM_READ);
    }
    BENCH_MUST(loop_run_until(e->client, all_connected, e, 10 * NS_PER_S));
    echo_skiff(e);
}

/* The other end has to see the end before its loop goes. */
static void echo_done(struct echo *e)
{
    for (size_t i = 0; i < e->count; i++)
        stream_close(e->streams[i]);
    loop_run_until(e->client, NULL, NULL, 100 * NS_PER_MS);
    loop_stop(e->server);
    loop_join(e->server);
    listener_detach(e->ln, e->server);
    listener_free(e->ln);
    loop_free(e->server);
    loop_free(e->client);
    env_free(e->env);
}

/* The plain one: a thread at each end of each connection, that reads and writes and blocks. */
struct pairing {
    int client, server;
    pthread_t asks, answers;
    struct crowd *crowd;
};

struct crowd {
    struct pairing pairs[CROWD_MAX];
    size_t count;
    pthread_barrier_t begin, end; /* of a round; only when there are several */
    bool over;
};

static void *answer(void *ctx)
{
    const struct pairing *p = ctx;
    char bytes[ECHO_BYTES];
    ssize_t n;
    while ((n = read(p->server, bytes, sizeof bytes)) > 0)
        must_write(p->server, bytes, (size_t)n);
    return NULL;
}

static void ask_once(const struct pairing *p)
{
    char bytes[ECHO_BYTES] = {0};
    must_write(p->client, bytes, sizeof bytes);
    must_read(p->client, bytes, sizeof bytes);
}

static void *ask(void *ctx)
{
    const struct pairing *p = ctx;
    for (;;) {
        pthread_barrier_wait(&p->crowd->begin);
        if (p->crowd->over)
            return NULL;
        ask_once(p);
        pthread_barrier_wait(&p->crowd->end);
    }
}

static void echo_plain(void *ctx)
{
    struct crowd *c = ctx;
    if (c->count == 1) {
        ask_once(&c->pairs[0]);
        return;
    }
    pthread_barrier_wait(&c->begin);
    pthread_barrier_wait(&c->end);
}

static void tcp_pair(int *ret_a, int *ret_b)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int ln = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    BENCH_MUST(bind(ln, (struct sockaddr *)&sa, n) == 0 && listen(ln, 1) == 0 &&
               getsockname(ln, (struct sockaddr *)&sa, &n) == 0);
    *ret_a = socket(AF_INET, SOCK_STREAM, 0);
    BENCH_MUST(connect(*ret_a, (struct sockaddr *)&sa, n) == 0);
    *ret_b = accept(ln, NULL, NULL);
    BENCH_MUST(*ret_b >= 0);
    setsockopt(*ret_a, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(*ret_b, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(ln);
}

static void crowd_init(struct crowd *c, size_t count)
{
    *c = (struct crowd){.count = count};
    pthread_barrier_init(&c->begin, NULL, (unsigned)count + 1);
    pthread_barrier_init(&c->end, NULL, (unsigned)count + 1);
    for (size_t i = 0; i < count; i++) {
        struct pairing *p = &c->pairs[i];
        p->crowd = c;
        tcp_pair(&p->client, &p->server);
        BENCH_MUST(pthread_create(&p->answers, NULL, answer, p) == 0);
        BENCH_MUST(count == 1 || pthread_create(&p->asks, NULL, ask, p) == 0);
    }
}

static void crowd_done(struct crowd *c)
{
    c->over = true;
    if (c->count > 1)
        pthread_barrier_wait(&c->begin);
    for (size_t i = 0; i < c->count; i++) {
        struct pairing *p = &c->pairs[i];
        if (c->count > 1)
            pthread_join(p->asks, NULL);
        close(p->client);
        pthread_join(p->answers, NULL);
        close(p->server);
    }
    pthread_barrier_destroy(&c->begin);
    pthread_barrier_destroy(&c->end);
}

BENCH(loop_echo, "64 bytes to and fro over TCP, two threads of ours")
{
    struct echo ours;
    struct crowd plain;
    echo_init(&ours, 1);
    crowd_init(&plain, 1);
    BENCH_CASE(b, "1 connection", BENCH_ITEMS(1, "round trips"), {"skiff", echo_skiff, &ours},
               {"blocking threads", echo_plain, &plain});
    echo_done(&ours);
    crowd_done(&plain);
    echo_init(&ours, CROWD_MAX);
    crowd_init(&plain, CROWD_MAX);
    BENCH_CASE(b, "32 at once", BENCH_ITEMS(CROWD_MAX, "round trips"), {"skiff", echo_skiff, &ours},
               {"blocking threads", echo_plain, &plain});
    echo_done(&ours);
    crowd_done(&plain);
    bench_note(b, "one connection: a blocking read and write at each end is the physical limit");
}
