/* sim_disk.c - what is seen, what is safe, and which mixture of both a crash leaves.
 * Always true:
 *  - the bytes of a file past its size, up to its capacity, are zero;
 *  - saved[i] of a file is what the platter holds of sector i where that may differ from what is seen, else NULL;
 *  - `safe` of a directory is what `seen` was, less the steps that the disk still lists. */
#include "base/mem.h"
#include "sys/sim_disk_priv.h"
#include "sys/sim_random_priv.h"
#include <errno.h>

/* More unsynced steps than this, and the oldest is written back. */
#define STEP_MAX 1024

struct entry {
    char *name;
    size_t name_n;
    struct sim_node *node;
};

struct entries {
    struct entry *p; /* in byte order of names */
    size_t n, cap;
};

struct saved_sector {
    bool lost; /* a failed sync dropped it: the cache calls it clean */
    char bytes[SIM_SECTOR];
};

struct sim_node {
    struct sim_disk *disk;
    struct sim_node *prev, *next; /* all nodes of the disk */
    uint32_t refs;
    bool is_dir, locked;

    struct entries seen, safe; /* directories */

    char *p; /* files, from here */
    uint64_t size, cap;
    uint64_t safe_size;
    uint64_t low_size;           /* the smallest it has been since the last sync */
    struct saved_sector **saved; /* cap / SIM_SECTOR of them */
    uint32_t *dirty;             /* indexes of saved sectors, in the order they became so */
    size_t dirty_n, dirty_cap;
};

/* One change of names that survives whole or not at all: one or two (directory, name) that get a node or lose it. */
struct step {
    struct step_slot {
        struct sim_node *dir, *node;
        char *name;
        size_t name_n;
    } slots[2];
    size_t slot_count;
    bool after_all; /* moves or removes a directory: stands on every earlier step */
    bool chosen;
};

struct sim_disk {
    uint32_t refs;
    struct sim_random dice;
    struct sim_node *nodes, *root;
    struct step *steps;
    size_t step_n, step_cap;
    uint64_t used;
};

/* --- entries --- */

static str entry_name(const struct entry *e)
{
    return str_of(e->name, e->name_n);
}

