/* storage.c - volumes, claims, classes, drivers, devices. */
#include "api/columns/columns.h"

/* --- volumes and claims --- */

static void capacity_of(struct row *r, const struct quantity_map *capacity)
{
    static const struct quantity zero;
    const struct quantity *found = &zero;
    for (size_t i = 0; i < capacity->count; i++)
        if (str_is(capacity->items[i].key, "storage"))
            found = &capacity->items[i].value;
    quantity_format(cell_begin(r), found);
    cell_end(r, STR_NONE);
}

/* In an order of their own, whatever that of the list. */
void column_access_modes(struct row *r, const struct str_array *modes)
{
    static const struct {
        str mode, text;
    } known[] = {
        {S_INIT("ReadWriteOnce"), S_INIT("RWO")},
        {S_INIT("ReadOnlyMany"), S_INIT("ROX")},
        {S_INIT("ReadWriteMany"), S_INIT("RWX")},
        {S_INIT("ReadWriteOncePod"), S_INIT("RWOP")},
    };
    size_t shown = 0;
    struct buf *b = cell_begin(r);
    for (size_t k = 0; k < ARRAY_COUNT(known); k++) {
        bool has = false;
        for (size_t i = 0; i < modes->count && !has; i++)
            has = str_eq(modes->items[i], known[k].mode);
        if (has)
            cell_item(b, shown++, S(","), known[k].text);
    }
    cell_end(r, STR_NONE);
}

/* An annotation comes before the field. */
static void storage_class_of(struct row *r, const struct object_meta *meta, str field)
{
    for (size_t i = 0; i < meta->annotations.count; i++)
        if (str_is(meta->annotations.items[i].key, "volume.beta.kubernetes.io/storage-class"))
            field = meta->annotations.items[i].value;
    cell(r, field);
}

static void phase_of(struct row *r, const struct object_meta *meta, str phase)
{
    cell(r, kube_time_is_zero(meta->deletion_timestamp) ? phase : S("Terminating"));
}

void column_persistent_volume_capacity(struct row *r, const struct persistent_volume_spec *s)
{
    capacity_of(r, &s->capacity);
}

void column_persistent_volume_status(struct row *r, const struct persistent_volume *v)
{
    phase_of(r, &v->metadata, v->status.phase);
}

void column_persistent_volume_bound_claim(struct row *r, const struct persistent_volume_spec *s)
{
    if (s->claim_ref)
        cell_f(r, "%" STR_FMT "/%" STR_FMT, STR_ARG(s->claim_ref->namespace), STR_ARG(s->claim_ref->name));
    else
        cell(r, STR_NONE);
}

void column_persistent_volume_storage_class(struct row *r, const struct persistent_volume *v)
{
    storage_class_of(r, &v->metadata, v->spec.storage_class_name);
}

void column_persistent_volume_claim_status(struct row *r, const struct persistent_volume_claim *c)
{
    phase_of(r, &c->metadata, c->status.phase);
}

/* What a claim has, it has of its volume. */
void column_persistent_volume_claim_capacity(struct row *r, const struct persistent_volume_claim *c)
{
    if (c->spec.volume_name.n)
        capacity_of(r, &c->status.capacity);
    else
        cell(r, STR_NONE);
}

void column_persistent_volume_claim_access_modes(struct row *r, const struct persistent_volume_claim *c)
{
    if (c->spec.volume_name.n)
        column_access_modes(r, &c->status.access_modes);
    else
        cell(r, STR_NONE);
}

void column_persistent_volume_claim_storage_class(struct row *r, const struct persistent_volume_claim *c)
{
    storage_class_of(r, &c->metadata, c->spec.storage_class_name);
}

/* --- classes --- */

void column_storage_class_name(struct row *r, const struct object_meta *meta)
{
    cell_name_of_class(r, meta,
                       annotation_is_true(meta, S("storageclass.kubernetes.io/is-default-class")) ||
                           annotation_is_true(meta, S("storageclass.beta.kubernetes.io/is-default-class")));
}

void column_storage_class_reclaim_policy(struct row *r, const str *policy)
{
    cell_or(r, *policy, S("Delete"));
}

void column_storage_class_volume_binding_mode(struct row *r, const str *mode)
{
    cell_or(r, *mode, S("Immediate"));
}

/* --- drivers --- */

void column_true_unless_said(struct row *r, const struct opt_bool *b)
{
    cell_bool(r, !b->is_set || b->value);
}

void column_false_unless_said(struct row *r, const struct opt_bool *b)
{
    cell_bool(r, b->value);
}

void column_csi_driver_token_requests(struct row *r, const struct csi_driver_spec *s)
{
    struct buf *b = cell_begin(r);
    for (size_t i = 0; i < s->token_requests.count; i++)
        cell_item(b, i, S(","), s->token_requests.items[i].audience);
    cell_end(r, s->token_requests.count ? STR_NONE : S("<unset>"));
}

void column_csi_storage_capacity_capacity(struct row *r, const struct csi_storage_capacity *c)
{
    struct buf *b = cell_begin(r);
    if (c->capacity)
        quantity_format(b, c->capacity);
    cell_end(r, S("<unset>"));
}

/* --- devices --- */

void column_resource_claim_state(struct row *r, const struct dra_resource_claim *c)
{
    bool is_deleting = !kube_time_is_zero(c->metadata.deletion_timestamp);
    size_t count = 0;
    struct buf *b = cell_begin(r);
    if (is_deleting)
        cell_item(b, count++, S(","), S("deleted"));
    if (c->status.allocation) {
        cell_item(b, count++, S(","), S("allocated"));
        if (c->status.reserved_for.count)
            cell_item(b, count++, S(","), S("reserved"));
    } else if (!is_deleting) {
        cell_item(b, count++, S(","), S("pending"));
    }
    cell_end(r, STR_NONE);
}
