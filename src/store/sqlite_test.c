/* sqlite_test.c - what is particular to a store on a disk of its own: starting again, files of others, history within
 * bounds, full disks, and that who does nothing writes nothing. */
#include "base/mem.h"
#include "base/random.h"
#include "base/vec.h"
#include "store/store_suite_test.h"
#include "sys/sqlite_vfs.h"
#include <sqlite3.h>
#include <stdio.h>

#define OK_PUT(resource, path, value, at) CHECK_OK(world_put(w, resource, path, value, at, &e))
#define OK_DELETE(resource, path, at)     CHECK_OK(world_delete(w, resource, path, at, &e))

static size_t change_count(struct world *w, const char *resource, int64_t after)
{
    const struct snapshot *sn = store_snapshot(w->store);
    struct snapshot_iter it;
    size_t count = 0;
    CHECK_OK(snapshot_changes(sn, store_resource(w->store, str_from_c(resource), 0), after, &it, &e));
    for (; snapshot_next_change(&it); count++)
        ;
    snapshot_unref(sn);
    return count;
}

static void check_expired(struct world *w, const char *resource, int64_t after)
{
    const struct snapshot *sn = store_snapshot(w->store);
    struct snapshot_iter it;
    uint32_t number = store_resource(w->store, str_from_c(resource), 0);
    CHECK_GT(snapshot_changes_from(sn, number), after);
    CHECK_ERR(EXPIRED, "are gone", snapshot_changes(sn, number, after, &it, &e));
    CHECK_ERR(EXPIRED, "are gone", snapshot_rewind(sn, number, after, &(const struct snapshot *){0}, &e));
    snapshot_unref(sn);
}

