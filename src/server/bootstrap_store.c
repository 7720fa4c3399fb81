/* bootstrap_store.c - the first objects. */
#include "server/bootstrap_store.h"
#include "base/arena.h"
#include "base/kube_time.h"

struct waiting {
    struct store_txn txn;
    bool done;
};

static void on_done(struct store_txn *t)
{
    CONTAINER_OF(t, struct waiting, txn)->done = true;
}

static bool is_done(void *ctx)
{
    return ((struct waiting *)ctx)->done;
}

static str uid_text(struct env *env, char storage[37])
{
    uint64_t high = env_random_u64(env), low = env_random_u64(env);
    struct buf out = {.p = storage, .cap = 36, .max = 36};
    buf_add_f(&out, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff),
              (unsigned)(high & 0xfff), (unsigned)(low >> 48 & 0x3fff) | 0x8000,
              (unsigned long long)(low & 0xffffffffffff));
    return buf_str(&out);
}

static err_code put_namespace(struct env *env, struct store *s, struct loop *l, str name, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    struct object_key key = {store_resource(s, S("namespaces"), 0), STR_NONE, name};
    struct buf now;
    char uid[37];
    arena_init(&a, 0);
    buf_init_arena(&now, &a, 64);
    kube_time_format(&now, kube_time_from_unix_ns(env_now_wall(env)));
    str content = str_format(
        &a,
        "{\"metadata\":{\"name\":\"%" STR_FMT "\",\"uid\":\"%" STR_FMT "\",\"creationTimestamp\":\"%" STR_FMT
        "\",\"labels\":{\"kubernetes.io/metadata.name\":\"%" STR_FMT
        "\"}},\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Active\"}}",
        STR_ARG(name), STR_ARG(uid_text(env, uid)), STR_ARG(buf_str(&now)), STR_ARG(name));
    struct object *o;
    if (object_new(key, content, &o, err))
        return err->code;
    struct store_guard guard = {.kind = STORE_GUARD_ABSENT, .key = key};
    struct store_change change = {.put = o, .key = key};
    struct waiting w = {.txn = {.guards = &guard,
                                .changes = &change,
                                .guard_count = 1,
                                .change_count = 1,
                                .loop = l,
                                .done = on_done}};
    store_commit(s, &w.txn);
    loop_run_until(l, is_done, &w, LOOP_FOREVER);
    if (w.txn.err.code == ERR_NONE || w.txn.err.code == ERR_CONFLICT)
        return ERR_NONE;
    *err = w.txn.err;
    return err_wrap(err, "could not make the namespace '%" STR_FMT "'", STR_ARG(name));
}

err_code bootstrap_store(struct env *env, struct store *s, struct loop *l, struct err *err)
{
    static const str names[] = {S_INIT("default"), S_INIT("kube-system"), S_INIT("kube-public"),
                                S_INIT("kube-node-lease")};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (put_namespace(env, s, l, names[i], err))
            return err->code;
    return ERR_NONE;
}
