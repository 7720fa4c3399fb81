/* negotiate.c - Accept and Content-Type. */
#include "server/negotiate.h"
#include "base/arena.h"

/* One alternative of an Accept header: `application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9`. */
struct alternative {
    struct media media;
    int quality; /* thousandths */
    bool usable;
};

static int quality_of(str v)
{
    int q = 0, digits = 0;
    if (!v.n || (v.p[0] != '0' && v.p[0] != '1'))
        return 1000;
    q = (v.p[0] - '0') * 1000;
    for (size_t i = 2, unit = 100; i < v.n && digits < 3; i++, unit /= 10, digits++)
        if (v.p[i] >= '0' && v.p[i] <= '9')
            q += (v.p[i] - '0') * (int)unit;
    return q > 1000 ? 1000 : q;
}

static bool type_of(str name, enum media_type *ret)
{
    static const struct {
        str name;
        enum media_type type;
    } types[] = {
        {S_INIT("application/json"), MEDIA_JSON},
        {S_INIT("*/*"), MEDIA_JSON},
        {S_INIT("application/*"), MEDIA_JSON},
        {S_INIT("application/yaml"), MEDIA_YAML},
        {S_INIT("application/vnd.kubernetes.protobuf"), MEDIA_PROTOBUF},
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (str_eq_nocase(types[i].name, name)) {
            *ret = types[i].type;
            return true;
        }
    return false;
}

static struct alternative read_alternative(str text)
{
    struct alternative alt = {.quality = 1000};
    str rest = text, piece, name, value, group = STR_NONE, as = STR_NONE;
    str_next(&rest, ';', &piece);
    alt.usable = type_of(str_trim(piece), &alt.media.type);
    while (str_next(&rest, ';', &piece)) {
        str_cut(str_trim(piece), '=', &name, &value);
        if (str_is(name, "q"))
            alt.quality = quality_of(value);
        else if (str_is(name, "as"))
            as = value;
        else if (str_is(name, "g"))
            group = value;
        else if (str_is(name, "v"))
            alt.media.form_version = value;
        else if (str_is(name, "stream"))
            alt.media.stream = str_is(value, "watch");
    }
    if (!as.n)
        return alt;
    bool known = str_is(group, "meta.k8s.io") &&
                 (str_is(alt.media.form_version, "v1") || str_is(alt.media.form_version, "v1beta1"));
    if (known && str_is(as, "Table")) {
        alt.media.form = FORM_TABLE;
        alt.usable = alt.usable && alt.media.type != MEDIA_PROTOBUF;
    } else if (known && (str_is(as, "PartialObjectMetadata") || str_is(as, "PartialObjectMetadataList")))
        alt.media.form = FORM_PARTIAL;
    else if (!str_is(group, "apidiscovery.k8s.io")) /* discovery reads its own header */
        alt.usable = false;
    return alt;
}

bool negotiate_accept(struct request *r, struct err *err)
{
    struct alternative best = {0};
    bool any = false;
    for (size_t i = 0; i < r->head.header_count; i++) {
        if (!str_is(r->head.headers[i].name, "accept"))
            continue;
        str rest = r->head.headers[i].value, piece;
        while (str_next(&rest, ',', &piece)) {
            struct alternative alt = read_alternative(str_trim(piece));
            any = true;
            if (alt.usable && alt.quality > best.quality)
                best = alt;
        }
    }
    if (!any) {
        r->accept = (struct media){.type = MEDIA_JSON};
        return true;
    }
    if (!best.usable) {
        r->accept = (struct media){.type = MEDIA_JSON};
        if (!str_starts(r->path, S("/api"))) /* health, metrics and so on have one form only */
            return true;
        err_set(err, ERR_NOT_ACCEPTABLE,
                "only the following media types are accepted: application/json, application/yaml, "
                "application/vnd.kubernetes.protobuf");
        return false;
    }
    r->accept = best.media;
    return true;
}

str media_content_type(const struct media *m)
{
    switch (m->type) {
    case MEDIA_YAML: return S("application/yaml");
    case MEDIA_PROTOBUF:
        return m->stream ? S("application/vnd.kubernetes.protobuf;stream=watch")
                         : S("application/vnd.kubernetes.protobuf");
    case MEDIA_JSON:
    case MEDIA_OTHER: break;
    }
    return S("application/json");
}

enum media_type media_of_content_type(str content_type)
{
    str name, parameters;
    enum media_type type;
    str_cut(content_type, ';', &name, &parameters);
    name = str_trim(name);
    if (!name.n)
        return MEDIA_JSON;
    return type_of(name, &type) && str_index_c(name, '*') == SIZE_MAX ? type : MEDIA_OTHER;
}
