/* sim_net.c - streams, listeners and links of simulated hosts.
 * A connection has two sides and two pipes, one towards each side. What is written becomes runs of bytes in a pipe, each
 * with a time of arrival of its own but none before the one sent earlier; what has arrived waits in the pipe to be read;
 * what was read gives the writer room again, after a while. The end of a stream is a run as well. A reset is not: it
 * overtakes nothing, but what it meets unread may be lost.
 * As with TCP: who closes drains for a while what still comes, then resets; who writes to nobody is reset; who hears
 * nothing (a link cut, a host dead without a word) gives up after a while, even with nothing to send, for connections are
 * kept alive. */
#include "base/mem.h"
#include "sys/loop_priv.h"
#include "sys/sim_priv.h"
#include "sys/stream_priv.h"
#include <errno.h>

#define LINK_BUCKETS    1024
#define LOOPBACK_NS_MIN (5 * NS_PER_US)
#define LOOPBACK_NS_MAX (50 * NS_PER_US)
#define CONNECT_NS_MIN  (20 * NS_PER_S) /* of trying */
#define CONNECT_NS_MAX  (130 * NS_PER_S)
#define RETRY_NS_FIRST  NS_PER_S /* of connecting; doubles */
#define GIVE_UP_NS_MIN  (10 * NS_PER_S)
#define GIVE_UP_NS_MAX  (120 * NS_PER_S)
#define DRAIN_NS        (2 * NS_PER_S)
#define WINDOW_BITS_MIN 14
#define WINDOW_BITS_MAX 18

struct sim_link {
    struct sim_list in_bucket;
    struct sim_host *a, *b;
    bool cut;
    int64_t latency_min_ns, latency_max_ns;
    double reset_rate;
    struct sim_list conns;
};

/* Bytes under way; none: the end of the stream. */
struct run {
    struct run *next;
    int64_t at_ns;
    size_t n;
    char p[];
};

struct pipe {
    struct conn *conn;
    unsigned to; /* side */
    struct run *first, *last;
    int64_t last_at_ns; /* nothing later arrives before */
    struct sim_event arrive, give_room;
    char *p; /* arrived: [head, n) */
    size_t head, n, cap;
    size_t window, taken; /* of the window: under way, arrived, or read but not yet told */
    size_t read;          /* not yet told */
    bool end_sent, end_arrived;
};

struct side {
    struct conn *conn;
    struct sim_host *host; /* NULL: nobody has that address */
    uint64_t life;
    struct sim_end *end;  /* NULL: not accepted yet, closed, or dead */
    int failed;           /* errno; 0: not */
    int64_t drains_until; /* closed */
    struct sim_event reset, give_up;
};

struct conn {
    struct sim *sim;
    uint64_t id;
    struct sim_link *link;
    struct sim_list in_link;
    bool is_unix;
    enum { CONN_ASKING, CONN_REFUSED, CONN_ANSWERED, CONN_UP, CONN_FAILED } state; /* as the client sees it */
    struct sim_event handshake;
    int64_t retry_ns, try_until;
    struct net_addr client, server;
    struct sim_listener *listener; /* waits there to be accepted */
    struct sim_list in_queue;
    struct side sides[2]; /* 0: who connected */
    struct pipe pipes[2]; /* [i]: towards side i */
};

/* What a program holds. Its conn is NULL once its life is over. */
struct sim_end {
    struct stream s;
    struct sim_host *host;
    struct sim_list in_host;
    struct conn *conn;
    unsigned side;
    struct share *share; /* accepted there */
};

struct sim_listener {
    struct listener ln;
    struct sim_host *host;
    struct sim_list in_host;
    size_t backlog, queue_n; /* conns in `queue` */
    size_t connection_max, connection_n;
    struct sim_list queue; /* of conns, for no loop yet */
    struct sim_list shares;
    bool freed;
    uint32_t refs; /* its owner, and what was accepted and not yet closed */
};

/* A loop's share of a listener. */
struct share {
    struct sim_listener *sl;
    struct sim_list in_listener; /* removed: detached */
    struct loop *loop;
    void (*on_accept)(void *ctx, struct stream *s);
    void *ctx;
    struct loop_ready ready;
    struct sim_list queue; /* of conns, to be accepted in its turn */
    size_t connection_n;
    uint32_t refs;
};

static struct sim_end *end_of(struct stream *s)
{
    return CONTAINER_OF(s, struct sim_end, s);
}

static struct sim_random *net_dice(struct sim *s)
{
    return &s->dice[SIM_DICE_NET];
}

/* --- links --- */

void sim_net_init(struct sim *s)
{
    s->links = NEW_ARRAY(struct sim_list, LINK_BUCKETS);
    for (size_t i = 0; i < LINK_BUCKETS; i++)
        sim_list_init(&s->links[i]);
}

static struct sim_link *link_between(struct sim_host *x, struct sim_host *y)
{
    struct sim_host *a = x->index < y->index ? x : y, *b = a == x ? y : x;
    struct sim_list *bucket = &a->sim->links[((size_t)a->index * 31 + b->index) % LINK_BUCKETS];
    SIM_LIST_EACH(bucket, e)
    {
        struct sim_link *l = CONTAINER_OF(e, struct sim_link, in_bucket);
        if (l->a == a && l->b == b)
            return l;
    }
    struct sim_link *l = NEW(struct sim_link);
    l->a = a;
    l->b = b;
    l->latency_min_ns = a == b ? LOOPBACK_NS_MIN : a->sim->opts.latency_min_ns;
    l->latency_max_ns = a == b ? LOOPBACK_NS_MAX : a->sim->opts.latency_max_ns;
    sim_list_init(&l->conns);
    sim_list_add(bucket, &l->in_bucket);
    return l;
}

