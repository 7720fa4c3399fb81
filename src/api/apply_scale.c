/* apply_scale.c - managedFields of a scale subresource: who owns the number of replicas, told in the scale's own terms. */
#include "api/apply_priv.h"

static const str scale_version = S_INIT("autoscaling/v1"), scale_path = S_INIT("spec.replicas");

static const struct apply_scale_path *path_of(const struct apply_scale_path *paths, size_t count,
                                              str api_version)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(paths[i].api_version, api_version))
            return &paths[i];
    return NULL;
}

/* Does it own the field? */
static err_code owns(struct arena *a, struct apply_entry *entry, struct field_set field, bool *ret,
                     struct err *err)
{
    struct field_set set;
    if (entry_set(a, entry, NULL, &set, err))
        return err->code;
    *ret = field_set_within(field, set);
    return ERR_NONE;
}

err_code apply_scale_from(struct arena *a, const struct json *entries, const struct apply_scale_path *paths,
                          size_t path_count, struct json *ret, struct err *err)
{
    struct apply_entries from, to = {.a = a};
    bool changed;
    if (entries_read(a, entries, &from, err))
        return err->code;
    for (size_t i = 0; i < from.count; i++) {
        struct apply_entry entry = from.items[i];
        const struct apply_scale_path *path = path_of(paths, path_count, entry.api_version);
        bool is_owner = false;
        if (path && path->path.n && owns(a, &entry, field_set_of_path(a, path->path), &is_owner, err))
            return err->code;
        if (!is_owner)
            continue;
        entry.api_version = scale_version;
        entry_change(&entry, field_set_of_path(a, scale_path));
        entries_add(&to, &entry);
    }
    *ret = entries_write(&to, NULL, &changed);
    return arena_check(a, err);
}

/* An entry of the main resource's, after others may have set replicas through the scale. *ret_left false: nothing is. */
static err_code keep_parent(struct arena *a, struct apply_entry *entry, const struct apply_scale_path *path,
                            struct apply_entries *scale, bool *ret_left, struct err *err)
{
    struct field_set field = path->path.n ? field_set_of_path(a, path->path) : FIELD_SET_EMPTY;
    bool is_owner = false;
    *ret_left = true;
    if (field.count && owns(a, entry, field, &is_owner, err))
        return err->code;
    if (!is_owner)
        return ERR_NONE;
    struct apply_entry *same = entries_find(scale, entry);
    if (same) {
        entries_remove(scale, same);
        return ERR_NONE;
    }
    entry_change(entry, field_set_minus(a, entry->set, field));
    *ret_left = entry->set.count > 0;
    return ERR_NONE;
}

err_code apply_scale_to(struct arena *a, const struct json *entries, const struct json *scale_entries,
                        const struct apply_scale_path *paths, size_t path_count, str api_version,
                        struct json *ret, struct err *err)
{
    struct apply_entries parent, scale, to = {.a = a};
    const struct apply_scale_path *here = path_of(paths, path_count, api_version);
    bool changed;
    if (entries_read(a, entries, &parent, err) || entries_read(a, scale_entries, &scale, err))
        return err->code;
    for (size_t i = 0; i < parent.count; i++) {
        struct apply_entry entry = parent.items[i];
        const struct apply_scale_path *path = path_of(paths, path_count, entry.api_version);
        bool left = false;
        if (path && keep_parent(a, &entry, path, &scale, &left, err))
            return err->code;
        if (left)
            entries_add(&to, &entry);
    }
    for (size_t i = 0; i < scale.count; i++) {
        struct apply_entry entry = scale.items[i];
        bool is_owner = false;
        if (owns(a, &entry, field_set_of_path(a, scale_path), &is_owner, err))
            return err->code;
        if (!is_owner || !here || !here->path.n)
            continue;
        const struct apply_entry *before = entries_find(&parent, &entry);
        entry.time = before ? before->time : NULL; /* the original keeps no time of what the scale brought */
        entry.api_version = api_version;
        entry_change(&entry, field_set_of_path(a, here->path));
        entries_add(&to, &entry);
    }
    *ret = entries_write(&to, NULL, &changed);
    return arena_check(a, err);
}