static size_t entries_search(const struct entries *e, str name, bool *ret_found)
{
    size_t low = 0, high = e->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(entry_name(&e->p[middle]), name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

static struct sim_node *entries_find(const struct entries *e, str name)
{
    bool found;
    size_t at = entries_search(e, name, &found);
    return found ? e->p[at].node : NULL;
}

static void entries_remove(struct entries *e, size_t at)
{
    struct entry gone = e->p[at];
    memmove(&e->p[at], &e->p[at + 1], (e->n - at - 1) * sizeof *e->p);
    e->n--;
    sim_node_unref(gone.node);
    mem_free(gone.name);
}

/* Node NULL: the name goes. Else it holds a reference of its own. */
static void entries_set(struct entries *e, str name, struct sim_node *node)
{
    bool found;
    size_t at = entries_search(e, name, &found);
    if (!node) {
        if (found)
            entries_remove(e, at);
        return;
    }
    sim_node_ref(node);
    if (found) {
        struct sim_node *old = e->p[at].node;
        e->p[at].node = node;
        sim_node_unref(old);
        return;
    }
    if (e->n == e->cap) {
        e->cap = e->cap ? e->cap * 2 : 8;
        e->p = mem_realloc(e->p, e->cap * sizeof *e->p);
    }
    memmove(&e->p[at + 1], &e->p[at], (e->n - at) * sizeof *e->p);
    e->p[at] = (struct entry){mem_dup(name.p, name.n), name.n, node};
    e->n++;
}

/* --- nodes --- */

static struct sim_node *node_new(struct sim_disk *d, bool is_dir)
{
    struct sim_node *n = NEW(struct sim_node);
    n->disk = d;
    n->refs = 1;
    n->is_dir = is_dir;
    n->next = d->nodes;
    if (d->nodes)
        d->nodes->prev = n;
    d->nodes = n;
    return n;
}

static void file_forget_saved(struct sim_node *f)
{
    for (size_t i = 0; i < f->dirty_n; i++) {
        mem_free(f->saved[f->dirty[i]]);
        f->saved[f->dirty[i]] = NULL;
    }
    f->dirty_n = 0;
}

static void node_free_memory(struct sim_node *n)
{
    file_forget_saved(n);
    mem_free(n->saved);
    mem_free(n->dirty);
    mem_free(n->p);
    mem_free(n->seen.p);
    mem_free(n->safe.p);
    mem_free(n);
}

struct sim_node *sim_node_ref(struct sim_node *n)
{
    n->refs++;
    return n;
}

struct sim_node *sim_node_unref(struct sim_node *n)
{
    if (!n || --n->refs)
        return NULL;
    if (n->prev)
        n->prev->next = n->next;
    else
        n->disk->nodes = n->next;
    if (n->next)
        n->next->prev = n->prev;
    n->disk->used -= n->size;
    while (n->seen.n)
        entries_remove(&n->seen, n->seen.n - 1);
    while (n->safe.n)
        entries_remove(&n->safe, n->safe.n - 1);
    node_free_memory(n);
    return NULL;
}

struct sim_disk *sim_node_disk(const struct sim_node *n)
{
    return n->disk;
}

bool sim_node_is_dir(const struct sim_node *n)
{
    return n->is_dir;
}

bool sim_node_lock(struct sim_node *n)
{
    if (n->locked)
        return false;
    n->locked = true;
    return true;
}

void sim_node_unlock(struct sim_node *n)
{
    n->locked = false;
}

/* --- steps --- */

static void step_done(struct step *s)
{
    for (size_t i = 0; i < s->slot_count; i++) {
        sim_node_unref(s->slots[i].dir);
        sim_node_unref(s->slots[i].node);
        mem_free(s->slots[i].name);
    }
}

static void step_add_slot(struct step *s, struct sim_node *dir, str name, struct sim_node *node)
{
    s->slots[s->slot_count++] = (struct step_slot){
        .dir = sim_node_ref(dir),
        .node = node ? sim_node_ref(node) : NULL,
        .name = mem_dup(name.p, name.n),
        .name_n = name.n,
    };
}

static bool step_stands_on(const struct step *later, const struct step *earlier)
{
    if (later->after_all)
        return true;
    for (size_t i = 0; i < later->slot_count; i++)
        for (size_t j = 0; j < earlier->slot_count; j++)
            if (later->slots[i].dir == earlier->slots[j].dir &&
                str_eq(str_of(later->slots[i].name, later->slots[i].name_n),
                       str_of(earlier->slots[j].name, earlier->slots[j].name_n)))
                return true;
    return false;
}

/* Applies the chosen steps to what is safe, in their order, and forgets them. */
static void steps_make_safe(struct sim_disk *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->step_n; i++) {
        struct step *s = &d->steps[i];
        if (!s->chosen) {
            d->steps[kept++] = *s;
            continue;
        }
        for (size_t j = 0; j < s->slot_count; j++)
            entries_set(&s->slots[j].dir->safe, str_of(s->slots[j].name, s->slots[j].name_n),
                        s->slots[j].node);
        step_done(s);
    }
    d->step_n = kept;
}

static void steps_choose_none(struct sim_disk *d)
{
    for (size_t i = 0; i < d->step_n; i++)
        d->steps[i].chosen = false;
}

/* Does it, as far as can be seen, and remembers it. */
static void step_do(struct sim_disk *d, struct step s)
{
    if (d->step_n == STEP_MAX) {
        steps_choose_none(d);
        d->steps[0].chosen = true; /* stands on nothing: it is the oldest */
        steps_make_safe(d);
    }
    if (d->step_n == d->step_cap) {
        d->step_cap = d->step_cap ? d->step_cap * 2 : 16;
        d->steps = mem_realloc(d->steps, d->step_cap * sizeof *d->steps);
    }
    d->steps[d->step_n++] = s;
    for (size_t j = 0; j < s.slot_count; j++)
        entries_set(&s.slots[j].dir->seen, str_of(s.slots[j].name, s.slots[j].name_n), s.slots[j].node);
}

void sim_dir_sync(struct sim_node *dir)
{
    struct sim_disk *d = dir->disk;
    for (size_t i = d->step_n; i-- > 0;) {
        struct step *s = &d->steps[i];
        s->chosen = false;
        for (size_t j = 0; j < s->slot_count; j++)
            s->chosen |= s->slots[j].dir == dir;
        for (size_t later = i + 1; later < d->step_n && !s->chosen; later++)
            s->chosen = d->steps[later].chosen && step_stands_on(&d->steps[later], s);
    }
    steps_make_safe(d);
}

/* --- disks --- */

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *d = NEW(struct sim_disk);
    d->refs = 1;
    d->dice = sim_random_new(seed, 0);
    d->root = node_new(d, true);
    return d;
}

