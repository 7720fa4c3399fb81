/* linux_test.c - what only the real world has: signals, limits of the kernel, Unix sockets, links; heap calls. */
#include "base/arena.h"
#include "base/mem.h"
#include "sys/process.h"
#include "sys/suite_test.h"
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- signals --- */

struct signal_log {
    struct loop_signals s;
    atomic_int usr1, usr2;
    bool stops;
};

static void log_signal(struct loop_signals *s, int signo)
{
    struct signal_log *log = CONTAINER_OF(s, struct signal_log, s);
    if (log->stops)
        loop_signals_stop(s);
    atomic_fetch_add(signo == SIGUSR1 ? &log->usr1 : &log->usr2, 1);
}

REAL_TEST(signals_are_reported_to_the_loop_that_took_them)
{
    struct loop *l = suite_loop(w, "signals"), *other = suite_loop(w, "other");
    struct signal_log log = {.s.on_signal = log_signal}, log2 = {.s.on_signal = log_signal};
    static const int both[] = {SIGUSR1, SIGUSR2}, none[] = {9999};
    CHECK_ERR(INVALID, "no signal 9999", loop_signals_start(l, &log.s, none, 1, &e));
    CHECK_OK(loop_signals_start(l, &log.s, both, 2, &e));
    CHECK_ERR(CONFLICT, "another loop", loop_signals_start(other, &log2.s, both, 2, &e));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    SUITE_WAIT_COUNT(l, &log.usr1, 1);
    SUITE_WAIT_COUNT(l, &log.usr2, 1);
    loop_signals_stop(&log.s);
    loop_signals_stop(&log.s);
    CHECK_OK(loop_signals_start(other, &log2.s, both, 2, &e));
    kill(getpid(), SIGUSR1);
    SUITE_WAIT_COUNT(other, &log2.usr1, 1);
    CHECK_EQ(log.usr1, 1);
    loop_signals_stop(&log2.s);
}

REAL_TEST(signals_may_be_stopped_while_one_is_reported)
{
    struct loop *l = suite_loop(w, "signals");
    struct signal_log log = {.s.on_signal = log_signal, .stops = true};
    static const int both[] = {SIGUSR1, SIGUSR2};
    signal(SIGUSR2, SIG_IGN); /* it is still pending when the first has stopped them */
    CHECK_OK(loop_signals_start(l, &log.s, both, 2, &e));
    kill(getpid(), SIGUSR1);
    SUITE_WAIT_COUNT(l, &log.usr1, 1);
    kill(getpid(), SIGUSR2);
    suite_let_pass(l, NS_PER_MS);
    CHECK_EQ(log.usr2, 0);
}

/* --- the loop --- */

static void be_slow(struct loop_msg *m)
{
    int64_t *until = (int64_t *)(void *)(m + 1);
    struct timespec ts = {.tv_nsec = *until};
    nanosleep(&ts, NULL);
}

REAL_TEST(a_slow_turn_is_counted)
{
    struct loop *l = suite_loop(w, "slow");
    struct {
        struct loop_msg m;
        int64_t ns;
    } slow = {{.run = be_slow}, LOOP_SLOW_TURN_NS + NS_PER_MS};
    struct loop_stats before, after;
    loop_stats(l, &before);
    loop_post(l, &slow.m);
    suite_let_pass(l, 0);
    loop_stats(l, &after);
    CHECK_EQ(after.slow_turns - before.slow_turns, 1);
    CHECK_GE(after.longest_turn_ns, LOOP_SLOW_TURN_NS);
    CHECK_EQ(after.messages - before.messages, 1);
}

struct busy {
    struct loop_work work;
    atomic_int *now, *most, *done;
};

static void busy_run(struct loop_work *work)
{
    struct busy *b = CONTAINER_OF(work, struct busy, work);
    int now = atomic_fetch_add(b->now, 1) + 1, most = atomic_load(b->most);
    while (now > most && !atomic_compare_exchange_weak(b->most, &most, now))
        ;
    usleep(1000);
    atomic_fetch_sub(b->now, 1);
}