static bool is_cut(const struct conn *c)
{
    return c->link && c->link->cut;
}

static int64_t latency(const struct conn *c)
{
    const struct sim_opts *o = &c->sim->opts;
    return c->link ? sim_random_between(net_dice(c->sim), c->link->latency_min_ns, c->link->latency_max_ns)
                   : sim_random_between(net_dice(c->sim), o->latency_min_ns, o->latency_max_ns);
}

/* --- pipes --- */

static void pipe_arrive(struct sim_event *e);
static void pipe_give_room(struct sim_event *e);

static void pipe_init(struct pipe *p, struct conn *c, unsigned to)
{
    *p = (struct pipe){.conn = c, .to = to, .arrive.fire = pipe_arrive, .give_room.fire = pipe_give_room};
    p->window = (size_t)1 << sim_random_between(net_dice(c->sim), WINDOW_BITS_MIN, WINDOW_BITS_MAX);
}

static void pipe_drop_runs(struct pipe *p)
{
    for (struct run *r = p->first, *next; r; r = next) {
        next = r->next;
        mem_free(r);
    }
    p->first = p->last = NULL;
    sim_event_cancel(p->conn->sim, &p->arrive);
}

static void pipe_done(struct pipe *p)
{
    pipe_drop_runs(p);
    sim_event_cancel(p->conn->sim, &p->give_room);
    mem_free(p->p);
}

static void pipe_send(struct pipe *p, const char *bytes, size_t n)
{
    struct sim *s = p->conn->sim;
    struct run *r = mem_alloc(sizeof *r + n);
    int64_t at = sim_time(s) + latency(p->conn);
    p->last_at_ns = at > p->last_at_ns ? at : p->last_at_ns;
    r->next = NULL;
    r->at_ns = p->last_at_ns;
    r->n = n;
    if (n)
        memcpy(r->p, bytes, n);
    if (p->last) {
        p->last->next = r;
    } else {
        p->first = r;
        sim_event_set(s, &p->arrive, r->at_ns);
    }
    p->last = r;
    p->taken += n;
    sim_trace_bytes(s, bytes, n);
}

/* In one run or several. */
static void pipe_send_cut_up(struct pipe *p, const char *bytes, size_t n)
{
    while (n) {
        size_t some = n;
        if (sim_random_one_in(net_dice(p->conn->sim), 4))
            some = 1 + sim_random_below(net_dice(p->conn->sim), n);
        pipe_send(p, bytes, some);
        bytes += some;
        n -= some;
    }
}

static void pipe_send_end(struct pipe *p)
{
    p->end_sent = true;
    pipe_send(p, NULL, 0);
}

static void pipe_keep(struct pipe *p, const struct run *r)
{
    if (r->n > p->cap - p->n && p->head) {
        memmove(p->p, p->p + p->head, p->n - p->head);
        p->n -= p->head;
        p->head = 0;
    }
    if (r->n > p->cap - p->n) {
        p->cap = size_max(p->n + r->n, 2 * p->cap);
        p->p = mem_realloc(p->p, p->cap);
    }
    memcpy(p->p + p->n, r->p, r->n);
    p->n += r->n;
}

static void pipe_was_read(struct pipe *p, size_t n)
{
    p->read += n;
    if (!sim_event_is_set(&p->give_room) && p->read)
        sim_event_set(p->conn->sim, &p->give_room, sim_time(p->conn->sim) + latency(p->conn));
}

static void pipe_discard(struct pipe *p)
{
    pipe_was_read(p, p->n - p->head);
    p->head = p->n = 0;
}

/* --- sides --- */

static void end_possible(struct sim_end *k, unsigned what)
{
    if (!k)
        return;
    stream_possible_add(&k->s, what);
    sim_loop_poke(k->s.loop);
}

/* It hears no more, and knows why. */
static void side_fail(struct side *side, int e)
{
    struct conn *c = side->conn;
    struct pipe *in = &c->pipes[side - c->sides];
    sim_event_cancel(c->sim, &side->reset);
    sim_event_cancel(c->sim, &side->give_up);
    if (side->failed)
        return;
    side->failed = e;
    pipe_drop_runs(in);
    /* What has arrived but not been read: on some systems a reset takes it away. */
    if (!c->is_unix && sim_random_one_in(net_dice(c->sim), 2))
        in->head = in->n = 0;
    if (side == &c->sides[0] && c->state != CONN_UP) {
        sim_event_cancel(c->sim, &c->handshake);
        c->state = CONN_FAILED;
        sim_trace(c->sim, side->host, SIM_CONNECT_FAILED, STR_NONE, 0, c->id);
    }
    end_possible(side->end, STREAM_READ | STREAM_WRITE);
}

/* Anything that reaches a client is behind the answer to its asking. */
static void answer_was_first(struct conn *c, unsigned to);

