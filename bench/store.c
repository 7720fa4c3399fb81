/* store.c - the store: durable transactions against bare SQLite, and what readers do. */
#include "store/store.h"
#include "base/mem.h"
#include "bench.h"
#include "sys/file.h"
#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 5000, IN_FLIGHT_MAX = 64, PER_RUN = 256 };

/* --- a store in a folder of its own --- */

struct place {
    char path[64];
    struct env *env;
    struct dir *dir;
    struct loop *loop;
    struct store *store;
    uint32_t pods;
};

static void place_open_store(struct place *p)
{
    struct store_opts opts = {.dir = p->dir,
                              .reserve_size = getenv("R") ? (size_t)atoi(getenv("R")) << 20 : 0};
    struct err why;
    BENCH_MUST(store_open(p->env, &opts, &p->store, &why) == ERR_NONE);
    p->pods = store_resource(p->store, S("pods"), 0);
}

static void place_open(struct place *p)
{
    struct err why;
    const char *tmp = getenv("TMPDIR"); /* elsewhere: another disk, or none */
    snprintf(p->path, sizeof p->path, "%.40s/skiff-bench-XXXXXX", tmp ? tmp : "/tmp");
    BENCH_MUST(mkdtemp(p->path));
    BENCH_MUST(env_new_real(NULL, &p->env, &why) == ERR_NONE);
    BENCH_MUST(dir_open(p->env, str_from_c(p->path), 0, &p->dir, &why) == ERR_NONE);
    BENCH_MUST(loop_new(p->env, S("bench"), &p->loop, &why) == ERR_NONE);
    place_open_store(p);
}

static void place_close(struct place *p)
{
    char command[100];
    store_close(p->store);
    loop_free(p->loop);
    dir_close(p->dir);
    env_free(p->env);
    snprintf(command, sizeof command, "rm -r %s", p->path);
    BENCH_MUST(system(command) == 0);
}

static struct object *new_pod(struct place *p, unsigned number, size_t size)
{
    CLEANUP(buf_done) struct buf b;
    struct object *o;
    struct err why;
    char name[30];
    int n = snprintf(name, sizeof name, "web-7c9f8d-%05u", number);
    buf_init(&b, OBJECT_SIZE_MAX);
    buf_add_f(
        &b,
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"uid\":\"0b5d51b8-3b1c-4f0f-9e64-%012u\","
        "\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"labels\":{\"app\":\"web-%u\",\"tier\":\"front\"}},"
        "\"spec\":{\"nodeName\":\"node-%u\"},\"data\":\"",
        name, number, number % 50, number % 100);
    buf_add_n(&b, 'x', size > b.n + 2 ? size - b.n - 2 : 0);
    buf_add_lit(&b, "\"}");
    struct object_key key = {p->pods, S("default"), str_of(name, (size_t)n)};
    BENCH_MUST(object_new(key, buf_str(&b), &o, &why) == ERR_NONE);
    return o;
}

/* --- writing --- */

struct write_load {
    struct place *p;
    size_t size;
    unsigned in_flight, left, busy, number;
    struct {
        struct write_load *load;
        struct store_txn txn;
        struct store_change change;
    } slots[IN_FLIGHT_MAX];
};

static void write_next(struct write_load *l, struct store_txn *t, struct store_change *c);

static void written(struct store_txn *t)
{
    __typeof__(((struct write_load *)0)->slots[0]) *slot = (void *)((char *)t -
                                                                    offsetof(__typeof__(*slot), txn));
    BENCH_MUST(t->err.code == ERR_NONE);
    if (slot->load->left)
        write_next(slot->load, t, &slot->change);
    else
        slot->load->busy--;
}

static void write_next(struct write_load *l, struct store_txn *t, struct store_change *c)
{
    l->left--;
    c->put = new_pod(l->p, l->number++ % KEYS, l->size);
    *t = (struct store_txn){.changes = c, .change_count = 1, .loop = l->p->loop, .done = written};
    store_commit(l->p->store, t);
}

static bool all_written(void *ctx)
{
    return ((struct write_load *)ctx)->busy == 0;
}

