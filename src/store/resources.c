/* resources.c - names and numbers of resources. A number is looked up without a lock: chunks of them never move. */
#include "base/mem.h"
#include "store/store_priv.h"

void resources_init(struct store *s)
{
    struct resources *r = &s->resources;
    uint64_t key[2] = {env_random_u64(s->env), env_random_u64(s->env)};
    pthread_mutex_init(&r->lock, NULL);
    map_init(&r->by_name, key, MAP_BORROW_KEYS);
    atomic_init(&r->end, 1);
}

void resources_done(struct store *s)
{
    struct resources *r = &s->resources;
    for (uint32_t i = 1; i < r->end; i++) {
        union {
            const char *text;
            void *own;
        } name = {.text = resource_at(s, i)->name.p};
        mem_free(name.own);
    }
    for (size_t i = 0; i < ARRAY_COUNT(r->chunks); i++)
        mem_free(r->chunks[i]);
    vec_done(&r->unsaved);
    vec_done(&r->reusable);
    map_done(&r->by_name);
    pthread_mutex_destroy(&r->lock);
}

struct resource *resource_at(struct store *s, uint32_t number)
{
    struct resources *r = &s->resources;
    /* Pairs with make_number: what is below the end is there. */
    if (number == 0 || number >= atomic_load_explicit(&r->end, memory_order_acquire))
        return NULL;
    struct resource *chunk = atomic_load_explicit(&r->chunks[number / RESOURCE_CHUNK], memory_order_acquire);
    return &chunk[number % RESOURCE_CHUNK];
}

/* All numbers up to this one exist afterwards. */
static struct resource *make_number(struct store *s, uint32_t number)
{
    struct resources *r = &s->resources;
    for (uint32_t i = r->end; i <= number; i++) {
        struct resource *chunk = r->chunks[i / RESOURCE_CHUNK];
        if (!chunk) {
            chunk = NEW_ARRAY(struct resource, RESOURCE_CHUNK);
            atomic_store_explicit(&r->chunks[i / RESOURCE_CHUNK], chunk, memory_order_release);
        }
        chunk[i % RESOURCE_CHUNK].number = i;
    }
    if (number >= r->end)
        atomic_store_explicit(&r->end, number + 1, memory_order_release);
    return resource_at(s, number);
}

static void name_it(struct store *s, struct resource *res, str name, int64_t trimmed)
{
    struct resources *r = &s->resources;
    res->name = str_of(mem_dup(name.p, name.n), name.n);
    res->trimmed_next = trimmed;
    atomic_store_explicit(&res->trimmed, trimmed, memory_order_relaxed);
    map_set(&r->by_name, res->name, res);
}

static struct resource *new_resource(struct store *s, str name)
{
    struct resources *r = &s->resources;
    uint32_t number = r->end;
    if (r->reusable.count)
        number = r->reusable.items[--r->reusable.count];
    if (number > STORE_RESOURCES_MAX)
        return NULL;
    struct resource *res = make_number(s, number);
    name_it(s, res, name, r->trimmed_floor);
    vec_push(&r->unsaved, number);
    return res;
}

uint32_t store_resource(struct store *s, str name, unsigned flags)
{
    struct resources *r = &s->resources;
    pthread_mutex_lock(&r->lock);
    struct resource *res = map_find(&r->by_name, name);
    if (!res)
        res = new_resource(s, name);
    if (res)
        atomic_fetch_or_explicit(&res->flags, flags, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
    return res ? res->number : 0;
}

str store_resource_name(struct store *s, uint32_t resource)
{
    const struct resource *res = resource_at(s, resource);
    return res ? res->name : STR_NONE;
}

/* --- for the backend --- */

bool store_resource_load(struct store *s, uint32_t number, str name, int64_t trimmed)
{
    struct resources *r = &s->resources;
    if (number == 0 || number > STORE_RESOURCES_MAX || map_find(&r->by_name, name))
        return false;
    struct resource *res = make_number(s, number);
    if (res->name.p)
        return false;
    name_it(s, res, name, trimmed);
    return true;
}

void store_resources_loaded(struct store *s, int64_t from)
{
    struct resources *r = &s->resources;
    r->trimmed_floor = from;
    for (uint32_t i = r->end - 1; i > 0; i--) {
        struct resource *res = resource_at(s, i);
        r->trimmed_floor = res->trimmed_next > r->trimmed_floor ? res->trimmed_next : r->trimmed_floor;
        if (res->used)
            continue;
        if (res->name.p) {
            map_remove(&r->by_name, res->name, NULL);
            union {
                const char *text;
                void *own;
            } name = {.text = res->name.p};
            mem_free(name.own);
            res->name = STR_NONE;
        }
        vec_push(&r->reusable, i);
    }
}

bool store_resource_unsaved(struct store *s, size_t at, struct resource_record *ret)
{
    struct resources *r = &s->resources;
    struct build *b = &s->build;
    const struct resource *res = NULL;
    pthread_mutex_lock(&r->lock);
    size_t fresh = at <= b->unsaved ? r->unsaved.count : b->unsaved;
    if (at < fresh) {
        res = resource_at(s, r->unsaved.items[at]);
        b->unsaved = at + 1;
    } else if (at - fresh < b->touched.count) {
        res = b->touched.items[at - fresh];
    }
    pthread_mutex_unlock(&r->lock);
    if (res)
        *ret = (struct resource_record){res->number, res->name, res->trimmed_next};
    return res != NULL;
}

void resources_saved(struct store *s, size_t count)
{
    struct resources *r = &s->resources;
    pthread_mutex_lock(&r->lock);
    for (size_t i = count; i < r->unsaved.count; i++)
        r->unsaved.items[i - count] = r->unsaved.items[i];
    r->unsaved.count -= count;
    pthread_mutex_unlock(&r->lock);
}