static void side_reset(struct sim_event *e)
{
    struct side *side = CONTAINER_OF(e, struct side, reset);
    struct conn *c = side->conn;
    if (is_cut(c)) {
        sim_event_set(c->sim, e, c->sim->now + NS_PER_S); /* lost; sent again with whatever comes next */
        return;
    }
    answer_was_first(c, (unsigned)(side - c->sides));
    sim_trace(c->sim, side->host, SIM_RESET, STR_NONE, 0, c->id);
    side_fail(side, c->is_unix ? EPIPE : ECONNRESET);
}

static void side_give_up(struct sim_event *e)
{
    struct side *side = CONTAINER_OF(e, struct side, give_up);
    sim_trace(side->conn->sim, side->host, SIM_GIVE_UP, STR_NONE, 0, side->conn->id);
    side_fail(side, ETIMEDOUT);
}

/* Says to a side that there is nobody: behind all that was sent to it. */
static void reset_send(struct conn *c, unsigned to)
{
    struct side *side = &c->sides[to];
    if (side->failed || sim_event_is_set(&side->reset))
        return;
    int64_t at = sim_time(c->sim) + latency(c);
    at = at > c->pipes[to].last_at_ns ? at : c->pipes[to].last_at_ns;
    c->pipes[to].last_at_ns = at;
    sim_event_set(c->sim, &side->reset, at);
}

/* It will hear nothing any more, and not even be told so. */
static void side_is_left_alone(struct side *side)
{
    struct sim *s = side->conn->sim;
    if (!side->failed && !sim_event_is_set(&side->give_up))
        sim_event_set(s, &side->give_up,
                      sim_time(s) + sim_random_between(net_dice(s), GIVE_UP_NS_MIN, GIVE_UP_NS_MAX));
}

static bool side_is_dead(const struct side *side)
{
    return !side->host || !sim_life_is(side->host, side->life);
}

/* Somebody holds it, or will. */
static bool side_is_held(const struct conn *c, unsigned i)
{
    return c->sides[i].end || (i == 1 && c->listener);
}

/* --- connections --- */

static void conn_handshake(struct sim_event *e);

static struct conn *conn_new(struct sim *s, struct sim_host *client, struct sim_host *server)
{
    struct conn *c = NEW(struct conn);
    c->sim = s;
    c->id = ++s->connection_n;
    c->handshake.fire = conn_handshake;
    if (server) {
        c->link = link_between(client, server);
        sim_list_add(&c->link->conns, &c->in_link);
    }
    struct sim_host *hosts[2] = {client, server};
    for (unsigned i = 0; i < 2; i++) {
        c->sides[i] = (struct side){.conn = c, .reset.fire = side_reset, .give_up.fire = side_give_up};
        c->sides[i].host = hosts[i];
        c->sides[i].life = hosts[i] ? hosts[i]->life : 0;
        pipe_init(&c->pipes[i], c, i);
    }
    return c;
}

static void conn_free(struct conn *c)
{
    for (unsigned i = 0; i < 2; i++) {
        sim_event_cancel(c->sim, &c->sides[i].reset);
        sim_event_cancel(c->sim, &c->sides[i].give_up);
        pipe_done(&c->pipes[i]);
    }
    sim_event_cancel(c->sim, &c->handshake);
    sim_list_remove(&c->in_link);
    mem_free(c);
}

static void conn_free_if_left(struct conn *c)
{
    if (!side_is_held(c, 0) && !side_is_held(c, 1))
        conn_free(c);
}

/* A run that came to a side where nobody reads. */
static void arrived_at_nobody(struct pipe *p, const struct run *r)
{
    struct conn *c = p->conn;
    const struct side *to = &c->sides[p->to];
    unsigned from = !p->to;
    if (to->host->crashed) {
        side_is_left_alone(&c->sides[from]);
        return;
    }
    if (!side_is_dead(to) && !to->failed && c->sim->now < to->drains_until)
        pipe_was_read(p, r->n);
    else if (r->n || side_is_dead(to))
        reset_send(c, from); /* the end of one that has closed itself is no news */
}

static void run_arrived(struct pipe *p, const struct run *r)
{
    struct conn *c = p->conn;
    struct side *to = &c->sides[p->to];
    sim_trace(c->sim, to->host, r->n ? SIM_ARRIVE : SIM_ARRIVE_END, STR_NONE, r->n, c->id);
    if (!side_is_held(c, p->to) || to->failed) {
        arrived_at_nobody(p, r);
        return;
    }
    if (c->link->reset_rate > 0 && sim_random_chance(net_dice(c->sim), c->link->reset_rate)) {
        sim_trace(c->sim, to->host, SIM_RESET, STR_NONE, 0, c->id);
        side_fail(to, ECONNRESET);
        reset_send(c, !p->to);
        return;
    }
    if (r->n)
        pipe_keep(p, r);
    else
        p->end_arrived = true;
    end_possible(to->end, STREAM_READ);
}

static void pipe_arrive(struct sim_event *e)
{
    struct pipe *p = CONTAINER_OF(e, struct pipe, arrive);
    struct conn *c = p->conn;
    if (is_cut(c)) {
        sim_trace(c->sim, c->sides[p->to].host, SIM_STALL, STR_NONE, 0, c->id);
        return; /* healing sets it again */
    }
    answer_was_first(c, p->to);
    struct run *r = p->first;
    p->first = r->next;
    if (!p->first)
        p->last = NULL;
    else
        sim_event_set(c->sim, &p->arrive, p->first->at_ns);
    run_arrived(p, r);
    mem_free(r);
}