struct sim_disk *sim_disk_ref(struct sim_disk *d)
{
    d->refs++;
    return d;
}

struct sim_disk *sim_disk_unref(struct sim_disk *d)
{
    if (!d || --d->refs)
        return NULL;
    for (size_t i = 0; i < d->step_n; i++)
        for (size_t j = 0; j < d->steps[i].slot_count; j++)
            mem_free(d->steps[i].slots[j].name);
    mem_free(d->steps);
    /* All at once rather than by reference: nobody is left who could hold one. */
    for (struct sim_node *n = d->nodes, *next; n; n = next) {
        next = n->next;
        for (size_t i = 0; i < n->seen.n; i++)
            mem_free(n->seen.p[i].name);
        for (size_t i = 0; i < n->safe.n; i++)
            mem_free(n->safe.p[i].name);
        node_free_memory(n);
    }
    mem_free(d);
    return NULL;
}

struct sim_node *sim_disk_root(struct sim_disk *d)
{
    return d->root;
}

uint64_t sim_disk_used(const struct sim_disk *d)
{
    return d->used;
}

/* --- names --- */

err_code sim_node_find(struct sim_node *at, str path, struct sim_node **ret, struct err *err)
{
    str rest = path, name;
    struct sim_node *n = at;
    while (path.n && str_next(&rest, '/', &name)) {
        if (!n->is_dir)
            return err_errno(err, ENOTDIR, "could not find '%" STR_FMT "'", STR_ARG(path));
        n = entries_find(&n->seen, name);
        if (!n)
            return err_errno(err, ENOENT, "could not find '%" STR_FMT "'", STR_ARG(path));
    }
    *ret = n;
    return ERR_NONE;
}

/* The directory that holds, or would hold, the last name of the path. */
static err_code find_parent(struct sim_node *at, str path, struct sim_node **ret_dir, str *ret_name,
                            struct err *err)
{
    size_t slash = str_rindex_c(path, '/');
    *ret_name = path;
    *ret_dir = at;
    if (slash != SIZE_MAX) {
        if (sim_node_find(at, str_slice(path, 0, slash), ret_dir, err))
            return err->code;
        *ret_name = str_from(path, slash + 1);
    }
    if (!(*ret_dir)->is_dir)
        return err_errno(err, ENOTDIR, "could not find '%" STR_FMT "'", STR_ARG(path));
    return ERR_NONE;
}

