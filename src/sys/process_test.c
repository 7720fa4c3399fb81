/* process_test.c - children of the real world. */
#include "base/buf.h"
#include "sys/process.h"
#include "sys/suite_test.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct family {
    struct env *env;
    struct loop *l;
    struct child *child;
    atomic_int exits, output_ended;
    int status;
    struct buf output; /* of stdout */
    bool frees;
};

static void note_exit(void *ctx, struct child *c, int status)
{
    struct family *f = ctx;
    CHECK(c == f->child);
    f->status = status;
    if (f->frees)
        child_free(c);
    atomic_fetch_add(&f->exits, 1);
}

static void read_output(void *ctx, struct stream *s, unsigned ready)
{
    struct family *f = ctx;
    char bytes[4096];
    size_t n;
    struct err why = ERR_INIT;
    err_code code = stream_read(s, bytes, sizeof bytes, &n, &why);
    if (code == ERR_AGAIN)
        return;
    if (code == ERR_NONE) {
        buf_add(&f->output, str_of(bytes, n));
        return;
    }
    CHECK_EQ(code, ERR_CLOSED);
    stream_close(s);
    atomic_store(&f->output_ended, 1);
}

static void family_init(struct family *f)
{
    *f = (struct family){0};
    buf_init(&f->output, 1 << 20);
    CHECK_OK(env_new_real(NULL, &f->env, &e));
    CHECK_OK(loop_new(f->env, S("family"), &f->l, &e));
}

static void family_done(struct family *f)
{
    loop_free(f->l);
    env_free(f->env);
    buf_done(&f->output);
}