static void pipe_give_room(struct sim_event *e)
{
    struct pipe *p = CONTAINER_OF(e, struct pipe, give_room);
    if (is_cut(p->conn))
        return;
    p->taken -= TAKE(p->read);
    end_possible(p->conn->sides[!p->to].end, STREAM_WRITE);
}

/* --- faults of links --- */

void sim_link_cut(struct sim_host *a, struct sim_host *b)
{
    ASSERT(a != b);
    struct sim_link *l = link_between(a, b);
    sim_trace(a->sim, a, SIM_LINK_CUT, str_from_c(b->name), 0, 0);
    l->cut = true;
    SIM_LIST_EACH(&l->conns, e)
    {
        struct conn *c = CONTAINER_OF(e, struct conn, in_link);
        if (c->state != CONN_UP && c->state != CONN_ANSWERED)
            continue;
        side_is_left_alone(&c->sides[0]);
        side_is_left_alone(&c->sides[1]);
    }
}

static void conn_heal(struct conn *c)
{
    struct sim *s = c->sim;
    for (unsigned i = 0; i < 2; i++) {
        struct pipe *p = &c->pipes[i];
        int64_t again = s->now + latency(c) + sim_random_between(net_dice(s), 0, NS_PER_S);
        if (p->first && !sim_event_is_set(&p->arrive))
            sim_event_set(s, &p->arrive, again);
        if (p->read && !sim_event_is_set(&p->give_room))
            sim_event_set(s, &p->give_room, again);
        if (p->last_at_ns < again)
            p->last_at_ns = again;
        if (!side_is_dead(&c->sides[!i]))
            sim_event_cancel(s, &c->sides[i].give_up);
    }
}

void sim_link_heal(struct sim_host *a, struct sim_host *b)
{
    struct sim_link *l = link_between(a, b);
    sim_trace(a->sim, a, SIM_LINK_HEAL, str_from_c(b->name), 0, 0);
    l->cut = false;
    SIM_LIST_EACH(&l->conns, e)
    {
        conn_heal(CONTAINER_OF(e, struct conn, in_link));
    }
}

void sim_link_latency(struct sim_host *a, struct sim_host *b, int64_t min_ns, int64_t max_ns)
{
    ASSERT(0 <= min_ns && min_ns <= max_ns);
    struct sim_link *l = link_between(a, b);
    l->latency_min_ns = min_ns;
    l->latency_max_ns = max_ns;
}

void sim_link_reset_rate(struct sim_host *a, struct sim_host *b, double probability)
{
    link_between(a, b)->reset_rate = probability;
}

/* --- ends: what the program calls --- */

static void end_free(struct stream *s)
{
    mem_free(end_of(s));
}

static err_code failed_to(const struct sim_end *k, const char *what, int e, struct err *err)
{
    char peer[NET_ADDR_TEXT];
    net_addr_format(&k->s.peer, peer);
    return err_errno(err, e, "could not %s %s", what, peer[0] ? peer : "a pipe");
}

static err_code failed_to_connect(const struct sim_end *k, int e, struct err *err)
{
    if (failed_to(k, "connect to", e, err) != ERR_TIMEOUT)
        err->code = ERR_UNAVAILABLE;
    return err->code;
}

static bool is_connecting(const struct sim_end *k)
{
    return k->side == 0 && k->conn->state != CONN_UP && k->conn->state != CONN_FAILED;
}

static err_code end_read(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err)
{
    struct sim_end *k = end_of(s);
    struct conn *c = k->conn;
    if (!c || is_connecting(k)) {
        stream_possible_remove(s, STREAM_READ);
        return stream_again(err);
    }
    const struct side *side = &c->sides[k->side];
    struct pipe *in = &c->pipes[k->side];
    if (k->side == 0 && c->state == CONN_FAILED)
        return failed_to_connect(k, side->failed, err);
    size_t there = in->n - in->head;
    if (there) {
        n = size_min(n, there);
        if (sim_random_one_in(net_dice(c->sim), 4))
            n = 1 + sim_random_below(net_dice(c->sim), n);
        memcpy(p, in->p + in->head, n);
        in->head += n;
        pipe_was_read(in, n);
        *ret_n = n;
        return ERR_NONE;
    }
    if (side->failed && side->failed != EPIPE)
        return failed_to(k, "read from", side->failed, err);
    if (in->end_arrived || side->failed)
        return err_set(err, ERR_CLOSED, "the other end has closed the stream");
    stream_possible_remove(s, STREAM_READ);
    return stream_again(err);
}

/* The first n bytes of the parts, to the other side. */
static void send_parts(struct pipe *out, const str *parts, size_t n)
{
    for (; n; parts++) {
        size_t some = size_min(parts->n, n);
        pipe_send_cut_up(out, parts->p, some);
        n -= some;
    }
}