static void busy_done(struct loop_work *work)
{
    atomic_fetch_add(CONTAINER_OF(work, struct busy, work)->done, 1);
}

TEST(real_workers_are_bounded)
{
    struct env *env;
    struct loop *l;
    CHECK_OK(env_new_real(&(struct env_opts){.worker_max = 3}, &env, &e));
    CHECK_OK(loop_new(env, S("work"), &l, &e));
    atomic_int now = 0, most = 0, done = 0;
    struct busy b[60];
    for (size_t i = 0; i < ARRAY_COUNT(b); i++) {
        b[i] = (struct busy){.work = {.run = busy_run, .done = busy_done}, &now, &most, &done};
        loop_submit(l, &b[i].work);
    }
    SUITE_WAIT_COUNT(l, &done, 60);
    CHECK_EQ(most, 3);
    loop_free(l);
    env_free(env);
}

/* --- the hot paths and the heap --- */

struct hot {
    struct loop_msg msg;
    struct timer timer;
    struct loop *l;
    struct stream *ends[2];
    atomic_int rounds;
    int last;
};

static void hot_fired(struct timer *t)
{
    struct hot *h = CONTAINER_OF(t, struct hot, timer);
    if (atomic_fetch_add(&h->rounds, 1) + 1 < h->last)
        loop_post(h->l, &h->msg);
}

static void hot_posted(struct loop_msg *m)
{
    struct hot *h = CONTAINER_OF(m, struct hot, msg);
    struct err why;
    size_t n;
    CHECK_EQ(stream_write(h->ends[0], &S("ping"), 1, &n, &why), ERR_NONE);
}

static void hot_ready(void *ctx, struct stream *s, unsigned ready)
{
    struct hot *h = ctx;
    struct err why;
    char bytes[100];
    size_t n;
    CHECK_EQ(stream_read(s, bytes, sizeof bytes, &n, &why), ERR_NONE);
    CHECK_EQ(n, 4);
    timer_set(&h->timer, 0);
}

REAL_TEST(messages_timers_and_reading_and_writing_cost_no_heap_call)
{
    struct hot h = {.msg.run = hot_posted, .l = suite_loop(w, "hot"), .last = 1000};
    timer_init(&h.timer, h.l, hot_fired);
    CHECK_OK(stream_pair(h.l, &h.ends[0], &h.ends[1], &e));
    stream_set_handler(h.ends[1], (struct stream_handler){.on_ready = hot_ready, .ctx = &h});
    stream_want(h.ends[1], STREAM_READ);
    loop_post(h.l, &h.msg);
    SUITE_WAIT_COUNT(h.l, &h.rounds, 10);
    uint64_t before = mem_thread_allocs();
    SUITE_WAIT_COUNT(h.l, &h.rounds, 1000);
    CHECK_EQ(mem_thread_allocs() - before, 0);
    stream_close(h.ends[0]);
    stream_close(h.ends[1]);
    timer_cancel(&h.timer);
}

/* --- addresses --- */

struct guest {
    atomic_int accepted;
    struct stream *s;
};

static void keep_guest(void *ctx, struct stream *s)
{
    struct guest *g = ctx;
    g->s = s;
    atomic_fetch_add(&g->accepted, 1);
}

static void ignore_ready(void *ctx, struct stream *s, unsigned ready)
{
}

/* Listens, connects to `to`, and says how the two are called. */
static void meet(struct suite_world *w, const char *at, const char *to, char ret_local[NET_ADDR_TEXT],
                 char ret_peer[NET_ADDR_TEXT])
{
    struct loop *l = suite_loop(w, "meet");
    struct net_addr a;
    struct listener *ln;
    struct guest g = {.accepted = 0};
    struct stream *s;
    CHECK_OK(net_addr_parse(str_from_c(at), &a, &e));
    CHECK_OK(listener_new(w->env, &a, NULL, &ln, &e));
    CHECK_OK(listener_attach(ln, l, keep_guest, &g, &e));
    uint16_t port = listener_addr(ln)->port;
    CHECK_OK(net_addr_parse(str_from_c(to), &a, &e));
    a.port = port;
    CHECK_OK(stream_connect(l, &a, (struct stream_handler){.on_ready = ignore_ready}, &s, &e));
    SUITE_WAIT_COUNT(l, &g.accepted, 1);
    CHECK_EQ(stream_local(g.s)->port, port);
    net_ip_format(stream_local(g.s), ret_local);
    net_ip_format(stream_peer(g.s), ret_peer);
    stream_close(s);
    stream_close(g.s);
    listener_detach(ln, l);
    listener_free(ln);
}

