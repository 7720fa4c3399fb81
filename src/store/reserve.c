/* reserve.c - see reserve.h. */
#include "store/reserve.h"
#include "base/random.h"

static void write_run(struct loop_work *w);
static void write_done(struct loop_work *w);

err_code reserve_open(struct reserve *r, struct dir *d, str name, struct err *err)
{
    uint64_t size;
    r->work = (struct loop_work){.run = write_run, .done = write_done};
    if (file_open(d, name, FILE_READ | FILE_WRITE | FILE_CREATE, &r->file, err) ||
        file_size(r->file, &size, err))
        return err->code;
    r->there = size >= r->size;
    return ERR_NONE;
}

void reserve_close(struct reserve *r)
{
    if (r->file)
        file_close(r->file);
}

/* Not of zeros, which some file systems keep without taking room. */
static bool write_all(struct reserve *r)
{
    struct err ignored; /* mostly that there is no room */
    uint64_t block[2048];
    struct random random;
    random_init(&random, 1);
    for (size_t done = 0, n; done < r->size; done += n) {
        for (size_t i = 0; i < ARRAY_COUNT(block); i++)
            block[i] = random_u64(&random);
        n = size_min(sizeof block, r->size - done);
        if (file_write_at(r->file, done, block, n, &ignored))
            return false;
    }
    return !file_sync(r->file, &ignored);
}

static void write_run(struct loop_work *w)
{
    struct reserve *r = CONTAINER_OF(w, struct reserve, work);
    r->written = write_all(r);
}

static void give_up(struct reserve *r)
{
    struct err ignored; /* then there is as little room as before */
    r->there = false;
    if (!file_truncate(r->file, 0,
                       &ignored)) /* and a disk may not have the room back before that is for good */
        err_ignore(file_sync(r->file, &ignored));
}

static void write_done(struct loop_work *w)
{
    struct reserve *r = CONTAINER_OF(w, struct reserve, work);
    r->making = false;
    r->there = r->written && !r->unwanted;
    if (!r->there)
        give_up(r);
    r->unwanted = false;
    r->on_made(r, r->there);
}

void reserve_make(struct reserve *r)
{
    if (r->there || r->making)
        return;
    r->making = true;
    loop_submit(r->loop, &r->work);
}

void reserve_release(struct reserve *r)
{
    if (r->making)
        r->unwanted = true;
    else
        give_up(r);
}
