/* sim_sqlite_test.c - SQLite on the simulated disk: what was answered is there after a crash at any operation, and the
 * harness can tell when it is not. */
#include "base/mem.h"
#include "harness/sim_run.h"
#include "sys/sqlite_vfs.h"
#include <sqlite3.h>
#include <stdio.h>

#define WAL_FULL     "PRAGMA journal_mode = wal; PRAGMA synchronous = full"
#define WAL_NORMAL   "PRAGMA journal_mode = wal; PRAGMA synchronous = normal"
#define DELETE_EXTRA "PRAGMA journal_mode = delete; PRAGMA synchronous = extra"

enum { TRANSACTIONS = 12 };

/* What was promised: rows 1 to `answered`; and what else may be there: up to `tried`. */
struct ledger {
    int64_t answered, tried;
};

/* One life of a program that keeps a table. */
struct program {
    struct sim *sim;
    struct sim_host *host;
    const char *pragmas;
    struct ledger ledger;
    struct dir *dir;
    struct sqlite_vfs *vfs;
    sqlite3 *db;
    int failures; /* transactions that were refused */
    uint64_t first_life_ops;
    char verdict[200];
};

static bool program_start(struct program *p)
{
    CHECK_OK(dir_open(sim_host_env(p->host), S("/var/lib/ours"), DIR_CREATE, &p->dir, &e));
    CHECK_OK(sqlite_vfs_register(sim_host_env(p->host), p->dir, S("ours"), &p->vfs, &e));
    int rc = sqlite3_open_v2("state.db", &p->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "ours");
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(p->db, p->pragmas, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(p->db,
                          "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v BLOB);"
                          "CREATE TABLE IF NOT EXISTS total (n INTEGER);"
                          "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 20",
                          NULL, NULL, NULL);
    snprintf(p->verdict, sizeof p->verdict, "opening: %s", sqlite3_errmsg(p->db));
    return rc == SQLITE_OK;
}

static void program_end(struct program *p)
{
    sqlite3_close(p->db);
    sqlite_vfs_unregister(p->vfs);
    dir_close(p->dir);
    p->db = NULL;
    p->vfs = NULL;
    p->dir = NULL;
}

static void transaction(struct program *p)
{
    char sql[400];
    int64_t id = p->ledger.answered + 1;
    size_t size = 1 + sim_random(p->sim, sim_random(p->sim, 4) ? 300 : 20000);
    p->ledger.tried = id > p->ledger.tried ? id : p->ledger.tried;
    snprintf(sql, sizeof sql,
             "BEGIN IMMEDIATE; INSERT OR REPLACE INTO t VALUES (%lld, zeroblob(%zu));"
             "UPDATE t SET v = randomblob(length(v)) WHERE id > %lld - 2;"
             "DELETE FROM total; INSERT INTO total SELECT count(*) FROM t; COMMIT",
             (long long)id, size, (long long)id);
    if (sqlite3_exec(p->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        p->failures++;
        sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL); /* it may be rolled back already */
    } else if (!sim_host_is_crashed(p->host)) {
        p->ledger.answered = id;
    }
    if (sim_random(p->sim, 4) == 0) /* refused or failing: only the space stays taken */
        sqlite3_exec(p->db, "PRAGMA wal_checkpoint", NULL, NULL, NULL);
}

static void program_work(struct program *p, int transactions)
{
    for (int i = 0; i < transactions; i++)
        transaction(p);
}

static int64_t number(struct program *p, const char *sql)
{
    sqlite3_stmt *st;
    int64_t v = -1;
    if (sqlite3_prepare_v2(p->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

/* Whether all that was promised is there, and nothing that never was; `verdict` says what is wrong. */
static bool program_is_right(struct program *p)
{
    int64_t ok = number(p, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'");
    int64_t rows = number(p, "SELECT count(*) FROM t"),
            last = number(p, "SELECT coalesce(max(id), 0) FROM t");
    int64_t total = number(p, "SELECT coalesce(max(n), 0) FROM total");
    snprintf(p->verdict, sizeof p->verdict,
             "answered %lld, tried %lld; there are %lld rows up to %lld, counted %lld; integrity %lld",
             (long long)p->ledger.answered, (long long)p->ledger.tried, (long long)rows, (long long)last,
             (long long)total, (long long)ok);
    if (ok != 1 || rows != last || total != rows || rows < p->ledger.answered || rows > p->ledger.tried)
        return false;
    p->ledger.answered = rows; /* seen, so it has to stay */
    return true;
}

struct scenario {
    const char *pragmas;
    struct sim_disk_faults faults;
};

static void program_init(struct program *p, const struct scenario *sc, uint64_t seed)
{
    *p = (struct program){.pragmas = sc->pragmas};
    p->sim = sim_run_new(seed);
    p->host = sim_host_new(p->sim, S("node"), S("10.0.0.1"));
    sim_disk_faults_set(p->host, &sc->faults);
}

/* A run that crashes at operation `crash_at`, and once more in the life after that; true: all was right. The world is
 * left to the caller, for the report. */
static bool survives(struct program *p, const struct scenario *sc, uint64_t seed, uint64_t crash_at)
{
    program_init(p, sc, seed);
    sim_crash_at(p->host, crash_at);
    bool right = program_start(p);
    if (right)
        program_work(p, TRANSACTIONS);
    p->first_life_ops = sim_host_ops(p->host);
    for (int life = 0; life < 2 && right; life++) {
        sim_crash_now(p->host);
        program_end(p);
        sim_host_restart(p->host);
        if (life == 0)
            sim_crash_at(p->host, p->first_life_ops + sim_random(p->sim, 60));
        right = program_start(p) && program_is_right(p);
        if (right && life == 0)
            program_work(p, 3);
    }
    program_end(p);
    return right;
}

static void check_every_crash(const struct scenario *sc, uint64_t runs)
{
    for (struct sim_runs r = sim_runs(runs); sim_runs_next(&r);) {
        uint64_t all = 1;
        for (uint64_t n = 0; n <= all; n++) {
            struct program p;
            /* First without a crash, to learn how many operations there are. */
            if (!survives(&p, sc, r.seed, n ? n - 1 : UINT64_MAX))
                FAIL("crash at operation %lld of %llu: %s", (long long)n - 1, (unsigned long long)all,
                     p.verdict);
            all = n ? all : p.first_life_ops;
            sim_run_free(p.sim);
        }
        CHECK_GT(all, 5 * TRANSACTIONS);
    }
}

TEST_WITHIN(sim_sqlite_with_a_wal_keeps_every_answered_commit_through_a_crash_at_any_operation, 60)
{
    check_every_crash(&(struct scenario){.pragmas = WAL_FULL}, test_is_sanitized() ? 1 : 6);
}

TEST_WITHIN(sim_sqlite_with_a_journal_keeps_every_answered_commit_through_a_crash_at_any_operation, 60)
{
    check_every_crash(&(struct scenario){.pragmas = DELETE_EXTRA}, test_is_sanitized() ? 1 : 3);
}

/* What proves that the tests above could fail. */
static size_t losses(const struct scenario *sc)
{
    size_t lost = 0;
    for (uint64_t n = 0; n < 200; n += 5) {
        struct program p;
        lost += !survives(&p, sc, test_seed(), n);
        sim_run_free(p.sim);
    }
    return lost;
}

TEST(sim_sqlite_on_a_disk_that_lies_about_syncs_is_seen_to_lose_commits)
{
    CHECK_GT(losses(&(struct scenario){.pragmas = WAL_FULL, .faults.sync_lies = true}), 3);
}

TEST(sim_sqlite_that_does_not_sync_its_commits_is_seen_to_lose_them)
{
    CHECK_GT(losses(&(struct scenario){.pragmas = WAL_NORMAL}), 3);
}

/* --- faults other than crashes --- */

/* Whatever became of it, what it answered is there when it runs again, on a host that may have crashed. */
static void check_after_restart(struct program *p)
{
    program_end(p);
    if (sim_host_is_crashed(p->host))
        sim_host_restart(p->host);
    if (!program_start(p) || !program_is_right(p))
        FAIL("%s", p->verdict);
    program_end(p);
    sim_run_free(p->sim);
}

TEST(sim_sqlite_answers_no_commit_after_a_failed_sync)
{
    size_t failed_runs = 0;
    struct sim_runs r = sim_runs(40);
    while (sim_runs_next(&r)) {
        struct program p;
        program_init(&p, &(struct scenario){.pragmas = WAL_FULL}, r.seed);
        CHECK(program_start(&p));
        sim_disk_faults_set(p.host, &(struct sim_disk_faults){.sync_error = 0.05});
        for (int i = 0; i < 40; i++) {
            int64_t before = p.ledger.answered;
            bool failed = p.failures;
            transaction(&p);
            CHECK(!failed || p.ledger.answered == before);
        }
        failed_runs += p.failures > 0;
        sim_disk_faults_set(p.host, &(struct sim_disk_faults){.sync_error = 0});
        sim_crash_now(p.host);
        check_after_restart(&p);
    }
    CHECK(failed_runs > 0 || sim_runs_is_replay(&r));
}

TEST(sim_sqlite_goes_on_after_reads_and_writes_that_failed)
{
    int failures = 0;
    struct sim_runs r = sim_runs(40);
    while (sim_runs_next(&r)) {
        struct program p;
        program_init(&p, &(struct scenario){.pragmas = WAL_FULL}, r.seed);
        CHECK(program_start(&p));
        sim_disk_faults_set(p.host, &(struct sim_disk_faults){.write_error = 0.03, .read_error = 0.03});
        program_work(&p, 40);
        failures += p.failures;
        sim_disk_faults_set(p.host, &(struct sim_disk_faults){.write_error = 0});
        program_work(&p, 1);
        if (sim_random(p.sim, 2))
            sim_crash_now(p.host);
        check_after_restart(&p);
    }
    CHECK(failures > 20 || sim_runs_is_replay(&r));
}

TEST(sim_sqlite_on_a_full_disk_refuses_writes_only)
{
    struct program p;
    program_init(&p, &(struct scenario){.pragmas = WAL_FULL, .faults.full_at_bytes = 300000}, test_seed());
    CHECK(program_start(&p));
    for (int i = 0; i < 500 && !p.failures; i++)
        transaction(&p);
    CHECK_EQ(p.failures, 1);
    CHECK_EQ(sqlite3_exec(p.db, "UPDATE t SET v = zeroblob(length(v) + 100000)", NULL, NULL, NULL),
             SQLITE_FULL);
    CHECK(program_is_right(&p));
    CHECK_GT(p.ledger.answered, 5);
    sim_disk_faults_set(p.host, &(struct sim_disk_faults){.full_at_bytes = 0});
    p.failures = 0;
    program_work(&p, 5);
    CHECK_EQ(p.failures, 0);
    CHECK(program_is_right(&p));
    program_end(&p);
    sim_run_free(p.sim);
}

TEST(sim_sqlite_runs_the_same_to_the_byte_from_the_same_seed)
{
    uint64_t hashes[3];
    for (uint64_t i = 0; i < 3; i++) {
        struct program p;
        CHECK(survives(&p, &(struct scenario){.pragmas = WAL_FULL}, test_seed() + i / 2, 50));
        hashes[i] = sim_trace_hash(p.sim);
        sim_run_free(p.sim);
    }
    CHECK_EQ(hashes[0], hashes[1]);
    CHECK_NE(hashes[0], hashes[2]);
}