/* A statement on the file of a store that is closed; the number it gives. */
static int64_t sql(struct world *w, const char *text)
{
    struct sqlite_vfs *v;
    sqlite3 *db;
    sqlite3_stmt *st;
    int64_t number = -1;
    CHECK_OK(sqlite_vfs_register(w->env, w->dir, S("other"), &v, &e));
    CHECK_EQ(sqlite3_open_v2("state.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "other"),
             SQLITE_OK);
    CHECK_EQ(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
    if (sqlite3_step(st) == SQLITE_ROW)
        number = sqlite3_column_int64(st, 0);
    CHECK_EQ(sqlite3_finalize(st), SQLITE_OK);
    sqlite3_close(db);
    sqlite_vfs_unregister(v);
    return number;
}

/* --- starting again --- */

STORE_DISK_TEST(a_new_start_finds_everything)
{
    OK_PUT("pods", "a/b", "v1", ABSENT);
    int64_t start = w->revision;
    OK_PUT("pods", "a/b", "v2", THERE);
    OK_PUT("nodes", "n", "v1", ABSENT);
    OK_PUT("pods", "a/c", "v1", ABSENT);
    OK_DELETE("pods", "a/c", THERE);
    int64_t end = w->revision;
    uint32_t nodes = store_resource(w->store, S("nodes"), 0);
    for (int i = 0; i < 3; i++) {
        world_reopen(w);
        const struct snapshot *sn = store_snapshot(w->store);
        CHECK_EQ(sn->revision, end);
        CHECK_STR(value_in(w, sn, "pods", "a/b"), "v2");
        CHECK_STR(value_in(w, sn, "pods", "a/c"), "-");
        CHECK_STR(value_in(w, sn, "nodes", "n"), "v1");
        CHECK_EQ(snapshot_find(sn, world_key(w, "pods", "a/b"))->revision, start + 1);
        CHECK_EQ(store_resource(w->store, S("nodes"), 0), nodes);
        CHECK_EQ(change_count(w, "pods", start - 1), 4);
        CHECK_EQ(change_count(w, "pods", start), 3);
        CHECK_EQ(change_count(w, "nodes", start), 1);
        snapshot_unref(sn);
    }
    OK_PUT("pods", "a/b", "v3", start + 1);
    CHECK_EQ(w->revision, end + 1);
}

STORE_DISK_TEST(a_new_start_counts_on_from_the_newest_revision)
{
    for (int i = 0; i < 5; i++) {
        int64_t before = w->revision;
        if (i % 2 == 0)
            OK_PUT("pods", "a/b", "v", ABSENT);
        else
            OK_DELETE("pods", "a/b", THERE);
        CHECK(i == 0 || w->revision == before + 1);
        world_reopen(w);
    }
}

STORE_DISK_TEST(an_empty_store_stays_one)
{
    world_reopen(w);
    const struct snapshot *sn = store_snapshot(w->store);
    CHECK_EQ(sn->revision, 1);
    snapshot_unref(sn);
    CHECK_STR(world_get(w, "pods", "a/b"), "-");
}

STORE_DISK_TEST(numbers_of_resources_that_nothing_is_stored_under_go_to_others)
{
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        store_resource(w->store, str_from_c(names[i]), 0);
    OK_PUT("b", "x", "v1", ABSENT);
    world_reopen(w);
    uint32_t b = store_resource(w->store, S("b"), 0);
    CHECK_EQ(b, 2);
    CHECK_EQ(store_resource(w->store, S("d"), 0), 1);
    CHECK_EQ(store_resource(w->store, S("a"), 0), 3);
    OK_PUT("a", "x", "v1", ABSENT);
    OK_PUT("d", "x", "v1", ABSENT);
    OK_PUT("e", "x", "v1", ABSENT);
    world_reopen(w);
    CHECK_EQ(store_resource(w->store, S("b"), 0), 2);
    CHECK_EQ(store_resource(w->store, S("d"), 0), 1);
    CHECK_EQ(store_resource(w->store, S("a"), 0), 3);
    CHECK_EQ(store_resource(w->store, S("e"), 0), 4);
    CHECK_STR(world_get(w, "d", "x"), "v1");
}

/* --- other files --- */

static void check_open_fails(struct world *w, err_code code, const char *why)
{
    struct store *s;
    struct err got = ERR_INIT;
    CHECK_EQ(store_open(w->env, &w->opts, &s, &got), code);
    CHECK_CONTAINS(got.msg, why);
    CHECK_CONTAINS(got.msg, "could not open the store: ");
}

STORE_DISK_TEST(two_do_not_open_one_store)
{
    check_open_fails(w, ERR_CONFLICT, "another process uses this store");
    OK_PUT("pods", "a/b", "v1", ABSENT);
}

STORE_DISK_TEST(a_file_that_is_no_store_is_refused)
{
    static const struct {
        const char *sql;
        err_code code;
        const char *why;
    } cases[] = {
        {"PRAGMA user_version = 2", ERR_UNSUPPORTED,
         "format 2, made by a newer version; this one knows formats up to 1"},
        {"PRAGMA user_version = 0", ERR_CORRUPT, "format 0, which never was"},
        {"PRAGMA application_id = 77", ERR_CORRUPT, "a database of something else"},
        {"PRAGMA application_id = 0", ERR_CORRUPT, "a database of something else"},
        {"UPDATE log SET content = '{}'", ERR_CORRUPT,
         "'state.db' is damaged: row 128 of the log: content of 'b'"},
        {"UPDATE log SET content = NULL", ERR_CORRUPT, "row 128 of the log deletes what is not there"},
        {"UPDATE log SET resource = 9", ERR_CORRUPT, "row 128 of the log is of no known resource"},
        {"UPDATE log SET resource = -1", ERR_CORRUPT, "is of no known resource"},
        {"UPDATE log SET id = -1", ERR_CORRUPT, "is of no known resource"},
        {"UPDATE log SET name = 'c'", ERR_CORRUPT, "metadata.name is not that of the key"},
        {"UPDATE resource SET number = 0", ERR_CORRUPT, "resource 0 makes no sense"},
        {"UPDATE resource SET number = 4294967297", ERR_CORRUPT, "resource 4294967297 makes no sense"},
        {"DROP TABLE resource", ERR_IO, "no such table"},
        {"ALTER TABLE log RENAME COLUMN ns TO space", ERR_IO, "no such column"},
    };
    OK_PUT("pods", "a/b", "v1", ABSENT);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        world_close(w);
        CHECK_OK(dir_remove(w->dir, S("state.db"), &e));
        world_open(w);
        OK_PUT("pods", "a/b", "v1", ABSENT);
        world_close(w);
        sql(w, cases[i].sql);
        check_open_fails(w, cases[i].code, cases[i].why);
    }
    CHECK_OK(
        file_replace(w->dir, S("state.db"), S("this is not a database, but long enough to look at"), &e));
    check_open_fails(w, ERR_CORRUPT, "not a database");
    CHECK_OK(dir_remove(w->dir, S("state.db"), &e));
    world_open(w);
}

/* --- content on disk --- */

static void turn(str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_c(out, (char)(s.p[i] ^ 0x55));
}

static void to_disk(void *ctx, const struct object_key *key, str content, struct buf *out)
{
    buf_add_lit(out, "turned");
    turn(content, out);
}

static err_code from_disk(void *ctx, const struct object_key *key, str stored, struct buf *out,
                          struct err *err)
{
    if (!str_take_prefix(&stored, S("turned")))
        return err_set(err, ERR_INVALID, "not turned");
    turn(stored, out);
    return ERR_NONE;
}

STORE_DISK_TEST(content_rests_as_the_transform_has_it)
{
    struct store_transform t = {to_disk, from_disk, NULL};
    w->opts.transform = &t;
    world_reopen(w);
    OK_PUT("secrets", "a/b", "hush", ABSENT);
    world_reopen(w);
    CHECK_STR(world_get(w, "secrets", "a/b"), "hush");
    world_close(w);
    CHECK_EQ(sql(w, "SELECT count(*) FROM log WHERE instr(content, 'hush')"), 0);
    CHECK_EQ(sql(w, "SELECT count(*) FROM log WHERE instr(content, 'turned') = 1"), 1);
    sql(w, "UPDATE log SET content = 'plain'");
    check_open_fails(w, ERR_CORRUPT, "not turned");
    w->opts.transform = NULL;
    check_open_fails(w, ERR_CORRUPT, "begins with metadata.name");
    sql(w, "DELETE FROM log");
    world_open(w);
}

/* --- history --- */

static void pass(struct world *w, int64_t ns)
{
    CHECK(!loop_run_until(w->loop, NULL, NULL, ns));
}

TEST(sim_store_on_sqlite_keeps_history_for_so_long)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    world_open(w);
    store_resource(w->store, S("leases"), STORE_SHORT_HISTORY);
    int64_t start = 1;
    OK_PUT("pods", "a/b", "v1", ABSENT);
    store_resource(w->store, S("leases"), STORE_SHORT_HISTORY);
    for (int i = 0; i < 5; i++) {
        OK_PUT("pods", "a/b", "v2", THERE);
        OK_DELETE("pods", "a/b", THERE);
        OK_PUT("pods", "a/b", "v3", ABSENT);
    }
    int64_t pods = w->revision;
    uint32_t leases = store_resource(w->store, S("leases"), STORE_SHORT_HISTORY);
    struct object_key key = {leases, S("a"), S("l")};
    for (int i = 0; i < 5; i++)
        CHECK_OK(world_commit(w, NULL, 0, &(struct store_change){.put = world_object(key, "v")}, 1, &e));
    pass(w, 9 * NS_PER_S);
    OK_PUT("other", "o", "v", ANY);
    CHECK_EQ(change_count(w, "pods", start), 16);
    pass(w, 2 * NS_PER_S);
    OK_PUT("other", "o", "v", ANY);
    CHECK_EQ(change_count(w, "pods", start), 16);
    const struct snapshot *sn = store_snapshot(w->store);
    CHECK_EQ(snapshot_changes_from(sn, leases), pods + 5);
    snapshot_unref(sn);
    pass(w, 290 * NS_PER_S);
    OK_PUT("other", "o", "v", ANY);
    check_expired(w, "pods", start);
    check_expired(w, "pods", pods - 1);
    CHECK_EQ(change_count(w, "pods", pods), 0);
    CHECK_EQ(change_count(w, "other", pods), 3);
    CHECK_STR(world_get(w, "pods", "a/b"), "v3");
    /* The rows went along: one for each object, and what is still history. */
    for (int i = 0; i < 2; i++) {
        world_close(w);
        CHECK_EQ(sql(w, "SELECT count(*) FROM log"), 5);
        world_open(w);
        check_expired(w, "pods", pods - 1);
        CHECK_EQ(change_count(w, "pods", pods), 0);
        CHECK_EQ(change_count(w, "other", pods), 3);
    }
    world_done(w);
}