REAL_TEST(a_listener_on_any_address_takes_both_families_and_names_each_as_it_is)
{
    char local[NET_ADDR_TEXT], peer[NET_ADDR_TEXT];
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (probe < 0 || bind(probe, (struct sockaddr *)&sa, sizeof sa) != 0)
        test_skip("there is no IPv6 here");
    close(probe);
    meet(w, "[::]:0", "[::1]:0", local, peer);
    CHECK_STR(local, "::1");
    CHECK_STR(peer, "::1");
    meet(w, "[::]:0", "127.0.0.1:0", local, peer);
    CHECK_STR(local, "127.0.0.1");
    CHECK_STR(peer, "127.0.0.1");
    meet(w, "0.0.0.0:0", "127.0.0.2:0", local, peer);
    CHECK_STR(local, "127.0.0.2");
}

static struct net_addr unix_addr(const char *name, char text[300])
{
    struct net_addr a;
    snprintf(text, 300, "unix:%s/%s", test_dir(), name);
    CHECK_OK(net_addr_parse(str_from_c(text), &a, &e));
    return a;
}

/* One byte there and back. */
static void exchange(struct suite_world *w, struct listener *ln)
{
    struct loop *l = suite_loop(w, "exchange");
    struct guest g = {.accepted = 0};
    struct stream *s;
    struct err why;
    size_t n = 0;
    char c = 0;
    CHECK_OK(listener_attach(ln, l, keep_guest, &g, &e));
    CHECK_OK(stream_connect(l, listener_addr(ln), (struct stream_handler){.on_ready = ignore_ready}, &s, &e));
    SUITE_WAIT_COUNT(l, &g.accepted, 1);
    CHECK_OK(stream_write(s, &S("x"), 1, &n, &e));
    for (int i = 0; i < 100 && stream_read(g.s, &c, 1, &n, &why) == ERR_AGAIN; i++)
        suite_let_pass(l, NS_PER_MS);
    CHECK_EQ(c, 'x');
    stream_close(s);
    stream_close(g.s);
    listener_detach(ln, l);
}

