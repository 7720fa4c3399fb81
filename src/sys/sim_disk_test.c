#include "harness/test.h"
#include "sys/sim_disk_priv.h"
#include "sys/sim_random_priv.h"
#include <stdio.h>

static void disk_unrefp(struct sim_disk **d)
{
    sim_disk_unref(*d);
}

static struct sim_node *make_file(struct sim_disk *d, str path)
{
    struct sim_node *f = NULL;
    CHECK_OK(sim_node_create(sim_disk_root(d), path, false, &f, &e));
    return f;
}

static struct sim_node *find(struct sim_disk *d, str path)
{
    struct sim_node *n = NULL;
    struct err e = ERR_INIT;
    err_ignore(sim_node_find(sim_disk_root(d), path, &n, &e)); /* absent is an answer here */
    return n;
}

static void put(struct sim_node *f, uint64_t offset, char c, size_t n)
{
    char bytes[8 * SIM_SECTOR];
    ASSERT(n <= sizeof bytes);
    memset(bytes, c, n);
    CHECK_OK(sim_file_write(f, offset, bytes, n, &e));
}

static int byte_at(const struct sim_node *f, uint64_t offset)
{
    char c;
    return sim_file_read(f, offset, &c, 1) ? c : -1;
}

/* A file of `n` bytes `c` that is safe, its name too. */
static struct sim_node *make_synced(struct sim_disk *d, str path, char c, size_t n)
{
    struct sim_node *f = make_file(d, path);
    if (n)
        put(f, 0, c, n);
    sim_file_sync(f);
    sim_dir_sync(sim_disk_root(d));
    return f;
}

TEST(sim_disk_keeps_through_every_crash_what_was_synced)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        struct sim_node *f = make_synced(d, S("f"), 'a', 3000);
        put(f, 1024, 'b', 512);
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        struct sim_node *g = find(after, S("f"));
        CHECK(g);
        CHECK_EQ(sim_file_size(g), 3000);
        for (uint64_t i = 0; i < 3000; i += 100)
            CHECK(byte_at(g, i) == 'a' || (i >= 1024 && i < 1536 && byte_at(g, i) == 'b'));
        CHECK_EQ(byte_at(f, 1100), 'b'); /* the dead see what they wrote */
    }
}

TEST(sim_disk_tears_unsynced_writes_between_sectors_only)
{
    bool seen[4] = {false};
    for (uint64_t seed = 0; seed < 200; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        struct sim_node *f = make_synced(d, S("f"), 'a', 1024);
        put(f, 0, 'b', 1024);
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        struct sim_node *g = find(after, S("f"));
        CHECK_EQ(byte_at(g, 0), byte_at(g, 511));
        CHECK_EQ(byte_at(g, 512), byte_at(g, 1023));
        seen[(byte_at(g, 0) == 'b') + 2 * (byte_at(g, 512) == 'b')] = true;
    }
    CHECK(seen[0] && seen[1] && seen[2] && seen[3]);
}

TEST(sim_disk_may_keep_an_overwritten_version_that_was_never_synced)
{
    bool seen[3] = {false};
    for (uint64_t seed = 0; seed < 200; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        struct sim_node *f = make_synced(d, S("f"), 'a', 512);
        put(f, 0, 'b', 512);
        put(f, 0, 'c', 512);
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        seen[byte_at(find(after, S("f")), 0) - 'a'] = true;
    }
    CHECK(seen[0] && seen[1] && seen[2]);
}

TEST(sim_disk_keeps_a_new_name_for_sure_only_after_dir_sync)
{
    size_t lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        make_synced(d, S("synced"), 0, 0);
        sim_file_sync(make_file(d, S("not")));
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        CHECK(find(after, S("synced")));
        *(find(after, S("not")) ? &kept : &lost) += 1;
    }
    CHECK_GT(lost, 10);
    CHECK_GT(kept, 10);
}

TEST(sim_disk_renames_whole_or_not_at_all)
{
    size_t old = 0, new = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        make_synced(d, S("state"), 'o', 1);
        make_synced(d, S("new"), 'n', 1);
        CHECK_OK(sim_node_rename(sim_disk_root(d), S("new"), S("state"), &e));
        CHECK_EQ(byte_at(find(d, S("state")), 0), 'n');
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        CHECK(find(after, S("state")));
        bool moved = byte_at(find(after, S("state")), 0) == 'n';
        CHECK_EQ(find(after, S("new")) == NULL, moved);
        *(moved ? &new : &old) += 1;
    }
    CHECK_GT(old, 10);
    CHECK_GT(new, 10);
}