static err_code end_write(struct stream *s, const str *parts, size_t part_count, size_t *ret_n,
                          struct err *err)
{
    struct sim_end *k = end_of(s);
    struct conn *c = k->conn;
    size_t n = 0;
    for (size_t i = 0; i < part_count; i++)
        n += parts[i].n;
    if (c && k->side == 0 && c->state == CONN_FAILED)
        return failed_to_connect(k, c->sides[0].failed, err);
    if (c && c->sides[k->side].failed)
        return failed_to(k, "write to", c->sides[k->side].failed, err);
    struct pipe *out = c ? &c->pipes[!k->side] : NULL;
    if (out && out->end_sent)
        return failed_to(k, "write to", EPIPE, err);
    if (out && n && (is_connecting(k) || out->taken >= out->window)) {
        stream_possible_remove(s, STREAM_WRITE);
        return stream_again(err);
    }
    *ret_n = n;
    if (!out || !n || !sim_effect(k->host, SIM_SEND, STR_NONE, c->id))
        return ERR_NONE;
    n = size_min(n, out->window - out->taken);
    if (sim_random_one_in(net_dice(c->sim), 4))
        n = 1 + sim_random_below(net_dice(c->sim), n);
    send_parts(out, parts, n);
    *ret_n = n;
    return ERR_NONE;
}

static err_code end_shutdown(struct stream *s, struct err *err)
{
    struct sim_end *k = end_of(s);
    struct conn *c = k->conn;
    if (!c)
        return ERR_NONE;
    if (k->side == 0 && c->state == CONN_FAILED)
        return failed_to_connect(k, c->sides[0].failed, err);
    struct pipe *out = &c->pipes[!k->side];
    if (out->end_sent || !sim_effect(k->host, SIM_SHUTDOWN, STR_NONE, c->id))
        return ERR_NONE;
    if (is_connecting(k))
        out->end_sent = true; /* and the run leaves once it is connected */
    else if (!c->sides[k->side].failed)
        pipe_send_end(out);
    return ERR_NONE;
}

static void listener_left(struct share *share);

/* The program has let go of it; the connection goes on by itself, as long as it must. */
static void end_leave(struct sim_end *k, bool abort)
{
    struct conn *c = k->conn;
    struct side *side = &c->sides[k->side];
    struct pipe *out = &c->pipes[!k->side];
    bool unanswered = k->side == 0 && (c->state == CONN_ASKING || c->state == CONN_REFUSED);
    k->conn = NULL;
    side->end = NULL;
    if (unanswered || side->failed) {
        conn_free_if_left(c);
        return;
    }
    bool unsent_end = c->state == CONN_ANSWERED && k->side == 0; /* if it was shut down while connecting */
    if (unsent_end) {
        sim_event_cancel(c->sim, &c->handshake);
        c->state = CONN_UP;
    }
    if (abort && !c->is_unix) {
        if (sim_random_one_in(net_dice(c->sim), 2))
            pipe_drop_runs(out);
        side->failed = ECONNABORTED;
        reset_send(c, !k->side);
    } else {
        side->drains_until = sim_time(c->sim) + DRAIN_NS;
        if (!out->end_sent || unsent_end)
            pipe_send_end(out);
    }
    pipe_discard(&c->pipes[k->side]);
    conn_free_if_left(c);
}

static void end_close(struct stream *s, bool abort)
{
    struct sim_end *k = end_of(s);
    if (k->conn && sim_effect(k->host, abort ? SIM_ABORT : SIM_CLOSE, STR_NONE, k->conn->id))
        end_leave(k, abort);
    ASSERT(!k->conn);
    sim_list_remove(&k->in_host);
    if (k->share)
        listener_left(TAKE(k->share));
    stream_gone(s);
}

static const struct stream_ops end_ops = {
    .read = end_read,
    .write = end_write,
    .shutdown = end_shutdown,
    .close = end_close,
    .free = end_free,
};

static struct sim_end *end_new(struct loop *l, struct conn *c, unsigned side)
{
    struct sim_end *k = NEW(struct sim_end);
    stream_init(&k->s, &end_ops, l);
    k->host = sim_host_of(l->env);
    k->conn = c;
    k->side = side;
    if (!c)
        return k;
    c->sides[side].end = k;
    k->s.local = side ? c->server : c->client;
    k->s.peer = side ? c->client : c->server;
    sim_list_add(&k->host->ends, &k->in_host);
    return k;
}

/* --- accepting --- */

static void share_unref(struct share *share)
{
    if (--share->refs == 0)
        mem_free(share);
}

static void listener_unref(struct sim_listener *sl)
{
    if (--sl->refs == 0)
        mem_free(sl);
}

/* Hands waiting connections to the loops that have the fewest. */
static void listener_deal(struct sim_listener *sl)
{
    while (!sim_list_is_empty(&sl->queue) && sl->connection_n < sl->connection_max) {
        struct share *best = NULL;
        uint64_t ties = 0;
        SIM_LIST_EACH(&sl->shares, e)
        {
            struct share *share = CONTAINER_OF(e, struct share, in_listener);
            if (best && share->connection_n > best->connection_n)
                continue;
            ties = best && share->connection_n == best->connection_n ? ties + 1 : 1;
            if (sim_random_one_in(net_dice(sl->host->sim), ties))
                best = share;
        }
        if (!best)
            return;
        struct conn *c = CONTAINER_OF(sl->queue.next, struct conn, in_queue);
        sim_list_remove(&c->in_queue);
        sl->queue_n--;
        sim_list_add(&best->queue, &c->in_queue);
        best->connection_n++;
        sl->connection_n++;
        loop_ready_add(best->loop, &best->ready);
        sim_loop_poke(best->loop);
    }
}