TEST(sim_store_on_sqlite_drops_history_of_what_takes_most_when_there_is_too_much)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    w->opts.history_size = 100000;
    world_open(w);
    OK_PUT("quiet", "q", "v1", ABSENT);
    OK_PUT("quiet", "q", "v2", THERE);
    char value[900];
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = 0;
    for (int i = 0; i < 400; i++)
        OK_PUT("busy", "b", value, ANY);
    struct store_stats st;
    store_stats(w->store, &st);
    CHECK_LE(st.history_bytes, 101000);
    CHECK_GE(st.history_bytes, 80000);
    check_expired(w, "busy", 200);
    CHECK_EQ(change_count(w, "quiet", 1), 2);
    CHECK_EQ(change_count(w, "busy", w->revision - 50), 50);
    world_reopen(w);
    CHECK_EQ(change_count(w, "quiet", 1), 2);
    CHECK_EQ(change_count(w, "busy", w->revision - 50), 50);
    store_stats(w->store, &st);
    CHECK_EQ(st.objects, 2);
    /* Opened with less room, it drops with the next writes. */
    w->opts.history_size = 10000;
    world_reopen(w);
    OK_PUT("busy", "b", value, ANY);
    store_stats(w->store, &st);
    CHECK_LE(st.history_bytes, 11000);
    world_done(w);
}