TEST(sim_disk_never_keeps_a_step_without_the_earlier_ones_about_its_names)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        struct sim_node *root = sim_disk_root(d), *n;
        CHECK_OK(sim_node_create(root, S("a"), true, &n, &e));
        CHECK_OK(sim_node_create(root, S("a/x"), false, &n, &e));
        CHECK_OK(sim_node_rename(root, S("a/x"), S("y"), &e));
        CHECK_OK(sim_node_remove(root, S("a"), &e));
        CHECK_OK(sim_node_rename(root, S("y"), S("z"), &e));
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        struct sim_node *a = find(after, S("a"));
        /* One file, so at most one of its names. */
        CHECK_LE((find(after, S("a/x")) != NULL) + (find(after, S("y")) != NULL) +
                     (find(after, S("z")) != NULL),
                 1);
        if (!a && !find(after, S("y")) && !find(after, S("z")))
            CHECK_EQ(sim_dir_count(sim_disk_root(after)), 0);
    }
}

TEST(sim_disk_syncs_a_directory_with_what_its_steps_stand_on)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        struct sim_node *root = sim_disk_root(d), *a, *b;
        CHECK_OK(sim_node_create(root, S("a"), true, &a, &e));
        CHECK_OK(sim_node_create(root, S("b"), true, &b, &e));
        sim_dir_sync(root);
        make_file(d, S("a/f"));
        CHECK_OK(sim_node_rename(root, S("a/f"), S("b/f"), &e));
        sim_dir_sync(b);
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        CHECK(find(after, S("b/f")));
        CHECK(!find(after, S("a/f")));
    }
}

TEST(sim_disk_never_writes_back_what_a_failed_sync_dropped)
{
    size_t lost = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
        struct sim_node *f = make_synced(d, S("f"), 'a', 1024);
        put(f, 0, 'b', 1024);
        sim_file_sync_failed(f);
        sim_file_sync(f);
        CHECK_EQ(byte_at(f, 0), 'b');
        size_t unsafe = sim_file_unsafe_count(f);
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        struct sim_node *g = find(after, S("f"));
        CHECK_EQ((byte_at(g, 0) == 'a') + (byte_at(g, 512) == 'a'), unsafe);
        lost += unsafe;
    }
    CHECK_GT(lost, 50);
    CHECK_LT(lost, 150);
}

TEST(sim_disk_holds_no_lock_after_a_crash)
{
    CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(1);
    struct sim_node *f = make_synced(d, S("lock"), 0, 0);
    CHECK(sim_node_lock(f));
    CHECK(!sim_node_lock(f));
    CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
    CHECK(sim_node_lock(find(after, S("lock"))));
    sim_node_unlock(f);
    CHECK(sim_node_lock(f));
}

TEST(sim_disk_counts_a_file_until_its_last_user_is_gone)
{
    CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(1);
    struct sim_node *f = sim_node_ref(make_file(d, S("f")));
    put(f, 1000, 'x', 24);
    CHECK_EQ(sim_disk_used(d), 1024);
    CHECK_EQ(byte_at(f, 0), 0);
    CHECK_OK(sim_node_remove(sim_disk_root(d), S("f"), &e));
    sim_dir_sync(sim_disk_root(d));
    CHECK_EQ(sim_disk_used(d), 1024);
    CHECK_OK(sim_file_truncate(f, 10, &e));
    CHECK_EQ(sim_disk_used(d), 10);
    sim_node_unref(f);
    CHECK_EQ(sim_disk_used(d), 0);
    CHECK_ERR(NOT_FOUND, "could not find 'f'", sim_node_find(sim_disk_root(d), S("f"), &f, &e));
}

TEST(sim_disk_refuses_what_a_file_system_refuses)
{
    CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(1);
    struct sim_node *root = sim_disk_root(d), *n;
    CHECK_OK(sim_node_create(root, S("d"), true, &n, &e));
    CHECK_OK(sim_node_create(root, S("d/e"), true, &n, &e));
    make_file(d, S("f"));
    CHECK_ERR(ALREADY_EXISTS, "could not create 'd/e'", sim_node_create(root, S("d/e"), false, &n, &e));
    CHECK_ERR(IO, "Not a directory", sim_node_create(root, S("f/x"), false, &n, &e));
    CHECK_ERR(NOT_FOUND, "could not find 'q'", sim_node_create(root, S("q/x"), false, &n, &e));
    CHECK_ERR(IO, "Invalid argument", sim_node_rename(root, S("d"), S("d/e/d"), &e));
    CHECK_ERR(IO, "Is a directory", sim_node_rename(root, S("f"), S("d"), &e));
    CHECK_ERR(IO, "Not a directory", sim_node_rename(root, S("d"), S("f"), &e));
    CHECK_ERR(NOT_FOUND, "'q' to 'r'", sim_node_rename(root, S("q"), S("r"), &e));
    CHECK_ERR(IO, "not empty", sim_node_remove(root, S("d"), &e));
    CHECK_ERR(NOT_FOUND, "'q'", sim_node_remove(root, S("q"), &e));
    CHECK_ERR(TOO_LARGE, "at most", sim_file_write(find(d, S("f")), SIM_FILE_SIZE_MAX, "x", 1, &e));
    CHECK_OK(sim_node_rename(root, S("f"), S("f"), &e));
}