err_code sim_node_create(struct sim_node *at, str path, bool is_dir, struct sim_node **ret, struct err *err)
{
    struct sim_node *dir;
    str name;
    if (find_parent(at, path, &dir, &name, err))
        return err->code;
    if (entries_find(&dir->seen, name))
        return err_errno(err, EEXIST, "could not create '%" STR_FMT "'", STR_ARG(path));
    if (dir->seen.n >= SIM_DIR_ENTRY_MAX)
        return err_errno(err, ENOSPC, "could not create '%" STR_FMT "'", STR_ARG(path));
    struct sim_node *n = node_new(at->disk, is_dir);
    struct step s = {.slot_count = 0};
    step_add_slot(&s, dir, name, n);
    step_do(at->disk, s);
    sim_node_unref(n); /* its name holds it */
    *ret = n;
    return ERR_NONE;
}

static bool dir_contains(const struct sim_node *dir, const struct sim_node *wanted)
{
    if (dir == wanted)
        return true;
    for (size_t i = 0; dir->is_dir && i < dir->seen.n; i++)
        if (dir_contains(dir->seen.p[i].node, wanted))
            return true;
    return false;
}

/* What rename(2) would answer; 0: go ahead. */
static int rename_refused(const struct sim_node *n, const struct sim_node *target,
                          const struct sim_node *target_dir)
{
    if (n->is_dir && dir_contains(n, target_dir))
        return EINVAL;
    if (!target)
        return 0;
    if (n->is_dir && !target->is_dir)
        return ENOTDIR;
    if (!n->is_dir && target->is_dir)
        return EISDIR;
    return target->is_dir && target->seen.n ? ENOTEMPTY : 0;
}

err_code sim_node_rename(struct sim_node *at, str from, str to, struct err *err)
{
    struct sim_node *from_dir, *to_dir;
    str from_name, to_name;
    struct sim_node *n = NULL, *target = NULL;
    int refused = ENOENT;
    if (find_parent(at, from, &from_dir, &from_name, err) || find_parent(at, to, &to_dir, &to_name, err)) {
        refused = err->sys_errno;
    } else if ((n = entries_find(&from_dir->seen, from_name))) {
        target = entries_find(&to_dir->seen, to_name);
        refused = rename_refused(n, target, to_dir);
    }
    if (refused)
        return err_errno(err, refused, "could not rename '%" STR_FMT "' to '%" STR_FMT "'", STR_ARG(from),
                         STR_ARG(to));
    if (n == target)
        return ERR_NONE;
    struct step s = {.after_all = n->is_dir};
    step_add_slot(&s, to_dir, to_name, n);
    step_add_slot(&s, from_dir, from_name, NULL);
    step_do(at->disk, s);
    return ERR_NONE;
}

err_code sim_node_remove(struct sim_node *at, str path, struct err *err)
{
    struct sim_node *dir;
    str name;
    if (find_parent(at, path, &dir, &name, err))
        return err->code;
    struct sim_node *n = entries_find(&dir->seen, name);
    if (!n || (n->is_dir && n->seen.n))
        return err_errno(err, n ? ENOTEMPTY : ENOENT, "could not remove '%" STR_FMT "'", STR_ARG(path));
    struct step s = {.after_all = n->is_dir};
    step_add_slot(&s, dir, name, NULL);
    step_do(at->disk, s);
    return ERR_NONE;
}

size_t sim_dir_count(const struct sim_node *dir)
{
    return dir->seen.n;
}

str sim_dir_name(const struct sim_node *dir, size_t index)
{
    ASSERT(index < dir->seen.n);
    return entry_name(&dir->seen.p[index]);
}

/* --- files --- */

uint64_t sim_file_size(const struct sim_node *f)
{
    return f->size;
}

size_t sim_file_read(const struct sim_node *f, uint64_t offset, void *p, size_t n)
{
    if (offset >= f->size)
        return 0;
    n = size_min(n, f->size - offset);
    if (n)
        memcpy(p, f->p + offset, n);
    return n;
}

size_t sim_file_unsafe_count(const struct sim_node *f)
{
    return f->dirty_n;
}

