/* rbac_index.c - one change to the table: a role takes the place of another; a binding is also entered in, and struck from, the
 * lists of those it names. */
#include "base/mem.h"
#include "server/rbac_priv.h"

static void list_free(struct cow_item *item)
{
    struct subject_list *list = CONTAINER_OF(item, struct subject_list, item);
    for (size_t i = 0; i < list->count; i++)
        cow_item_unref(&list->items[i].binding->item);
    mem_free(list->items);
    mem_free(list);
}

static struct cow_item *list_clone(const struct cow_item *item);
static const struct cow_ops list_ops = {.free = list_free, .clone = list_clone};

/* The text of its key is its own: the binding it was first made for may go before it does. */
static struct subject_list *list_new(const struct cow_key *key, size_t cap)
{
    struct subject_list *list = mem_alloc(sizeof *list + key->ns.n + key->name.n);
    struct cow_key own = *key;
    char *text = (char *)(list + 1);
    if (key->ns.n)
        memcpy(text, key->ns.p, key->ns.n);
    if (key->name.n)
        memcpy(text + key->ns.n, key->name.p, key->name.n);
    own.ns.p = text;
    own.name.p = text + key->ns.n;
    cow_item_init(&list->item, &list_ops, &own);
    list->items = cap ? NEW_ARRAY(struct named_by, cap) : NULL;
    list->count = 0;
    list->cap = cap;
    return list;
}

static struct cow_item *list_clone(const struct cow_item *item)
{
    const struct subject_list *from = subject_list_of(item);
    struct cow_key key = {item->kind, item->ns, item->name, item->hash};
    struct subject_list *list = list_new(&key, from->count + 1);
    for (size_t i = 0; i < from->count; i++) {
        list->items[i] = from->items[i];
        cow_item_ref(&list->items[i].binding->item);
    }
    list->count = from->count;
    return &list->item;
}

/* Where a binding is, or belongs: by name. All of a list are of one namespace. The last place is looked at first, as
 * everything comes in order when it is read for the first time. */
static size_t list_place(const struct subject_list *list, str name)
{
    if (list->count && str_cmp(list->items[list->count - 1].binding->item.name, name) < 0)
        return list->count;
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (str_cmp(list->items[mid].binding->item.name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool list_has_at(const struct subject_list *list, size_t at, const struct compiled_binding *b)
{
    return at < list->count && str_eq(list->items[at].binding->item.name, b->item.name);
}

static void list_enter(struct cow_table *t, struct compiled_binding *b, size_t subject)
{
    const struct cow_key *key = &b->subjects[subject].list;
    struct cow_item *item = cow_table_edit(t, key);
    struct subject_list *list = item ? CONTAINER_OF(item, struct subject_list, item) : list_new(key, 1);
    if (!item)
        cow_table_put(t, &list->item);
    size_t at = list_place(list, b->item.name);
    if (list_has_at(list, at, b))
        return; /* it names the same one twice */
    if (list->count == list->cap) {
        list->cap = list->cap + list->cap / 2 + 1;
        list->items = mem_realloc(list->items, list->cap * sizeof list->items[0]);
    }
    memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof list->items[0]);
    list->items[at] = (struct named_by){b, subject};
    list->count++;
    cow_item_ref(&b->item);
}

static void list_strike(struct cow_table *t, const struct compiled_binding *b, size_t subject)
{
    const struct cow_key *key = &b->subjects[subject].list;
    struct cow_item *item = cow_table_edit(t, key);
    if (!item)
        return; /* named twice, and struck already */
    struct subject_list *list = CONTAINER_OF(item, struct subject_list, item);
    size_t at = list_place(list, b->item.name);
    if (list_has_at(list, at, b)) {
        cow_item_unref(&list->items[at].binding->item);
        list->count--;
        memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof list->items[0]);
    }
    if (list->count == 0)
        cow_item_unref(cow_table_take(t, key));
}

static void binding_change(struct cow_table *t, const struct cow_key *key, struct compiled_binding *now)
{
    struct cow_item *found = cow_table_take(t, key);
    if (found) {
        struct compiled_binding *old = CONTAINER_OF(found, struct compiled_binding, item);
        for (size_t i = 0; i < old->subject_count; i++)
            list_strike(t, old, i);
        cow_item_unref(found);
    }
    if (!now)
        return;
    cow_table_put(t, &now->item);
    for (size_t i = 0; i < now->subject_count; i++)
        list_enter(t, now, i);
}

void rbac_change(const uint64_t hash_key[2], struct cow_table *t, enum rbac_kind kind, str ns, str name,
                 str content)
{
    struct cow_key key = cow_key(hash_key, kind, ns, name);
    if (kind == RBAC_ROLE_BINDING || kind == RBAC_CLUSTER_ROLE_BINDING) {
        binding_change(t, &key, content.n ? rbac_binding_compile(hash_key, kind, ns, name, content) : NULL);
        return;
    }
    struct compiled_role *role = content.n ? rbac_role_compile(hash_key, kind, ns, name, content) : NULL;
    if (role)
        cow_table_put(t, &role->item);
    else
        cow_item_unref(cow_table_take(t, &key));
}

/* --- walking --- */

static bool visit_list(const struct cow_table *t, const struct cow_key *key, rbac_visit_fn *visit, void *ctx)
{
    const struct cow_item *item = cow_table_find(t, key);
    if (!item)
        return true;
    const struct subject_list *list = subject_list_of(item);
    for (size_t i = 0; i < list->count; i++) {
        const struct compiled_binding *b = list->items[i].binding;
        const struct cow_item *role = b->role_known ? cow_table_find(t, &b->role) : NULL;
        struct rbac_grant grant = {
            .binding = b,
            .subject = &b->subjects[list->items[i].subject],
            .role = role ? compiled_role_of(role) : NULL,
        };
        if (!visit(ctx, &grant))
            return false;
    }
    return true;
}

struct place {
    str ns;
    uint64_t ns_hash, none_hash;
};

static bool visit_subject(const struct cow_table *t, const uint64_t hash_key[2], const struct place *in,
                          enum rbac_kind kind, str name, rbac_visit_fn *visit, void *ctx)
{
    uint64_t name_hash = str_hash_keyed(name, hash_key);
    struct cow_key key = {kind, STR_NONE, name, cow_hash(kind, in->none_hash, name_hash)};
    if (!visit_list(t, &key, visit, ctx))
        return false;
    if (str_empty(in->ns))
        return true;
    key.ns = in->ns;
    key.hash = cow_hash(kind, in->ns_hash, name_hash);
    return visit_list(t, &key, visit, ctx);
}

void rbac_visit(const struct cow_table *t, const uint64_t hash_key[2], const struct user *u, str ns,
                rbac_visit_fn *visit, void *ctx)
{
    struct place in = {.ns = ns, .none_hash = str_hash_keyed(STR_NONE, hash_key)};
    in.ns_hash = ns.n ? str_hash_keyed(ns, hash_key) : in.none_hash;
    if (!visit_subject(t, hash_key, &in, RBAC_USER, u->name, visit, ctx))
        return;
    for (size_t i = 0; i < u->group_count; i++) {
        if (!visit_subject(t, hash_key, &in, RBAC_GROUP, u->groups[i], visit, ctx))
            return;
    }
}