/* A connection of the share is gone. */
static void listener_left(struct share *share)
{
    struct sim_listener *sl = share->sl;
    share->connection_n--;
    sl->connection_n--;
    share_unref(share);
    if (!sl->freed)
        listener_deal(sl);
    listener_unref(sl);
}

static void share_accept(struct loop_ready *r)
{
    struct share *share = CONTAINER_OF(r, struct share, ready);
    struct conn *c = CONTAINER_OF(share->queue.next, struct conn, in_queue);
    sim_list_remove(&c->in_queue);
    c->listener = NULL;
    if (!sim_list_is_empty(&share->queue))
        loop_ready_add(share->loop, r);
    struct sim_end *k = end_new(share->loop, c, 1);
    const struct pipe *in = &c->pipes[1];
    k->share = share;
    share->refs++;
    share->sl->refs++;
    sim_trace(c->sim, k->host, SIM_ACCEPT, STR_NONE, 0, c->id);
    bool readable = in->n > in->head || in->end_arrived || c->sides[1].failed;
    stream_possible_add(&k->s, STREAM_WRITE | (readable ? STREAM_READ : 0));
    /* Last: it may detach, and close. */
    share->on_accept(share->ctx, &k->s);
}

static err_code listener_attach_loop(struct listener *ln, struct loop *l,
                                     void (*on_accept)(void *ctx, struct stream *s), void *ctx,
                                     struct err *err)
{
    struct sim_listener *sl = CONTAINER_OF(ln, struct sim_listener, ln);
    ASSERT(l->env == ln->env);
    struct share *share = NEW(struct share);
    *share = (struct share){.sl = sl, .loop = l, .on_accept = on_accept, .ctx = ctx, .refs = 1};
    share->ready.run = share_accept;
    sim_list_init(&share->queue);
    sim_list_add(&sl->shares, &share->in_listener);
    listener_deal(sl);
    return ERR_NONE;
}

static void listener_detach_loop(struct listener *ln, struct loop *l)
{
    struct sim_listener *sl = CONTAINER_OF(ln, struct sim_listener, ln);
    SIM_LIST_EACH(&sl->shares, e)
    {
        struct share *share = CONTAINER_OF(e, struct share, in_listener);
        if (share->loop != l)
            continue;
        sim_list_remove(e);
        loop_ready_remove(&share->ready);
        while (!sim_list_is_empty(&share->queue)) {
            struct sim_list *waiting = share->queue.next;
            sim_list_remove(waiting);
            sim_list_add(&sl->queue, waiting);
            sl->queue_n++;
            sl->connection_n--;
            share->connection_n--;
        }
        share_unref(share);
    }
    listener_deal(sl);
}

static void listener_free_sim(struct listener *ln)
{
    struct sim_listener *sl = CONTAINER_OF(ln, struct sim_listener, ln);
    ASSERT(sim_list_is_empty(&sl->shares));
    sim_list_remove(&sl->in_host);
    sl->freed = true;
    SIM_LIST_EACH(&sl->queue, e)
    {
        struct conn *c = CONTAINER_OF(e, struct conn, in_queue);
        sim_list_remove(e);
        c->listener = NULL;
        reset_send(c, 0);
        conn_free_if_left(c);
    }
    listener_unref(sl);
}

static const struct listener_ops listener_ops = {
    .attach = listener_attach_loop,
    .detach = listener_detach_loop,
    .free = listener_free_sim,
};

/* --- addresses --- */

static bool is_any(const struct net_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->ip, zero, a->family == NET_IP4 ? 4 : 16) == 0;
}

static bool is_loopback(const struct net_addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == NET_IP4 ? a->ip[0] == 127 : memcmp(a->ip, one, 16) == 0;
}

static bool same_ip(const struct net_addr *x, const struct net_addr *y)
{
    return x->family == y->family && memcmp(x->ip, y->ip, x->family == NET_IP4 ? 4 : 16) == 0;
}

static bool same_path(const struct net_addr *x, const struct net_addr *y)
{
    return x->family == NET_UNIX && y->family == NET_UNIX &&
           str_eq(str_of(x->path, x->path_n), str_of(y->path, y->path_n));
}

/* The listener takes connections to this address. */
static bool listens_at(const struct sim_listener *sl, const struct net_addr *to)
{
    const struct net_addr *at = &sl->ln.addr;
    if (at->family == NET_UNIX || to->family == NET_UNIX)
        return same_path(at, to);
    if (at->port != to->port)
        return false;
    /* [::] takes both families, as on Linux. */
    return same_ip(at, to) || (is_any(at) && (at->family == to->family || at->family == NET_IP6));
}

static struct sim_listener *listener_at(struct sim_host *h, const struct net_addr *to)
{
    SIM_LIST_EACH(&h->listeners, e)
    {
        struct sim_listener *sl = CONTAINER_OF(e, struct sim_listener, in_host);
        if (listens_at(sl, to))
            return sl;
    }
    return NULL;
}

static struct sim_host *host_at(struct sim_host *from, const struct net_addr *to)
{
    if (to->family == NET_UNIX || is_any(to) || is_loopback(to))
        return from;
    return map_find(&from->sim->host_by_ip, sim_ip_key(to));
}