static void file_grow(struct sim_node *f, uint64_t size)
{
    if (size <= f->cap)
        return;
    uint64_t cap = f->cap ? f->cap * 2 : 8 * SIM_SECTOR;
    while (cap < size)
        cap *= 2;
    f->p = mem_realloc(f->p, cap);
    memset(f->p + f->cap, 0, cap - f->cap);
    f->saved = mem_realloc(f->saved, cap / SIM_SECTOR * sizeof *f->saved);
    memset(f->saved + f->cap / SIM_SECTOR, 0, (cap - f->cap) / SIM_SECTOR * sizeof *f->saved);
    f->cap = cap;
}

/* The sector is about to change as seen: keeps what the platter has. */
static void sector_save(struct sim_node *f, uint32_t index)
{
    const char *seen = f->p + (size_t)index * SIM_SECTOR;
    struct saved_sector *s = f->saved[index];
    if (s) {
        /* The cache may have written the older change back meanwhile, if it still knew that there was one. */
        if (!s->lost && sim_random_one_in(&f->disk->dice, 2))
            memcpy(s->bytes, seen, SIM_SECTOR);
        s->lost = false;
        return;
    }
    s = mem_alloc(sizeof *s);
    s->lost = false;
    memcpy(s->bytes, seen, SIM_SECTOR);
    f->saved[index] = s;
    if (f->dirty_n == f->dirty_cap) {
        f->dirty_cap = f->dirty_cap ? f->dirty_cap * 2 : 16;
        f->dirty = mem_realloc(f->dirty, f->dirty_cap * sizeof *f->dirty);
    }
    f->dirty[f->dirty_n++] = index;
}

/* Bytes [from, to) are about to change. */
static void sectors_save(struct sim_node *f, uint64_t from, uint64_t to)
{
    for (uint64_t i = from / SIM_SECTOR; i * SIM_SECTOR < to; i++)
        sector_save(f, (uint32_t)i);
}

static void file_set_size(struct sim_node *f, uint64_t size)
{
    f->disk->used += size - f->size;
    f->size = size;
}

err_code sim_file_write(struct sim_node *f, uint64_t offset, const void *p, size_t n, struct err *err)
{
    if (n > SIM_FILE_SIZE_MAX || offset > SIM_FILE_SIZE_MAX - n)
        return err_set(err, ERR_TOO_LARGE, "a simulated file holds %llu bytes at most",
                       (unsigned long long)SIM_FILE_SIZE_MAX);
    if (!n)
        return ERR_NONE;
    file_grow(f, offset + n);
    sectors_save(f, offset, offset + n);
    memcpy(f->p + offset, p, n);
    if (offset + n > f->size)
        file_set_size(f, offset + n);
    return ERR_NONE;
}

err_code sim_file_truncate(struct sim_node *f, uint64_t size, struct err *err)
{
    if (size > SIM_FILE_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "a simulated file holds %llu bytes at most",
                       (unsigned long long)SIM_FILE_SIZE_MAX);
    if (size < f->size) {
        sectors_save(f, size, f->size);
        memset(f->p + size, 0, f->size - size);
    } else {
        file_grow(f, size);
    }
    file_set_size(f, size);
    if (size < f->low_size)
        f->low_size = size;
    return ERR_NONE;
}

/* Forgets what the platter had of the sectors that have just been written back: all that are not lost, or with `half`
 * each by the dice, and the others are lost. */
static void file_write_back(struct sim_node *f, bool half)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->dirty_n; i++) {
        uint32_t index = f->dirty[i];
        struct saved_sector *s = f->saved[index];
        if (half && sim_random_one_in(&f->disk->dice, 2))
            s->lost = true;
        if (s->lost) {
            f->dirty[kept++] = index;
        } else {
            mem_free(s);
            f->saved[index] = NULL;
        }
    }
    f->dirty_n = kept;
}

void sim_file_sync(struct sim_node *f)
{
    file_write_back(f, false);
    f->safe_size = f->low_size = f->size;
}

void sim_file_sync_failed(struct sim_node *f)
{
    file_write_back(f, true);
}

/* --- crash --- */