static void spawn(struct family *f, const struct child_spec *spec)
{
    struct child_handler h = {.on_exit = note_exit, .ctx = f};
    CHECK_OK(child_spawn(f->l, spec, h, &f->child, &e));
    CHECK_GT(child_pid(f->child), 0);
    if (!child_stream(f->child, 1))
        return;
    struct stream *out = child_take_stream(f->child, 1);
    CHECK(!child_stream(f->child, 1));
    stream_set_handler(out, (struct stream_handler){.on_ready = read_output, .ctx = f});
    stream_want(out, STREAM_READ);
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Without standard error. */
static void spawn_command(struct family *f, const char *const *argv, int stdin_fd, int stdout_fd)
{
    spawn(f,
          &(struct child_spec){.argv = argv, .stdin_fd = stdin_fd, .stdout_fd = stdout_fd, .stderr_fd = -1});
}

/* Runs a shell script; its standard output is in `output` then, its end in `status`. */
static void run_script(struct family *f, const char *script, struct child_spec more)
{
    more.argv = ARGV("sh", "-c", script);
    more.stdin_fd = more.stderr_fd = -1;
    more.stdout_fd = CHILD_PIPE;
    spawn(f, &more);
    SUITE_WAIT_COUNT(f->l, &f->exits, 1);
    SUITE_WAIT_COUNT(f->l, &f->output_ended, 1);
    CHECK_EQ(f->exits, 1);
}

TEST(child_output_and_exit_status_are_reported)
{
    struct family f;
    family_init(&f);
    run_script(&f, "echo out; exit 7", (struct child_spec){0});
    CHECK(WIFEXITED(f.status));
    CHECK_EQ(WEXITSTATUS(f.status), 7);
    CHECK_STR(buf_str(&f.output), "out\n");
    family_done(&f);
}

TEST(child_killed_by_a_signal_is_reported_as_such)
{
    struct family f;
    family_init(&f);
    f.frees = true;
    spawn_command(&f, ARGV("sleep", "100"), -1, -1);
    suite_let_pass(f.l, NS_PER_MS);
    CHECK_EQ(f.exits, 0);
    CHECK_OK(child_kill(f.child, SIGTERM, &e));
    SUITE_WAIT_COUNT(f.l, &f.exits, 1);
    CHECK(WIFSIGNALED(f.status));
    CHECK_EQ(WTERMSIG(f.status), SIGTERM);
    family_done(&f);
}

TEST(child_that_cannot_be_executed_is_an_error_of_spawn)
{
    struct family f;
    family_init(&f);
    struct child_spec spec = {.stdin_fd = CHILD_PIPE, .stdout_fd = CHILD_PIPE, .stderr_fd = CHILD_PIPE};
    struct child_handler h = {.on_exit = note_exit, .ctx = &f};
    spec.argv = ARGV("/nowhere/at/all");
    CHECK_ERR(NOT_FOUND, "could not start '/nowhere/at/all': could not execute it",
              child_spawn(f.l, &spec, h, &f.child, &e));
    spec.argv = ARGV("no-such-program-in-path");
    CHECK_ERR(NOT_FOUND, "could not execute it", child_spawn(f.l, &spec, h, &f.child, &e));
    spec.argv = ARGV("/etc/passwd");
    CHECK_ERR(FORBIDDEN, "could not execute it", child_spawn(f.l, &spec, h, &f.child, &e));
    spec.argv = ARGV("true");
    spec.dir = "/nowhere/at/all";
    CHECK_ERR(NOT_FOUND, "could not change into its directory", child_spawn(f.l, &spec, h, &f.child, &e));
    spec.dir = NULL;
    spec.stderr_fd = 999;
    CHECK_ERR(IO, "could not open standard error for 'true'", child_spawn(f.l, &spec, h, &f.child, &e));
    suite_let_pass(f.l, NS_PER_MS);
    CHECK_EQ(f.exits, 0);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left unreaped */
    family_done(&f);
}

TEST(child_reads_what_we_write_until_we_shut_down)
{
    struct family f;
    family_init(&f);
    spawn_command(&f, ARGV("cat"), CHILD_PIPE, CHILD_PIPE);
    struct stream *in = child_stream(f.child, 0);
    size_t n;
    CHECK_OK(stream_write(in, &S("through the cat"), 1, &n, &e));
    CHECK_EQ(n, 15);
    suite_let_pass(f.l, 10 * NS_PER_MS);
    CHECK_EQ(f.exits, 0);
    CHECK_OK(stream_shutdown(in, &e));
    SUITE_WAIT_COUNT(f.l, &f.exits, 1);
    SUITE_WAIT_COUNT(f.l, &f.output_ended, 1);
    CHECK_STR(buf_str(&f.output), "through the cat");
    family_done(&f);
}

/* More than a pipe holds, so that both ends have to wait for each other. */
struct feeder {
    size_t sent, total;
    int waits;
};

static void feed(void *ctx, struct stream *s, unsigned ready)
{
    static const char bytes[30000];
    struct feeder *f = ctx;
    struct err why = ERR_INIT;
    size_t n = 0;
    err_code code = stream_write(s, &(str){bytes, size_min(sizeof bytes, f->total - f->sent)}, 1, &n, &why);
    f->waits += code == ERR_AGAIN;
    f->sent += n;
    if (f->sent == f->total) {
        stream_want(s, 0);
        CHECK_OK(stream_shutdown(s, &e));
    }
}

TEST(child_gets_more_than_a_pipe_holds)
{
    struct family f;
    family_init(&f);
    spawn_command(&f, ARGV("cat"), CHILD_PIPE, CHILD_PIPE);
    struct feeder feeder = {.total = 1000000};
    stream_set_handler(child_stream(f.child, 0), (struct stream_handler){.on_ready = feed, .ctx = &feeder});
    stream_want(child_stream(f.child, 0), STREAM_WRITE);
    SUITE_WAIT_COUNT(f.l, &f.exits, 1);
    SUITE_WAIT_COUNT(f.l, &f.output_ended, 1);
    CHECK_EQ(f.output.n, 1000000);
    CHECK_GT(feeder.waits, 0);
    family_done(&f);
}

TEST(child_that_does_not_read_gives_us_an_error_and_no_signal)
{
    struct family f;
    family_init(&f);
    spawn_command(&f, ARGV("true"), CHILD_PIPE, -1);
    struct stream *in = child_take_stream(f.child, 0);
    SUITE_WAIT_COUNT(f.l, &f.exits, 1);
    size_t n;
    CHECK_ERR(CLOSED, "could not write to a pipe", stream_write(in, &S("x"), 1, &n, &e));
    CHECK_ERR(CLOSED, "could not write to a pipe", stream_write(in, &S("x"), 1, &n, &e));
    stream_close(in);
    family_done(&f);
}

TEST(child_gets_the_directory_and_environment_of_its_spec)
{
    struct family f;
    family_init(&f);
    setenv("SKIFF_TEST_OURS", "ours", 1);
    run_script(&f, "pwd; echo $GIVEN:$SKIFF_TEST_OURS",
               (struct child_spec){.dir = "/usr", .envp = ARGV("GIVEN=given", "PATH=/bin")});
    CHECK_STR(buf_str(&f.output), "/usr\ngiven:\n");
    family_done(&f);
    family_init(&f);
    run_script(&f, "echo $SKIFF_TEST_OURS", (struct child_spec){0});
    CHECK_STR(buf_str(&f.output), "ours\n");
    family_done(&f);
}

TEST(child_inherits_no_descriptor_and_no_signal_setting)
{
    struct family f;
    family_init(&f);
    int leaky = open("/dev/null", O_RDONLY); /* somebody forgot O_CLOEXEC */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    /* The shell's glob opens one more for the directory itself, gone when ls looks. */
    run_script(&f,
               "cd /proc/self/fd && for fd in *; do [ -e $fd ] && echo $fd; done;"
               "sed -n 's/SigBlk:.//p' /proc/self/status;"
               "echo $((0x$(sed -n 's/SigIgn:.//p' /proc/self/status) & 0x1000))", /* SIGPIPE */
               (struct child_spec){0});
    CHECK_STR(buf_str(&f.output), "0\n1\n2\n0000000000000000\n0\n");
    close(leaky);
    family_done(&f);
}

TEST(child_may_be_given_our_standard_streams_in_any_order)
{
    struct family f;
    family_init(&f);
    int pipe_fds[2];
    CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
    /* As in a daemon that closed its own: the pipe's ends are 0 and 1, the wrong way round. */
    CHECK_EQ(dup2(pipe_fds[1], 0), 0);
    spawn(&f, &(struct child_spec){.argv = ARGV("sh", "-c", "echo one; echo two >&2"),
                                   .stdin_fd = -1,
                                   .stdout_fd = 0,
                                   .stderr_fd = 0});
    SUITE_WAIT_COUNT(f.l, &f.exits, 1);
    char got[20];
    CHECK_EQ(read(pipe_fds[0], got, sizeof got), 8);
    CHECK_STR(str_of(got, 8), "one\ntwo\n");
    family_done(&f);
}

TEST(child_has_standard_streams_though_we_have_none)
{
    struct family f;
    family_init(&f);
    close(0); /* so that what is opened for the child gets this number here */
    run_script(&f, "[ -e /proc/self/fd/0 ] && echo there", (struct child_spec){0});
    CHECK_STR(buf_str(&f.output), "there\n");
    family_done(&f);
}

TEST(child_may_have_a_session_of_its_own)
{
    struct family f;
    family_init(&f);
    run_script(&f, "set -- $(cat /proc/$$/stat); [ $6 = $$ ] && echo leader",
               (struct child_spec){.new_session = true});
    CHECK_STR(buf_str(&f.output), "leader\n");
    family_done(&f);
}

TEST(child_that_is_forgotten_runs_on_and_is_reaped)
{
    struct family f;
    family_init(&f);
    spawn_command(&f, ARGV("sleep", "0.05"), -1, CHILD_PIPE);
    pid_t pid = child_pid(f.child);
    child_free(f.child);
    CHECK_EQ(kill(pid, 0), 0);
    SUITE_WAIT_COUNT(f.l, &f.output_ended, 1);
    for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++)
        suite_let_pass(f.l, NS_PER_MS);
    CHECK_EQ(kill(pid, 0), -1);
    CHECK_EQ(f.exits, 0);
    family_done(&f);
}