STORE_DISK_TEST(a_shorter_history_is_not_found_longer_by_a_new_start)
{
    w->opts.history_ns = 1;
    world_reopen(w);
    OK_PUT("pods", "a/b", "v1", ABSENT);
    OK_PUT("pods", "a/c", "v1", ABSENT);
    OK_DELETE("pods", "a/b", THERE);
    pass(w, 200 * NS_PER_MS);
    OK_PUT("pods", "a/c", "v2", THERE);
    check_expired(w, "pods", 1);
    w->opts.history_ns = 0;
    world_reopen(w);
    check_expired(w, "pods", 1);
    CHECK_STR(world_get(w, "pods", "a/b"), "-");
    CHECK_STR(world_get(w, "pods", "a/c"), "v2");
    world_close(w);
    CHECK_LE(sql(w, "SELECT count(*) FROM log"), 2);
    world_open(w);
}

/* --- time --- */

TEST(sim_store_knows_which_revision_there_was_at_a_time)
{
    struct world world, *w = &world;
    world_init(w, &world_sqlite_sim);
    world_open(w);
    enum { WRITES = 400 };
    static struct {
        int64_t at, revision;
    } log[WRITES];
    struct random r;
    random_init(&r, test_seed());
    for (int i = 0; i < WRITES; i++) {
        pass(w, (int64_t)random_below(&r, i % 50 ? 3 * NS_PER_S : 1000 * NS_PER_S));
        OK_PUT("pods", "a/b", "v", ANY);
        log[i].at = env_now_wall(w->env);
        log[i].revision = w->revision;
        if (i % 150 == 149)
            world_reopen(w);
    }
    CHECK_EQ(store_revision_at(w->store, log[0].at - 20 * NS_PER_S), 0);
    world_reopen(w); /* from the rows: only the newest are left */
    for (int i = WRITES - 40; i < WRITES; i++) {
        int64_t got = store_revision_at(w->store, log[i].at);
        int newest = i, oldest = i;
        while (oldest > 0 && log[oldest].at > log[i].at - 10 * NS_PER_S)
            oldest--;
        CHECK_LE(got, log[newest].revision);
        if (oldest > WRITES - 40)
            CHECK_GE(got, log[oldest].revision);
    }
    pass(w, 100 * NS_PER_S);
    CHECK_EQ(store_revision_at(w->store, env_now_wall(w->env)), w->revision);
    /* A clock that was set back: never too high. */
    sim_clock_jump(w->host, -2000 * NS_PER_S);
    int64_t back = env_now_wall(w->env);
    OK_PUT("pods", "a/b", "v", ANY);
    CHECK_LT(store_revision_at(w->store, back - NS_PER_S), w->revision);
    CHECK_EQ(store_revision_at(w->store, back + 10 * NS_PER_S), w->revision);
    world_done(w);
}
