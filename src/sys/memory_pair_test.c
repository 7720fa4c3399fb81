#include "sys/memory_pair_test.h"
#include "base/buf.h"
#include "base/mem.h"
#include "sys/stream_priv.h"

#define SIZE_OF_ALL ((size_t)1 << 30)

struct memory_end {
    struct stream s;
    struct memory_end *other; /* NULL: closed */
    struct memory_opts opts;
    struct buf in; /* sent by the other, not read yet */
    bool in_ended, in_reset;
    bool shut;
    size_t written, cut_after, reads;
};

static struct memory_end *end_of(const struct stream *s)
{
    return CONTAINER_OF((struct stream *)(uintptr_t)s, struct memory_end, s);
}

static size_t piece(struct memory_end *m, size_t n)
{
    size_t max = m->opts.piece_max ? m->opts.piece_max : n;
    if (m->opts.seed) {
        m->opts.seed = m->opts.seed * 6364136223846793005u + 1442695040888963407u;
        max = 1 + (size_t)(m->opts.seed >> 33) % max;
    }
    return size_min(n, max);
}

static void update(struct memory_end *m)
{
    bool readable = m->in.n || m->in_ended || m->in_reset;
    bool writable = !m->other || m->other->in.n < m->opts.capacity;
    if (m->s.closed)
        return;
    if (readable)
        stream_possible_add(&m->s, STREAM_READ);
    else
        stream_possible_remove(&m->s, STREAM_READ);
    if (writable)
        stream_possible_add(&m->s, STREAM_WRITE);
    else
        stream_possible_remove(&m->s, STREAM_WRITE);
}

static err_code memory_read(struct stream *s, void *p, size_t n, size_t *ret_n, struct err *err)
{
    struct memory_end *m = end_of(s);
    m->reads++;
    if (!m->in.n) {
        if (m->in_reset)
            return err_set(err, ERR_IO, "could not read: reset by the other end");
        return m->in_ended ? err_set(err, ERR_CLOSED, "the other end has closed the stream")
                           : stream_again(err);
    }
    n = piece(m, size_min(n, m->in.n));
    memcpy(p, m->in.p, n);
    buf_drop_front(&m->in, n);
    *ret_n = n;
    update(m);
    if (m->other)
        update(m->other);
    return ERR_NONE;
}

static void send_to(struct memory_end *from, struct memory_end *to, str bytes)
{
    size_t before_cut = from->cut_after > from->written ? from->cut_after - from->written : 0;
    from->written += bytes.n;
    buf_add(&to->in, str_slice(bytes, 0, before_cut));
    to->in_ended = to->in_ended || from->written >= from->cut_after;
}

static err_code memory_write(struct stream *s, const str *parts, size_t part_count, size_t *ret_n,
                             struct err *err)
{
    struct memory_end *m = end_of(s);
    if (m->shut)
        return err_set(err, ERR_CLOSED, "could not write: shut down");
    if (!m->other)
        return err_set(err, ERR_IO, "could not write: the other end is gone");
    size_t room = m->opts.capacity > m->other->in.n ? m->opts.capacity - m->other->in.n : 0;
    size_t left = room ? piece(m, room) : 0, total = 0, asked = 0;
    for (size_t i = 0; i < part_count; i++) {
        str now = str_slice(parts[i], 0, left);
        send_to(m, m->other, now);
        left -= now.n;
        total += now.n;
        asked += parts[i].n;
    }
    if (asked && !total)
        return stream_again(err);
    *ret_n = total;
    update(m);
    update(m->other);
    return ERR_NONE;
}

static void end_other(struct memory_end *m, bool reset)
{
    if (!m->other)
        return;
    m->other->in_ended = true;
    m->other->in_reset = m->other->in_reset || reset;
    update(m->other);
}

static err_code memory_shutdown(struct stream *s, struct err *err)
{
    (void)err;
    end_of(s)->shut = true;
    end_other(end_of(s), false);
    return ERR_NONE;
}

static void memory_close(struct stream *s, bool abort)
{
    struct memory_end *m = end_of(s);
    end_other(m, abort);
    if (m->other) {
        m->other->other = NULL;
        update(m->other);
    }
    stream_gone(s);
}

static void memory_free(struct stream *s)
{
    buf_done(&end_of(s)->in);
    mem_free(end_of(s));
}

static const struct stream_ops memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .shutdown = memory_shutdown,
    .close = memory_close,
    .free = memory_free,
};

static struct memory_end *end_new(struct loop *l, const struct memory_opts *opts)
{
    struct memory_end *m = NEW(struct memory_end);
    stream_init(&m->s, &memory_ops, l);
    m->opts = *opts;
    m->opts.capacity = opts->capacity ? opts->capacity : 65536;
    m->cut_after = SIZE_MAX;
    buf_init(&m->in, SIZE_OF_ALL);
    return m;
}

void memory_pair(struct loop *l, const struct memory_opts *opts, struct stream **ret_a, struct stream **ret_b)
{
    struct memory_end *a = end_new(l, opts), *b = end_new(l, opts);
    b->opts.seed = opts->seed ? opts->seed + 1 : 0;
    a->other = b;
    b->other = a;
    if (opts->cut_after[0] || opts->cut_after[1]) {
        memory_cut_after(&a->s, opts->cut_after[0]);
        memory_cut_after(&b->s, opts->cut_after[1]);
    }
    update(a);
    update(b);
    *ret_a = &a->s;
    *ret_b = &b->s;
}

size_t memory_reads(const struct stream *end)
{
    return end_of(end)->reads;
}

size_t memory_written(const struct stream *end)
{
    return end_of(end)->written;
}

void memory_cut_after(struct stream *end, size_t bytes)
{
    struct memory_end *m = end_of(end);
    m->cut_after = bytes;
    if (m->written >= bytes)
        end_other(m, false);
}

void memory_set_capacity(struct stream *end, size_t capacity)
{
    end_of(end)->opts.capacity = capacity;
    update(end_of(end));
}

str memory_on_the_way(struct stream *end)
{
    return buf_str(&end_of(end)->other->in);
}
