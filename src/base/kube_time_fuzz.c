#include "base/kube_time.h"
#include "harness/test.h"

static void add_fields(struct buf *out, struct kube_time t)
{
    struct kube_date d = kube_time_to_date(t);
    buf_add_f(out, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", d.year, d.month, d.day, d.hour, d.minute, d.second,
              t.nsec);
}

/* What is read can be written and read again, to the same instant. */
FUZZ(time)
{
    str s = str_of((const char *)data, size);
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 1000);
    struct err e = ERR_INIT;
    struct kube_time t, back;
    if (kube_time_parse(s, &t, &e) == ERR_NONE) {
        CHECK(t.sec >= KUBE_TIME_SEC_MIN && t.sec <= KUBE_TIME_SEC_MAX && t.nsec >= 0 &&
              t.nsec < NSEC_PER_SEC);
        add_fields(&text, t);
        CHECK_EQ(kube_time_parse(buf_str(&text), &back, &e), ERR_NONE);
        CHECK_EQ(kube_time_cmp(t, back), 0);
        buf_clear(&text);
        kube_time_format_nano(&text, t);
        CHECK_EQ(kube_time_parse(buf_str(&text), &back, &e), ERR_NONE);
        CHECK_EQ(kube_time_cmp(t, back), 0);
        struct kube_time micro = t;
        micro.nsec -= micro.nsec % 1000;
        buf_clear(&text);
        kube_micro_time_format(&text, t);
        CHECK_EQ(kube_micro_time_parse(buf_str(&text), &back, &e), ERR_NONE);
        CHECK_EQ(kube_time_cmp(micro, back), 0);
    } else {
        CHECK_EQ(e.code, ERR_SYNTAX);
    }
    e = ERR_INIT;
    if (kube_micro_time_parse(s, &t, &e) == ERR_NONE) {
        CHECK_EQ(kube_time_parse(s, &back, &e), ERR_NONE); /* the stricter of the two */
        CHECK_EQ(kube_time_cmp(t, back), 0);
    }
}

FUZZ(duration)
{
    str s = str_of((const char *)data, size);
    char storage[DURATION_TEXT_MAX];
    struct err e = ERR_INIT;
    int64_t ns, back;
    if (duration_parse(s, &ns, &e) == ERR_NONE) {
        CHECK_EQ(duration_parse(duration_text(ns, storage), &back, &e), ERR_NONE);
        CHECK_EQ(back, ns);
    } else {
        CHECK_EQ(e.code, ERR_SYNTAX);
    }
    /* And of any number, not only of what such texts give. */
    if (size >= sizeof ns) {
        memcpy(&ns, data, sizeof ns);
        CHECK_EQ(duration_parse(duration_text(ns, storage), &back, &e), ERR_NONE);
        CHECK_EQ(back, ns);
    }
}