/* Against a list of everything each sector has held since it was last safe. */
enum { SECTORS = 16, VERSIONS = 64 };
struct history {
    int versions[SECTORS][VERSIONS];
    size_t counts[SECTORS];
    int now[SECTORS];
    uint64_t size_min, size_max; /* since the last sync */
};

static void history_add(struct history *h, size_t sector, int version)
{
    h->now[sector] = version;
    if (h->counts[sector] == VERSIONS)
        h->counts[sector]--;
    h->versions[sector][h->counts[sector]++] = version;
}

static void history_synced(struct history *h, uint64_t size)
{
    h->size_min = h->size_max = size;
    for (size_t i = 0; i < SECTORS; i++) {
        h->versions[i][0] = h->now[i];
        h->counts[i] = 1;
    }
}

static void history_step(struct history *h, struct sim_node *f, struct sim_random *dice, int version)
{
    size_t from = sim_random_below(dice, SECTORS), n = 1 + sim_random_below(dice, SECTORS - from);
    switch (sim_random_below(dice, 8)) {
    case 0:
        sim_file_sync(f);
        history_synced(h, sim_file_size(f));
        break;
    case 1:
        CHECK_OK(sim_file_truncate(f, from * SIM_SECTOR, &e));
        for (size_t i = from; i < SECTORS; i++)
            history_add(h, i, 0);
        break;
    default:
        n = size_min(n, 8);
        put(f, from * SIM_SECTOR, (char)version, n * SIM_SECTOR);
        for (size_t i = from; i < from + n; i++)
            history_add(h, i, version);
    }
    uint64_t size = sim_file_size(f);
    h->size_min = size < h->size_min ? size : h->size_min;
    h->size_max = size > h->size_max ? size : h->size_max;
}

TEST(sim_disk_leaves_of_each_sector_one_of_the_versions_since_its_last_sync)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct sim_random dice = sim_random_new(test_seed() + seed, 7);
        CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(test_seed() + seed);
        struct sim_node *f = make_synced(d, S("f"), 0, 0);
        struct history h = {0};
        history_synced(&h, 0);
        size_t steps = sim_random_below(&dice, 50);
        for (size_t i = 0; i < steps; i++)
            history_step(&h, f, &dice, 1 + (int)i);
        CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
        struct sim_node *g = find(after, S("f"));
        CHECK_GE(sim_file_size(g), h.size_min);
        CHECK_LE(sim_file_size(g), h.size_max);
        for (size_t i = 0; i < SECTORS && i * SIM_SECTOR < sim_file_size(g); i++) {
            bool known = false;
            for (size_t v = 0; v < h.counts[i]; v++)
                known |= h.versions[i][v] == byte_at(g, i * SIM_SECTOR);
            if (!known)
                FAIL("sector %zu holds %d, which it never did since its last sync", i,
                     byte_at(g, i * SIM_SECTOR));
        }
    }
}

TEST(sim_disk_survives_the_same_way_from_the_same_seed)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        char got[2][8 * SIM_SECTOR];
        size_t sizes[2];
        for (int run = 0; run < 2; run++) {
            CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(seed);
            struct sim_node *f = make_synced(d, S("f"), 0, 0);
            for (char i = 0; i < 20; i++)
                put(f, (uint64_t)(i % 5) * 700, i, 1000);
            CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
            sizes[run] = sim_file_read(find(after, S("f")), 0, got[run], sizeof got[run]);
        }
        CHECK_STR(str_of(got[0], sizes[0]), str_of(got[1], sizes[1]));
    }
}

TEST(sim_disk_writes_the_oldest_steps_back_by_itself)
{
    CLEANUP(disk_unrefp) struct sim_disk *d = sim_disk_new(3);
    char name[16];
    for (int i = 0; i < 3000; i++) {
        int n = snprintf(name, sizeof name, "f%d", i);
        make_file(d, str_of(name, (size_t)n));
    }
    CLEANUP(disk_unrefp) struct sim_disk *after = sim_disk_crash(d);
    CHECK_GE(sim_dir_count(sim_disk_root(after)), 3000 - 1024);
    CHECK(find(after, S("f0")));
}