static uint16_t next_port(struct sim_host *h)
{
    for (;;) {
        struct net_addr at = h->ip;
        at.port = h->port_next;
        h->port_next = h->port_next == SIM_PORT_MAX ? SIM_PORT_MIN : (uint16_t)(h->port_next + 1);
        bool taken = false;
        SIM_LIST_EACH(&h->listeners, e)
        {
            taken |= CONTAINER_OF(e, struct sim_listener, in_host)->ln.addr.port == at.port;
        }
        if (!taken)
            return at.port;
    }
}

err_code sim_listen(struct env *env, const struct net_addr *at, const struct listener_opts *opts,
                    struct listener **ret, struct err *err)
{
    struct sim_host *h = sim_host_of(env);
    char text[NET_ADDR_TEXT];
    net_addr_format(at, text);
    if (at->family == NET_NONE)
        return err_set(err, ERR_INVALID, "could not listen: there is no address");
    if (at->family != NET_UNIX && !is_any(at) && !is_loopback(at) && !same_ip(at, &h->ip))
        return err_errno(err, EADDRNOTAVAIL, "could not listen on %s", text);
    struct net_addr addr = *at;
    if (addr.family != NET_UNIX && !addr.port)
        addr.port = next_port(h);
    SIM_LIST_EACH(&h->listeners, e)
    {
        const struct sim_listener *other = CONTAINER_OF(e, struct sim_listener, in_host);
        bool overlaps = listens_at(other, &addr) ||
                        (addr.family != NET_UNIX && is_any(&addr) && other->ln.addr.port == addr.port);
        if (overlaps) {
            err_errno(err, EADDRINUSE, "could not listen on %s", text);
            return err->code = ERR_CONFLICT;
        }
    }
    struct sim_listener *sl = NEW(struct sim_listener);
    sl->ln = (struct listener){.ops = &listener_ops, .env = env, .addr = addr};
    sl->host = h;
    sl->backlog = (size_t)opts->backlog;
    sl->connection_max = opts->connection_max;
    sl->refs = 1;
    sim_list_init(&sl->queue);
    sim_list_init(&sl->shares);
    if (!h->crashed)
        sim_list_add(&h->listeners, &sl->in_host);
    *ret = &sl->ln;
    return ERR_NONE;
}

/* --- connecting --- */

static void conn_failed(struct conn *c, int e)
{
    side_fail(&c->sides[0], e);
}

/* No answer: asks again later, less and less often, up to its time. */
static void conn_retry(struct conn *c)
{
    sim_trace(c->sim, c->sides[0].host, SIM_CONNECT_RETRY, STR_NONE, 0, c->id);
    int64_t at = c->sim->now + c->retry_ns;
    c->retry_ns *= 2;
    sim_event_set(c->sim, &c->handshake, at < c->try_until ? at : c->try_until);
}

static void conn_asks(struct conn *c)
{
    struct side *server = &c->sides[1];
    struct sim *s = c->sim;
    if (!server->host) {
        conn_failed(c, EHOSTUNREACH);
        return;
    }
    if (server->host->crashed) {
        conn_retry(c);
        return;
    }
    struct sim_listener *sl = listener_at(server->host, &c->server);
    if (sl && sl->queue_n >= sl->backlog) {
        conn_retry(c);
        return;
    }
    int64_t answer = s->now + latency(c);
    c->state = sl ? CONN_ANSWERED : CONN_REFUSED;
    c->retry_ns = RETRY_NS_FIRST;
    sim_event_set(s, &c->handshake, answer);
    if (!sl)
        return;
    sim_trace(s, server->host, SIM_CONNECT_ARRIVED, STR_NONE, 0, c->id);
    server->life = server->host->life;
    c->pipes[0].last_at_ns = answer;
    c->listener = sl;
    sim_list_add(&sl->queue, &c->in_queue);
    sl->queue_n++;
    listener_deal(sl);
}

static void conn_is_up(struct conn *c)
{
    sim_trace(c->sim, c->sides[0].host, SIM_CONNECTED, STR_NONE, 0, c->id);
    c->state = CONN_UP;
    if (c->pipes[1].end_sent)
        pipe_send_end(&c->pipes[1]); /* shut down before it was up */
    end_possible(c->sides[0].end, STREAM_WRITE);
}

static void answer_was_first(struct conn *c, unsigned to)
{
    if (to == 0 && c->state == CONN_ANSWERED) {
        sim_event_cancel(c->sim, &c->handshake);
        conn_is_up(c);
    }
}

static void conn_handshake(struct sim_event *e)
{
    struct conn *c = CONTAINER_OF(e, struct conn, handshake);
    if (is_cut(c)) {
        if (c->sim->now >= c->try_until)
            conn_failed(c, ETIMEDOUT);
        else
            conn_retry(c);
        return;
    }
    switch (c->state) {
    case CONN_ASKING:
        if (c->sim->now >= c->try_until)
            conn_failed(c, ETIMEDOUT);
        else
            conn_asks(c);
        break;
    case CONN_REFUSED: conn_failed(c, ECONNREFUSED); break;
    case CONN_ANSWERED: conn_is_up(c); break;
    case CONN_UP:
    case CONN_FAILED: break;
    }
}

