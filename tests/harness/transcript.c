/* transcript.c - runs a transcript. */
#include "harness/transcript.h"
#include "base/arena.h"
#include "base/buf.h"
#include "harness/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

struct step {
    str command;
    str expected;
    int status;
    int within_s;
    int line;
};

static bool matches_line(str got, str want)
{
    size_t star = str_index(want, S("{*}"));
    if (star == SIZE_MAX)
        return str_eq(got, want);
    if (got.n < star || !str_eq(str_slice(got, 0, star), str_slice(want, 0, star)))
        return false;
    str rest = str_from(want, star + 3);
    for (size_t i = star; i <= got.n; i++)
        if (matches_line(str_from(got, i), rest))
            return true;
    return false;
}

static bool matches(str got, str want)
{
    str line, wanted;
    while (want.n) {
        str after = want;
        str_cut(after, '\n', &wanted, &after);
        if (str_is(wanted, "{...}")) {
            for (;;) {
                if (matches(got, after))
                    return true;
                if (!got.n)
                    return false;
                str_cut(got, '\n', &line, &got);
            }
        }
        if (!got.n)
            return false;
        str_cut(got, '\n', &line, &got);
        if (!matches_line(line, wanted))
            return false;
        want = after;
    }
    return !got.n;
}

static str run(struct arena *a, str command, int *ret_status)
{
    struct buf out;
    char *text = str_cstr(a, str_format(a, "{ %" STR_FMT "\n} 2>&1", STR_ARG(command)));
    FILE *f = popen(text, "r");
    if (!f)
        FAIL("could not run a shell");
    buf_init_arena(&out, a, 16 << 20);
    for (size_t n = 1; n;) {
        char *to = buf_room(&out, 65536);
        n = to ? fread(to, 1, 65536, f) : 0;
        if (to)
            buf_commit(&out, n);
    }
    int status = pclose(f);
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return buf_str(&out);
}

static void fail(const char *path, const struct step *s, str got, int status)
{
    FAIL("%s:%d: $ %" STR_FMT "\n--- expected%s\n%" STR_FMT "--- got (exit status %d)\n%" STR_FMT "---", path,
         s->line, STR_ARG(s->command), s->status ? " (to fail)" : "", STR_ARG(s->expected), status,
         STR_ARG(got));
}

static void run_step(struct arena *a, const char *path, const struct step *s)
{
    time_t end = time(NULL) + s->within_s;
    for (;;) {
        int status;
        str got = run(a, s->command, &status);
        if (status == s->status && matches(got, s->expected))
            return;
        if (time(NULL) >= end)
            fail(path, s, got, status);
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    }
}

static bool next_line(str *rest, int *line, str *ret)
{
    if (!rest->n)
        return false;
    (*line)++;
    return str_cut(*rest, '\n', ret, rest), true;
}

void transcript_run(const char *path)
{
    CLEANUP(arena_done) struct arena a;
    str rest = test_read_file(path), line;
    struct step s = {0};
    int number = 0, within_s = 0;
    size_t steps = 0;
    arena_init(&a, 0);
    while (next_line(&rest, &number, &line)) {
        if (!line.n || line.p[0] == '#')
            continue;
        if (str_take_prefix(&line, S("@ within "))) {
            int64_t seconds;
            CHECK(str_parse_i64(str_slice(line, 0, str_index_c(line, ' ')), &seconds));
            within_s = (int)seconds;
            continue;
        }
        if (!str_take_prefix(&line, S("$ ")))
            FAIL("%s:%d: neither a command nor a comment: %" STR_FMT, path, number, STR_ARG(line));
        struct buf command, expected;
        buf_init_arena(&command, &a, 1 << 20);
        buf_init_arena(&expected, &a, 1 << 20);
        s = (struct step){.line = number, .within_s = within_s};
        within_s = 0;
        buf_add(&command, line);
        while (str_starts(rest, S("> ")) || str_starts(rest, S(">\n")) ||
               str_ends(buf_str(&command), S("\\"))) {
            next_line(&rest, &number, &line);
            if (!str_take_prefix(&line, S("> ")))
                str_take_prefix(&line, S(">"));
            buf_add_c(&command, '\n');
            buf_add(&command, line);
        }
        while (rest.n && !str_starts(rest, S("$ ")) && !str_starts(rest, S("@ ")) &&
               !str_starts(rest, S("\n# ")) && !str_starts(rest, S("\n$ ")) && !str_starts(rest, S("\n@ "))) {
            next_line(&rest, &number, &line);
            if (str_take_prefix(&line, S("? "))) {
                int64_t status;
                CHECK(str_parse_i64(line, &status));
                s.status = (int)status;
                break;
            }
            if (!line.n && !rest.n)
                break;
            buf_add(&expected, line);
            buf_add_c(&expected, '\n');
        }
        s.command = buf_str(&command);
        s.expected = buf_str(&expected);
        run_step(&a, path, &s);
        steps++;
    }
    CHECK_GT(steps, 0);
}