static void write_some(struct write_load *l, unsigned count)
{
    l->left = count;
    for (unsigned i = 0; i < l->in_flight && l->left; i++) {
        l->busy++;
        l->slots[i].load = l;
        write_next(l, &l->slots[i].txn, &l->slots[i].change);
    }
    BENCH_MUST(loop_run_until(l->p->loop, all_written, l, LOOP_FOREVER));
}

static void fill(struct place *p, unsigned count, size_t size)
{
    struct write_load l = {.p = p, .size = size, .in_flight = IN_FLIGHT_MAX};
    for (unsigned i = 0; i < count; i += IN_FLIGHT_MAX) {
        for (unsigned j = 0; j < IN_FLIGHT_MAX && i + j < count; j++) {
            l.slots[j].load = &l;
            l.busy++;
            l.slots[j].change.put = new_pod(p, i + j, size);
            l.slots[j].txn = (struct store_txn){
                .changes = &l.slots[j].change, .change_count = 1, .loop = p->loop, .done = written};
            store_commit(p->store, &l.slots[j].txn);
        }
        BENCH_MUST(loop_run_until(p->loop, all_written, &l, LOOP_FOREVER));
    }
}

static unsigned per_run(unsigned in_flight)
{
    return in_flight == 1 ? 8 : PER_RUN;
}

static void write_store(void *ctx)
{
    struct write_load *l = ctx;
    write_some(l, per_run(l->in_flight));
}

/* The same rows, as many to a commit as there are in flight, and nothing else. */
struct bare {
    char path[64];
    sqlite3 *db;
    sqlite3_stmt *insert;
    size_t size;
    unsigned group;
    int64_t id;
    char *content;
};