static void name_client(struct conn *c, struct sim_host *h, const struct net_addr *to)
{
    c->server = *to;
    if (to->family == NET_UNIX) {
        c->client = (struct net_addr){.family = NET_UNIX};
        return;
    }
    /* Connecting to "any" means this host. */
    if (is_any(to))
        c->server.ip[to->family == NET_IP4 ? 3 : 15] = 1;
    if (is_any(to) && to->family == NET_IP4)
        c->server.ip[0] = 127;
    c->client = is_loopback(&c->server) ? c->server : h->ip;
    c->client.port = next_port(h);
}

err_code sim_connect(struct loop *l, const struct net_addr *to, struct stream_handler handler,
                     struct stream **ret, struct err *err)
{
    struct sim_host *h = sim_host_of(l->env);
    struct sim *s = h->sim;
    char text[NET_ADDR_TEXT];
    net_addr_format(to, text);
    if (to->family == NET_NONE)
        return err_set(err, ERR_INVALID, "could not connect: there is no address");
    struct conn *c = NULL;
    if (sim_effect(h, SIM_CONNECT, str_from_c(text), s->connection_n + 1)) {
        c = conn_new(s, h, host_at(h, to));
        c->is_unix = to->family == NET_UNIX;
        c->retry_ns = RETRY_NS_FIRST;
        c->try_until = sim_time(s) + sim_random_between(net_dice(s), CONNECT_NS_MIN, CONNECT_NS_MAX);
        name_client(c, h, to);
        sim_event_set(s, &c->handshake, sim_time(s) + latency(c));
    }
    struct sim_end *k = end_new(l, c, 0);
    k->s.handler = handler;
    k->s.peer = *to;
    *ret = &k->s;
    return ERR_NONE;
}

err_code sim_pair(struct loop *l, struct stream **ret_a, struct stream **ret_b, struct err *err)
{
    struct sim_host *h = sim_host_of(l->env);
    struct conn *c = h->crashed ? NULL : conn_new(h->sim, h, h);
    if (c) {
        c->is_unix = true;
        c->state = CONN_UP;
        c->client = c->server = (struct net_addr){.family = NET_UNIX};
    }
    struct sim_end *a = end_new(l, c, 0), *b = end_new(l, c, 1);
    stream_possible_add(&a->s, STREAM_WRITE);
    stream_possible_add(&b->s, STREAM_WRITE);
    *ret_a = &a->s;
    *ret_b = &b->s;
    return ERR_NONE;
}

/* --- crash --- */

/* What a dead host had under way: all of it, none, or the first part gets there. */
static void pipe_lose_some(struct pipe *p)
{
    struct sim_random *dice = net_dice(p->conn->sim);
    if (sim_random_one_in(dice, 3) || !p->first)
        return;
    struct run *r = p->first;
    while (r->next && !sim_random_one_in(dice, 4))
        r = r->next;
    struct run *lost = r->next;
    r->next = NULL;
    p->last = r;
    while (lost) {
        struct run *next = lost->next;
        mem_free(lost);
        lost = next;
    }
}

/* The side's life is over. With a word to the other one (a process that was killed) or without (the power). */
static void side_dies(struct conn *c, unsigned i, bool word)
{
    struct side *other = &c->sides[!i];
    if (c->sides[i].end)
        c->sides[i].end->conn = NULL;
    c->sides[i].end = NULL;
    if (i == 1) {
        sim_list_remove(&c->in_queue);
        c->listener = NULL;
    }
    pipe_lose_some(&c->pipes[!i]);
    if (word && !c->sides[i].failed && !is_cut(c))
        reset_send(c, !i);
    else if (c->state == CONN_UP || c->state == CONN_ANSWERED)
        side_is_left_alone(other);
    conn_free_if_left(c);
}

static void listener_dies(struct sim_listener *sl, bool word)
{
    SIM_LIST_EACH(&sl->queue, e)
    {
        side_dies(CONTAINER_OF(e, struct conn, in_queue), 1, word);
    }
    SIM_LIST_EACH(&sl->shares, e)
    {
        struct share *share = CONTAINER_OF(e, struct share, in_listener);
        loop_ready_remove(&share->ready);
        SIM_LIST_EACH(&share->queue, waiting)
        {
            side_dies(CONTAINER_OF(waiting, struct conn, in_queue), 1, word);
        }
    }
    sim_list_remove(&sl->in_host);
}

void sim_net_crash(struct sim_host *h)
{
    bool word = sim_random_one_in(net_dice(h->sim), 2);
    /* Not "the next one": a pair's other end goes with the first. */
    while (!sim_list_is_empty(&h->listeners))
        listener_dies(CONTAINER_OF(h->listeners.next, struct sim_listener, in_host), word);
    while (!sim_list_is_empty(&h->ends)) {
        struct sim_end *k = CONTAINER_OF(h->ends.next, struct sim_end, in_host);
        sim_list_remove(&k->in_host);
        if (k->conn)
            side_dies(k->conn, k->side, word);
    }
}

void sim_net_done(struct sim *s)
{
    for (size_t i = 0; i < LINK_BUCKETS; i++) {
        SIM_LIST_EACH(&s->links[i], e)
        {
            struct sim_link *l = CONTAINER_OF(e, struct sim_link, in_bucket);
            SIM_LIST_EACH(&l->conns, c)
            {
                conn_free(CONTAINER_OF(c, struct conn, in_link));
            }
            mem_free(l);
        }
    }
    mem_free(s->links);
}