struct starter {
    struct loop_msg msg;
    struct family *f;
    atomic_int started;
};

static void start_mortal(struct loop_msg *m)
{
    struct starter *st = CONTAINER_OF(m, struct starter, msg);
    struct child_spec spec = {.argv = ARGV("sleep", "100"),
                              .stdin_fd = -1,
                              .stdout_fd = -1,
                              .stderr_fd = -1,
                              .dies_with_parent = true};
    spawn(st->f, &spec);
    atomic_store(&st->started, 1);
}

TEST(child_that_dies_with_its_parent_dies_with_the_thread_that_started_it)
{
    struct family f;
    struct loop *own;
    family_init(&f);
    CHECK_OK(loop_new(f.env, S("own"), &own, &e));
    struct starter st = {.msg.run = start_mortal, .f = &f};
    loop_post(f.l, &st.msg);
    CHECK_OK(loop_start(f.l, &e));
    SUITE_WAIT_COUNT(own, &st.started, 1);
    CHECK_EQ(kill(child_pid(f.child), 0), 0);
    loop_stop(f.l);
    loop_join(f.l);
    /* The loop is ours now, and still told. */
    SUITE_WAIT_COUNT(f.l, &f.exits, 1);
    CHECK_EQ(WTERMSIG(f.status), SIGKILL);
    loop_free(own);
    family_done(&f);
}