static void bare_open(struct bare *b, const struct place *p, size_t size, unsigned group)
{
    *b = (struct bare){.size = size, .group = group};
    b->content = mem_alloc(size);
    memset(b->content, 'x', size);
    snprintf(b->path, sizeof b->path, "%s/bare.db", p->path);
    BENCH_MUST(sqlite3_open_v2(b->path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix") ==
               SQLITE_OK);
    BENCH_MUST(
        sqlite3_exec(b->db,
                     "PRAGMA journal_mode = wal; PRAGMA synchronous = full;"
                     "CREATE TABLE log (id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, ns TEXT NOT NULL,"
                     " name TEXT NOT NULL, at INTEGER NOT NULL, content BLOB)",
                     NULL, NULL, NULL) == SQLITE_OK);
    BENCH_MUST(sqlite3_prepare_v2(b->db, "INSERT INTO log VALUES (?1, 1, 'default', ?2, 1767225600, ?3)", -1,
                                  &b->insert, NULL) == SQLITE_OK);
}

static void bare_close(struct bare *b)
{
    char command[100];
    sqlite3_finalize(b->insert);
    sqlite3_close(b->db);
    mem_free(b->content);
    snprintf(command, sizeof command, "rm %s*", b->path);
    BENCH_MUST(system(command) == 0);
}

static void write_bare(void *ctx)
{
    struct bare *b = ctx;
    for (unsigned done = 0; done < per_run(b->group); done += b->group) {
        BENCH_MUST(sqlite3_exec(b->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK);
        for (unsigned i = 0; i < b->group; i++) {
            char name[30];
            int n = snprintf(name, sizeof name, "web-7c9f8d-%05u", (unsigned)b->id % KEYS);
            sqlite3_bind_int64(b->insert, 1, ++b->id);
            sqlite3_bind_text(b->insert, 2, name, n, SQLITE_STATIC);
            sqlite3_bind_blob(b->insert, 3, b->content, (int)b->size, SQLITE_STATIC);
            BENCH_MUST(sqlite3_step(b->insert) == SQLITE_DONE);
            sqlite3_reset(b->insert);
        }
        BENCH_MUST(sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    }
}

/* As many rows as the store begins with, so that both logs have had their first round. */
static void bare_fill(struct bare *b)
{
    unsigned group = b->group;
    b->group = IN_FLIGHT_MAX;
    for (unsigned i = 0; i < KEYS; i += PER_RUN)
        write_bare(b);
    b->group = group;
}

BENCH(store_write, "transactions, durable when answered, over 5,000 objects")
{
    static const size_t sizes[] = {600, 3000};
    static const unsigned in_flight[] = {1, 16, 64};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(in_flight); j++) {
            struct place p;
            struct bare bare;
            char name[60];
            place_open(&p);
            bare_open(&bare, &p, sizes[i], in_flight[j]);
            struct write_load l = {.p = &p, .size = sizes[i], .in_flight = in_flight[j]};
            fill(&p, KEYS, sizes[i]);
            bare_fill(&bare);
            snprintf(name, sizeof name, "%zu B, %u in flight", sizes[i], in_flight[j]);
            struct store_stats before, st;
            store_stats(p.store, &before);
            BENCH_CASE(b, name, BENCH_ITEMS(per_run(in_flight[j]), "transactions"),
                       {"skiff", write_store, &l}, {"SQLite alone, inserts", write_bare, &bare});
            store_stats(p.store, &st);
            bench_note(b, "%s: %.1f transactions a sync, %.0f MB on disk, longest commit %.0f ms", name,
                       (double)(st.transactions - before.transactions) /
                           (double)(st.commits - before.commits),
                       (double)st.disk_bytes / 1e6, (double)st.longest_commit_ns / 1e6);
            bare_close(&bare);
            place_close(&p);
        }
    }
}

/* --- reading --- */

struct read_load {
    struct place *p;
    const struct snapshot *sn;
    struct label_selector sel;
    unsigned number;
};

static void find_one(void *ctx)
{
    struct read_load *l = ctx;
    char name[30];
    l->number = l->number * 1664525 + 1013904223;
    int n = snprintf(name, sizeof name, "web-7c9f8d-%05u", (l->number >> 8) % 16000);
    bench_keep(snapshot_find(l->sn, (struct object_key){l->p->pods, S("default"), str_of(name, (size_t)n)}));
}

static void name_only(void *ctx)
{
    struct read_load *l = ctx;
    char name[30];
    l->number = l->number * 1664525 + 1013904223;
    snprintf(name, sizeof name, "web-7c9f8d-%05u", (l->number >> 8) % 16000);
    bench_keep(name);
}

static void take_snapshot(void *ctx)
{
    struct read_load *l = ctx;
    snapshot_unref(store_snapshot(l->p->store));
}

static void list_matching(void *ctx)
{
    struct read_load *l = ctx;
    struct object_range range = {.resource = l->p->pods, .all_namespaces = true};
    struct snapshot_iter it;
    unsigned count = 0;
    snapshot_list(l->sn, &range, NULL, &it);
    for (const struct object *o; (o = snapshot_next(&it));)
        count += object_matches_labels(o, &l->sel);
    BENCH_MUST(count == 320);
}

static void list_all(void *ctx)
{
    struct read_load *l = ctx;
    struct object_range range = {.resource = l->p->pods, .all_namespaces = true};
    struct snapshot_iter it;
    unsigned count = 0;
    snapshot_list(l->sn, &range, NULL, &it);
    for (const struct object *o; (o = snapshot_next(&it)); count++)
        bench_keep(o);
    BENCH_MUST(count == 16000);
}

static void count_all(void *ctx)
{
    struct read_load *l = ctx;
    BENCH_MUST(snapshot_count(l->sn, &(struct object_range){.resource = l->p->pods, .ns = S("default")}) ==
               16000);
}

BENCH(store_read, "16,000 objects of 1 KB")
{
    struct place p;
    struct err why;
    place_open(&p);
    fill(&p, 16000, 1000);
    struct read_load l = {.p = &p, .sn = store_snapshot(p.store)};
    BENCH_MUST(label_selector_parse(bench_arena(b), S("app=web-7,tier!=back"), &l.sel, &why) == ERR_NONE);
    BENCH_CASE(b, "take a snapshot and let go", BENCH_ITEMS(1, "snapshots"), {"skiff", take_snapshot, &l});
    BENCH_CASE(b, "find by key", BENCH_ITEMS(1, "objects"), {"skiff", find_one, &l},
               {"only printing the name", name_only, &l});
    BENCH_CASE(b, "list by label selector", BENCH_ITEMS(16000, "objects"), {"skiff", list_matching, &l},
               {"without the selector", list_all, &l});
    BENCH_CASE(b, "count", BENCH_ITEMS(1, "counts"), {"skiff", count_all, &l});
    snapshot_unref(l.sn);
    place_close(&p);
}

static int64_t now(const struct place *p)
{
    return env_now_mono(p->env);
}

BENCH(store_open, "50,000 objects of 1 KB")
{
    struct place p;
    struct store_stats st;
    place_open(&p);
    fill(&p, 50000, 1000);
    store_close(p.store);
    malloc_trim(0);
    struct mallinfo2 before = mallinfo2();
    int64_t start = now(&p);
    place_open_store(&p);
    int64_t took = now(&p) - start;
    struct mallinfo2 after = mallinfo2();
    store_stats(p.store, &st);
    BENCH_MUST(st.objects == 50000);
    bench_note(b, "opening: %.0f ms", (double)took / 1e6);
    bench_note(
        b, "memory: %.0f bytes for each object beyond its content of 1,000; %.0f of them its recent change",
        (double)(after.uordblks - before.uordblks) / 50000 - 1000, (double)st.history_bytes / 50000);
    store_close(p.store);
    start = now(&p);
    place_open_store(&p);
    bench_note(b, "once more: %.0f ms", (double)(now(&p) - start) / 1e6);
    place_close(&p);
}

/* --- one object --- */

struct object_load {
    struct object_key key;
    str content;
    struct object *o;
    struct label_selector sel;
    struct arena *arena;
};

static void make_object(void *ctx)
{
    struct object_load *l = ctx;
    struct object *o;
    struct err why;
    BENCH_MUST(object_new(l->key, l->content, &o, &why) == ERR_NONE);
    object_unref(o);
}

static void copy_content(void *ctx)
{
    struct object_load *l = ctx;
    mem_free(mem_dup(l->content.p, l->content.n));
}

static void match_labels(void *ctx)
{
    struct object_load *l = ctx;
    BENCH_MUST(object_matches_labels(l->o, &l->sel));
}

static void find_field(void *ctx)
{
    struct object_load *l = ctx;
    BENCH_MUST(object_field(l->arena, l->o, S("spec.nodeName")).n);
}

static void print_object(void *ctx)
{
    struct object_load *l = ctx;
    struct buf out;
    buf_init(&out, OBJECT_SIZE_MAX);
    object_print(&out, l->o, S("{\"kind\":\"Pod\",\"apiVersion\":\"v1\","));
    bench_keep(out.p);
    buf_done(&out);
}

BENCH(store_object, "an object and its content")
{
    static const size_t sizes[] = {600, 3000};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct place none = {.pods = 1};
        struct object_load l = {.o = new_pod(&none, 7, sizes[i]), .arena = bench_arena(b)};
        struct err why;
        char name[60];
        l.key = object_key(l.o);
        l.content = object_content(l.o);
        BENCH_MUST(label_selector_parse(l.arena, S("app=web-7,tier=front"), &l.sel, &why) == ERR_NONE);
        snprintf(name, sizeof name, "make one of %zu B", sizes[i]);
        BENCH_CASE(b, name, BENCH_BYTES(l.content.n), {"skiff", make_object, &l},
                   {"copying it", copy_content, &l});
        snprintf(name, sizeof name, "print one of %zu B", sizes[i]);
        BENCH_CASE(b, name, BENCH_BYTES(l.content.n), {"skiff", print_object, &l},
                   {"copying it", copy_content, &l});
        snprintf(name, sizeof name, "match two labels, %zu B", sizes[i]);
        BENCH_CASE(b, name, BENCH_ITEMS(1, "objects"), {"skiff", match_labels, &l});
        snprintf(name, sizeof name, "find spec.nodeName, %zu B", sizes[i]);
        BENCH_CASE(b, name, BENCH_ITEMS(1, "fields"), {"skiff", find_field, &l});
        object_unref(l.o);
    }
}