REAL_TEST(a_unix_socket_has_its_mode_and_is_gone_after_use)
{
    char text[300];
    struct net_addr a = unix_addr("s", text);
    struct listener *ln;
    struct stat st;
    umask(0077);
    CHECK_OK(listener_new(w->env, &a, NULL, &ln, &e));
    CHECK_EQ(stat(a.path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    exchange(w, ln);
    listener_free(ln);
    CHECK_EQ(stat(a.path, &st), -1);
    CHECK_OK(listener_new(w->env, &a, &(struct listener_opts){.unix_mode = 0660}, &ln, &e));
    CHECK_EQ(stat(a.path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0660);
    listener_free(ln);
}

REAL_TEST(a_stale_unix_socket_is_replaced_and_a_live_one_or_a_file_is_not)
{
    char text[300];
    struct net_addr a = unix_addr("s", text);
    struct listener *ln, *other;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    memcpy(sa.sun_path, a.path, a.path_n);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    CHECK_EQ(listen(fd, 1), 0);
    CHECK_ERR(CONFLICT, "could not listen on 'unix:", listener_new(w->env, &a, NULL, &other, &e));
    close(fd);
    CHECK_OK(listener_new(w->env, &a, NULL, &ln, &e));
    exchange(w, ln);
    CHECK_ERR(CONFLICT, "could not listen on 'unix:", listener_new(w->env, &a, NULL, &other, &e));
    /* One that has taken our place is not removed with us. */
    struct stat st;
    CHECK_EQ(unlink(a.path), 0);
    CHECK_OK(listener_new(w->env, &a, NULL, &other, &e));
    listener_free(ln);
    CHECK_EQ(stat(a.path, &st), 0);
    listener_free(other);
    CHECK_EQ(close(open(a.path, O_CREAT | O_WRONLY, 0600)), 0);
    CHECK_ERR(CONFLICT, "could not listen on 'unix:", listener_new(w->env, &a, NULL, &other, &e));
}

REAL_TEST(an_abstract_unix_socket_leaves_nothing_behind)
{
    char text[300];
    struct net_addr a;
    struct listener *ln;
    snprintf(text, sizeof text, "unix:@skiff-test-%d", (int)getpid());
    CHECK_OK(net_addr_parse(str_from_c(text), &a, &e));
    CHECK_OK(listener_new(w->env, &a, NULL, &ln, &e));
    exchange(w, ln);
    listener_free(ln);
    CHECK_OK(listener_new(w->env, &a, NULL, &ln, &e));
    listener_free(ln);
}

struct verdict {
    atomic_int done;
    err_code code;
    char why[480];
};

static void note_verdict(void *ctx, struct stream *s, unsigned ready)
{
    struct verdict *v = ctx;
    struct err why = ERR_INIT;
    size_t n;
    v->code = stream_write(s, &S("x"), 1, &n, &why);
    memcpy(v->why, why.msg, sizeof v->why);
    stream_close(s);
    atomic_store(&v->done, 1);
}

REAL_TEST(a_unix_socket_that_is_not_there_is_unavailable)
{
    char text[300];
    struct net_addr a = unix_addr("nobody", text);
    struct loop *l = suite_loop(w, "client");
    struct verdict v = {.done = 0};
    struct stream *s;
    CHECK_OK(stream_connect(l, &a, (struct stream_handler){note_verdict, &v}, &s, &e));
    stream_want(s, STREAM_WRITE);
    SUITE_WAIT_COUNT(l, &v.done, 1);
    CHECK_EQ(v.code, ERR_UNAVAILABLE);
    CHECK_CONTAINS(v.why, text);
}

REAL_TEST(a_connection_that_was_reset_before_anybody_looked_was_not_refused)
{
    struct loop *l = suite_loop(w, "server"), *cl = suite_loop(w, "client");
    struct net_addr at;
    struct listener *ln;
    struct stream *s;
    struct guest g = {.accepted = 0};
    struct err why;
    size_t n;
    char c;
    CHECK_OK(net_addr_parse(S("127.0.0.1:0"), &at, &e));
    CHECK_OK(listener_new(w->env, &at, NULL, &ln, &e));
    CHECK_OK(listener_attach(ln, l, keep_guest, &g, &e));
    CHECK_OK(
        stream_connect(cl, listener_addr(ln), (struct stream_handler){.on_ready = ignore_ready}, &s, &e));
    SUITE_WAIT_COUNT(l, &g.accepted, 1);
    stream_abort(g.s);
    suite_let_pass(cl, NS_PER_MS);
    CHECK_EQ(stream_read(s, &c, 1, &n, &why), ERR_IO);
    CHECK_EQ(stream_write(s, &S("x"), 1, &n, &why), ERR_IO);
    stream_close(s);
    listener_detach(ln, l);
    listener_free(ln);
}

/* --- descriptors used up --- */

static int open_fds(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        count++;
    closedir(d);
    return count - 3; /* ".", "..", and the one that reads */
}

/* The lowest number that is free: with this as the limit, none can be opened. */
static unsigned next_fd(void)
{
    int fd = dup(0);
    CHECK_GE(fd, 0);
    close(fd);
    return (unsigned)fd;
}

static void limit_fds(unsigned limit)
{
    struct rlimit r;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = limit;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &r), 0);
}

struct hall {
    struct stream *streams[40];
    atomic_int accepted;
    int closed;
};

static void seat(void *ctx, struct stream *s)
{
    struct hall *h = ctx;
    h->streams[atomic_load(&h->accepted)] = s;
    atomic_fetch_add(&h->accepted, 1);
}

REAL_TEST(a_listener_survives_the_end_of_descriptors_without_spinning)
{
    enum { CLIENTS = 20, ROOM = 6 };
    struct loop *l = suite_loop(w, "server");
    struct net_addr at;
    struct listener *ln;
    struct hall hall = {.accepted = 0};
    CHECK_OK(net_addr_parse(S("127.0.0.1:0"), &at, &e));
    CHECK_OK(listener_new(w->env, &at, NULL, &ln, &e));
    CHECK_OK(listener_attach(ln, l, seat, &hall, &e));
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(listener_addr(ln)->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CLIENTS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    }
    limit_fds(next_fd() + ROOM);
    SUITE_WAIT_COUNT(l, &hall.accepted, ROOM);
    struct loop_stats before, after;
    loop_stats(l, &before);
    suite_let_pass(l, 100 * NS_PER_MS);
    loop_stats(l, &after);
    CHECK_EQ(hall.accepted, ROOM);
    CHECK_LE(after.turns - before.turns, 30);
    while (hall.closed < CLIENTS) {
        SUITE_WAIT_COUNT(l, &hall.accepted, hall.closed + 1);
        stream_close(hall.streams[hall.closed++]);
    }
    CHECK_EQ(hall.accepted, CLIENTS);
    listener_detach(ln, l);
    listener_free(ln);
}

/* Each operation, with room for 0, 1, 2... descriptors until it works: before that a clean error and nothing left. */
static err_code try_loop(struct suite_world *w, struct loop *l, struct err *err)
{
    struct loop *made;
    err_code code = loop_new(w->env, S("tried"), &made, err);
    if (!code)
        loop_free(made);
    return code;
}

static err_code try_pair(struct suite_world *w, struct loop *l, struct err *err)
{
    struct stream *a, *b;
    err_code code = stream_pair(l, &a, &b, err);
    if (!code) {
        stream_close(a);
        stream_close(b);
    }
    return code;
}

static err_code try_connect(struct suite_world *w, struct loop *l, struct err *err)
{
    struct net_addr nobody;
    struct stream *s;
    CHECK_OK(net_addr_parse(str_from_c(w->nobody_at), &nobody, &e));
    err_code code = stream_connect(l, &nobody, (struct stream_handler){.on_ready = ignore_ready}, &s, err);
    if (!code)
        stream_close(s);
    return code;
}

static err_code try_listen(struct suite_world *w, struct loop *l, struct err *err)
{
    struct net_addr at;
    struct listener *ln;
    CHECK_OK(net_addr_parse(str_from_c(w->listen_at), &at, &e));
    err_code code = listener_new(w->env, &at, NULL, &ln, err);
    if (!code)
        listener_free(ln);
    return code;
}

static void ignore_signal(struct loop_signals *s, int signo)
{
}

static err_code try_signals(struct suite_world *w, struct loop *l, struct err *err)
{
    struct loop_signals s = {.on_signal = ignore_signal};
    err_code code = loop_signals_start(l, &s, (const int[]){SIGUSR1}, 1, err);
    if (!code)
        loop_signals_stop(&s);
    return code;
}

static err_code try_spawn(struct suite_world *w, struct loop *l, struct err *err)
{
    struct child *c;
    struct child_spec spec = {.argv = (const char *const[]){"true", NULL},
                              .stdin_fd = CHILD_PIPE,
                              .stdout_fd = CHILD_PIPE,
                              .stderr_fd = -1};
    err_code code = child_spawn(l, &spec, (struct child_handler){NULL}, &c, err);
    if (!code)
        child_free(c);
    return code;
}

static err_code try_files(struct suite_world *w, struct loop *l, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct dir *d;
    str *names;
    size_t count;
    if (dir_open(w->env, str_from_c(w->dir), DIR_CREATE, &d, err))
        return err->code;
    err_code code = file_replace(d, S("f"), S("x"), err);
    code = code ? code : dir_list(d, &a, &names, &count, err);
    code = code ? code : dir_make(d, S("sub"), err);
    code = code ? code : file_replace(d, S("sub/f"), S("x"), err);
    code = code ? code : dir_remove(d, S("sub/f"), err);
    code = code ? code : dir_remove(d, S("sub"), err);
    dir_close(d);
    return code == ERR_ALREADY_EXISTS ? ERR_IO : code; /* "sub", from a try that went no further */
}

static void check_when_fds_run_out(struct suite_world *w,
                                   err_code (*try)(struct suite_world *w, struct loop *l, struct err *err))
{
    struct loop *l = suite_loop(w, "tries");
    int before = open_fds();
    unsigned next = next_fd();
    for (unsigned room = 0;; room++) {
        struct err why = ERR_INIT;
        limit_fds(next + room);
        err_code code = try(w, l, &why);
        suite_let_pass(l, 0); /* memory and such */
        limit_fds(next + 100);
        if (!code) {
            CHECK_GT(room, 0);
            break;
        }
        CHECK_EQ(code, ERR_IO);
        CHECK_CONTAINS(why.msg, "could not");
        CHECK_EQ(open_fds(), before);
        CHECK_LT(room, 20);
    }
}

REAL_TEST(every_operation_fails_cleanly_when_descriptors_run_out)
{
    check_when_fds_run_out(w, try_loop);
    check_when_fds_run_out(w, try_pair);
    check_when_fds_run_out(w, try_connect);
    check_when_fds_run_out(w, try_listen);
    check_when_fds_run_out(w, try_signals);
    check_when_fds_run_out(w, try_spawn);
}

/* --- files --- */

static struct dir *open_made(struct suite_world *w)
{
    struct dir *d;
    CHECK_OK(dir_open(w->env, str_from_c(w->dir), DIR_CREATE, &d, &e));
    return d;
}

static const char *in_dir(struct suite_world *w, const char *name, char to[400])
{
    snprintf(to, 400, "%s/%s", w->dir, name);
    return to;
}

REAL_TEST(files_fail_cleanly_when_descriptors_run_out)
{
    struct dir *d = open_made(w); /* so that the tries differ in nothing but descriptors */
    dir_close(d);
    int before = open_fds();
    unsigned next = next_fd();
    for (unsigned room = 0;; room++) {
        struct err why = ERR_INIT;
        d = open_made(w);
        err_ignore(dir_remove(d, S("sub/f"), &why)); /* of the last try, if it came that far */
        err_ignore(dir_remove(d, S("sub"), &why));
        dir_close(d);
        limit_fds(next + room);
        err_code code = try_files(w, NULL, &why);
        limit_fds(next + 100);
        CHECK_EQ(open_fds(), before);
        if (!code)
            break;
        CHECK_EQ(code, ERR_IO);
        CHECK_LT(room, 20);
    }
}

REAL_TEST(links_that_lead_out_are_refused_and_links_that_stay_are_followed)
{
    struct dir *d = open_made(w), *sub;
    struct file *f;
    char path[400];
    CHECK_OK(file_replace(d, S("inner"), S("x"), &e));
    CHECK_OK(dir_make(d, S("sub"), &e));
    CHECK_EQ(symlink("inner", in_dir(w, "stays", path)), 0);
    CHECK_EQ(symlink("../inner", in_dir(w, "sub/up", path)), 0);
    CHECK_EQ(symlink("/etc/passwd", in_dir(w, "absolute", path)), 0);
    CHECK_EQ(symlink("../../..", in_dir(w, "out", path)), 0);
    CHECK_EQ(symlink("/proc/self/fd/0", in_dir(w, "magic", path)), 0);
    CHECK_EQ(symlink("loop", in_dir(w, "loop", path)), 0);
    CHECK_OK(file_open(d, S("stays"), FILE_READ, &f, &e));
    file_close(f);
    CHECK_OK(file_open(d, S("sub/up"), FILE_READ, &f, &e));
    file_close(f);
    static const char *const out[] = {"absolute", "out/x", "magic", "loop", "out"};
    for (size_t i = 0; i < ARRAY_COUNT(out); i++)
        CHECK_ERR(FORBIDDEN, "could not open", file_open(d, str_from_c(out[i]), FILE_READ, &f, &e));
    CHECK_ERR(FORBIDDEN, "'out/x'", file_open(d, S("out/x"), FILE_WRITE | FILE_CREATE, &f, &e));
    CHECK_ERR(FORBIDDEN, "'out'", dir_open_beneath(d, S("out"), 0, &sub, &e));
    CHECK_ERR(FORBIDDEN, "'out/x'", dir_make(d, S("out/x"), &e));
    CHECK_ERR(FORBIDDEN, "'out/x'", dir_remove(d, S("out/x"), &e));
    CHECK_ERR(FORBIDDEN, "'out/x'", dir_rename(d, S("out/x"), S("inner"), &e));
    CHECK_ERR(FORBIDDEN, "'out/x'", dir_rename(d, S("inner"), S("out/x"), &e));
    /* Beneath a handle its own parent is outside. */
    CHECK_OK(dir_open_beneath(d, S("sub"), 0, &sub, &e));
    CHECK_ERR(FORBIDDEN, "'up'", file_open(sub, S("up"), FILE_READ, &f, &e));
    dir_close(sub);
    dir_close(d);
}

REAL_TEST(a_pipe_in_place_of_a_file_is_refused_without_waiting)
{
    struct dir *d = open_made(w);
    struct file *f;
    char path[400];
    CHECK_EQ(mkfifo(in_dir(w, "fifo", path), 0600), 0);
    CHECK_ERR(INVALID, "'fifo' is not a regular file", file_open(d, S("fifo"), FILE_READ, &f, &e));
    CHECK_ERR(IO, "'fifo'", file_open(d, S("fifo"), FILE_WRITE, &f, &e)); /* nobody reads: ENXIO */
    dir_close(d);
}

REAL_TEST(a_lock_excludes_other_processes_until_its_holder_ends)
{
    struct dir *d = open_made(w);
    struct file *lock;
    int ready[2], end[2];
    CHECK_EQ(pipe(ready) + pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err why;
        char c = dir_lock(d, S("lock"), &lock, &why) ? 'n' : 'y';
        CHECK_EQ(write(ready[1], &c, 1), 1);
        close(end[1]);
        _exit(read(end[0], &c, 1) < 0);
    }
    char c = 0;
    CHECK_EQ(read(ready[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
    CHECK_ERR(CONFLICT, "'lock'", dir_lock(d, S("lock"), &lock, &e));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK_OK(dir_lock(d, S("lock"), &lock, &e));
    file_close(lock);
    dir_close(d);
}

REAL_TEST(a_full_disk_says_so_and_a_replacement_keeps_the_old_content)
{
    TEST_NEEDS_ROOT();
    char path[400];
    struct dir *d = open_made(w), *small;
    struct file *f;
    CHECK_OK(dir_make(d, S("small"), &e));
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", in_dir(w, "small", path), "tmpfs", 0, "size=64k") != 0)
        test_skip("may not mount");
    CHECK_OK(dir_open(w->env, str_from_c(path), 0, &small, &e));
    static const char big[100000];
    CHECK_OK(file_replace(small, S("kept"), S("old"), &e));
    CHECK_ERR(DISK_FULL, "'.kept.new'", file_replace(small, S("kept"), str_of(big, sizeof big), &e));
    CHECK_OK(file_open(small, S("kept"), FILE_READ, &f, &e));
    char got[10];
    size_t n;
    CHECK_OK(file_read_at(f, 0, got, sizeof got, &n, &e));
    CHECK_STR(str_of(got, n), "old");
    file_close(f);
    CHECK_OK(file_open(small, S("grows"), FILE_WRITE | FILE_CREATE, &f, &e));
    CHECK_ERR(DISK_FULL, "could not write 'grows'", file_write_at(f, 0, big, sizeof big, &e));
    file_close(f);
    dir_close(small);
    dir_close(d);
}