/* How much of what was not safe survives this time. Drawn for each file: with one coin per sector alone, "nothing at
 * all", "nearly all" and "all up to here", the states that most often hurt, would never be seen. */
struct survival {
    enum { SURVIVE_NONE, SURVIVE_FEW, SURVIVE_HALF, SURVIVE_MOST, SURVIVE_ALL, SURVIVE_FIRST } how;
    size_t first_n; /* SURVIVE_FIRST: only the oldest so many */
};

static struct survival survival_draw(struct sim_random *dice, size_t count)
{
    return (struct survival){(int)sim_random_below(dice, SURVIVE_FIRST + 1),
                             (size_t)sim_random_below(dice, count + 1)};
}

static bool survives(struct survival s, struct sim_random *dice, size_t index)
{
    switch (s.how) {
    case SURVIVE_NONE: return false;
    case SURVIVE_FEW: return sim_random_one_in(dice, 8);
    case SURVIVE_HALF: return sim_random_one_in(dice, 2);
    case SURVIVE_MOST: return !sim_random_one_in(dice, 8);
    case SURVIVE_ALL: return true;
    case SURVIVE_FIRST: return index < s.first_n;
    }
    return false;
}

static uint64_t surviving_size(const struct sim_node *f, struct sim_random *dice)
{
    switch (sim_random_below(dice, 3)) {
    case 0: return f->safe_size;
    case 1: return f->size;
    }
    uint64_t high = f->size < f->safe_size ? f->safe_size : f->size;
    uint64_t size = f->low_size + sim_random_below(dice, high - f->low_size + 1);
    uint64_t rounded = size / SIM_SECTOR * SIM_SECTOR; /* a step of the way is some whole sectors long */
    return rounded < f->low_size ? f->low_size : rounded;
}

static void file_survive(struct sim_node *f, struct sim_node *to, struct sim_random *dice)
{
    uint64_t size = surviving_size(f, dice);
    file_grow(to, size);
    sim_file_read(f, 0, to->p, size);
    struct survival survival = survival_draw(dice, f->dirty_n);
    for (size_t i = 0; i < f->dirty_n; i++) {
        uint64_t from = (uint64_t)f->dirty[i] * SIM_SECTOR;
        const struct saved_sector *s = f->saved[f->dirty[i]];
        if (from >= size || (from < f->size && !s->lost && survives(survival, dice, i)))
            continue;
        memcpy(to->p + from, s->bytes, size_min(SIM_SECTOR, size - from));
    }
    file_set_size(to, size);
    to->safe_size = to->low_size = size;
}

static void dir_survive(struct sim_node *dir, struct sim_node *to, struct sim_random *dice)
{
    for (size_t i = 0; i < dir->safe.n; i++) {
        struct sim_node *n = dir->safe.p[i].node, *copy = node_new(to->disk, n->is_dir);
        if (n->is_dir)
            dir_survive(n, copy, dice);
        else
            file_survive(n, copy, dice);
        entries_set(&to->seen, entry_name(&dir->safe.p[i]), copy);
        entries_set(&to->safe, entry_name(&dir->safe.p[i]), copy);
        sim_node_unref(copy);
    }
}

static void steps_survive(struct sim_disk *d, struct sim_random *dice)
{
    struct survival survival = survival_draw(dice, d->step_n);
    for (size_t i = 0; i < d->step_n; i++) {
        struct step *s = &d->steps[i];
        s->chosen = survives(survival, dice, i);
        for (size_t earlier = 0; earlier < i && s->chosen; earlier++)
            s->chosen = d->steps[earlier].chosen || !step_stands_on(s, &d->steps[earlier]);
    }
    steps_make_safe(d);
}

struct sim_disk *sim_disk_crash(struct sim_disk *d)
{
    struct sim_disk *survivor = sim_disk_new(sim_random_next(&d->dice));
    steps_survive(d, &d->dice);
    dir_survive(d->root, survivor->root, &d->dice);
    return survivor;
}
