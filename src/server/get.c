/* get.c - one object. */
#include "server/encode.h"
#include "server/params.h"
#include "server/read.h"
#include "server/stages.h"

static void read_done(struct store_read *read)
{
    request_resume(CONTAINER_OF(read, struct request, read));
}

/* How the original says that a revision lies in the future. */
static enum stage_result too_large_revision(struct request *r)
{
    static const struct status_cause cause = {.reason = S_INIT("ResourceVersionTooLarge"),
                                              .message = S_INIT("Too large resource version")};
    const struct snapshot *newest = store_snapshot(r->server->store);
    struct status st = status_make(r->arena, ERR_TIMEOUT, "Too large resource version: %lld, current: %lld",
                                   (long long)r->read.revision, (long long)newest->revision);
    snapshot_unref(newest);
    st.causes = &cause;
    st.cause_count = 1;
    st.retry_after_s = 1;
    return answer_failure(r, st);
}

enum stage_result request_read(struct request *r, int64_t not_before)
{
    struct store_read *read = &r->read;
    if (!read->done) {
        *read = (struct store_read){.kind = not_before > 0 ? STORE_READ_NOT_BEFORE : STORE_READ_NEWEST,
                                    .revision = not_before,
                                    .timeout_ns = 3 * NS_PER_S,
                                    .loop = r->home->loop,
                                    .done = read_done};
        if (!store_read(r->server->store, read))
            return request_wait(r);
    }
    if (read->err.code == ERR_TIMEOUT)
        return too_large_revision(r);
    if (read->err.code)
        return answer_err(r, &read->err);
    return STAGE_NEXT;
}

void request_read_again(struct request *r)
{
    snapshot_unref(r->read.snapshot);
    r->read = (struct store_read){0};
}

enum stage_result answer_object(struct request *r, int code, const struct object *o)
{
    struct encoder e;
    struct buf out;
    struct err err = ERR_INIT;
    buf_init_arena(&out, r->arena, SIZE_MAX / 2);
    if (encoder_init(r, &e, &err) || encode_object(&e, r->arena, &out, o, &err))
        return answer_err(r, &err);
    return answer_bytes(r, code, encoder_content_type(&e), buf_str(&out));
}

enum stage_result act_get(struct request *r)
{
    str version;
    uint64_t revision = 0;
    if (param_find(r, S("resourceVersion"), &version) && version.n && !str_parse_u64(version, &revision))
        return answer_failure(r,
                              status_make(r->arena, ERR_BAD_REQUEST,
                                          "resourceVersion: Invalid value: \"%" STR_FMT
                                          "\": strconv.ParseUint: parsing \"%" STR_FMT "\": invalid syntax",
                                          STR_ARG(version), STR_ARG(version)));
    enum stage_result result = request_read(r, (int64_t)revision);
    if (result != STAGE_NEXT)
        return result;
    const struct object *o = snapshot_find(r->read.snapshot,
                                           (struct object_key){r->resource, r->ns, r->at.name});
    if (!o)
        return answer_failure(r, status_not_found(r->arena, r->kind, r->at.name));
    return answer_object(r, 200, o);
}
