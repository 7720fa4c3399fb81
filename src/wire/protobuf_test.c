#include "base/arena.h"
#include "base/mem.h"
#include "harness/test.h"
#include "wire/protobuf.h"

static struct buf new_buf(size_t max)
{
    struct buf b;
    buf_init(&b, max);
    return b;
}

TEST(protobuf_fields_have_the_bytes_of_the_specification)
{
    struct buf b = new_buf(1000);
    pb_add_varint(&b, 1, 150);
    CHECK_STR(buf_str(&b), "\x08\x96\x01");
    buf_clear(&b);
    pb_add_bytes(&b, 2, S("testing"));
    CHECK_STR(buf_str(&b), "\x12\x07testing");
    buf_clear(&b);
    size_t at = pb_begin(&b, 3);
    pb_add_varint(&b, 1, 150);
    pb_end(&b, at);
    CHECK_STR(buf_str(&b), "\x1a\x03\x08\x96\x01");
    buf_clear(&b);
    at = pb_begin(&b, 6);
    pb_add_raw_varint(&b, 3);
    pb_add_raw_varint(&b, 270);
    pb_add_raw_varint(&b, 86942);
    pb_end(&b, at);
    CHECK_STR(buf_str(&b), "\x32\x06\x03\x8e\x02\x9e\xa7\x05");
    buf_clear(&b);
    pb_add_varint(&b, 1, (uint64_t)(int64_t)-2);
    pb_add_fixed32(&b, 2, 0x01020304);
    pb_add_fixed64(&b, 3, 0x0102030405060708);
    pb_add_double(&b, PB_FIELD_MAX, 1.5);
    CHECK_STR(buf_str(&b), S("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                             "\x15\x04\x03\x02\x01"
                             "\x19\x08\x07\x06\x05\x04\x03\x02\x01"
                             "\xf9\xff\xff\xff\x0f\0\0\0\0\0\0\xf8\x3f"));
    struct pb_reader r;
    pb_reader_init(&r, buf_str(&b));
    CHECK(pb_next(&r) && r.field == 1);
    CHECK_EQ((int32_t)pb_varint(&r), -2);
    CHECK(pb_next(&r) && r.field == 2);
    CHECK_EQ(pb_fixed32(&r), 0x01020304);
    CHECK(pb_next(&r) && r.field == 3);
    CHECK_EQ(pb_fixed64(&r), 0x0102030405060708);
    CHECK(pb_next(&r) && r.field == PB_FIELD_MAX);
    CHECK(pb_double(&r) == 1.5);
    CHECK(!pb_next(&r));
    CHECK_OK(pb_check(&r, &e));
    buf_done(&b);
}

TEST(protobuf_numbers_of_every_size_come_back)
{
    struct buf b = new_buf(10000);
    uint64_t numbers[3 * 64];
    for (size_t i = 0; i < 64; i++) {
        numbers[3 * i] = (1ull << i) - 1;
        numbers[3 * i + 1] = 1ull << i;
        numbers[3 * i + 2] = UINT64_MAX >> i;
    }
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        size_t before = b.n;
        pb_add_varint(&b, 1, numbers[i]);
        CHECK_EQ(b.n - before, 1 + pb_varint_size(numbers[i]));
    }
    struct pb_reader r;
    pb_reader_init(&r, buf_str(&b));
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        CHECK(pb_next(&r));
        CHECK_EQ(pb_varint(&r), numbers[i]);
    }
    CHECK(!pb_next(&r));
    buf_done(&b);
}

TEST(protobuf_nested_sizes_are_shortest_at_every_length)
{
    const size_t sizes[] = {0, 1, 127, 128, 129, 16383, 16384, 2097151, 2097152};
    char *bytes = mem_alloc_zero(1, 2097152);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct buf got = new_buf(1 << 23), want = new_buf(1 << 23);
        pb_add_varint(&got, 9, 9);
        size_t outer = pb_begin(&got, 1), inner = pb_begin(&got, 100);
        buf_add(&got, str_of(bytes, sizes[i]));
        pb_end(&got, inner);
        pb_add_varint(&got, 2, 1);
        pb_end(&got, outer);

        struct buf in = new_buf(1 << 23);
        pb_add_bytes(&in, 100, str_of(bytes, sizes[i]));
        pb_add_varint(&in, 2, 1);
        pb_add_varint(&want, 9, 9);
        pb_add_bytes(&want, 1, buf_str(&in));
        CHECK(str_eq(buf_str(&got), buf_str(&want)));
        buf_done(&got), buf_done(&want), buf_done(&in);
    }
    mem_free(bytes);
}

/* Reads everything by its wire type, field 100 as a message. */
static void walk(struct pb_reader *r)
{
    while (pb_next(r))
        if (r->field == 100) {
            struct pb_mark outer = pb_enter(r);
            walk(r);
            pb_leave(r, outer);
        } else {
            pb_skip(r);
        }
}

TEST(protobuf_hostile_bytes_fail_where_they_are_wrong)
{
    const struct {
        str bytes;
        const char *text; /* NULL: fine */
    } cases[] = {
        {S(""), NULL},
        {S("\x08\x00"), NULL},
        {S("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL},
        {S("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "larger than 64 bits, at byte 1"},
        {S("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "larger than 64 bits, at byte 1"},
        {S("\x08\x80\x00"), NULL}, /* longer than it need be */
        {S("\x08"), "a number is cut off, at byte 1"},
        {S("\x08\x80"), "a number is cut off, at byte 1"},
        {S("\x08\x01\x80"), "a number is cut off, at byte 2"},
        {S("\x08\x01\x00\x00"), "no valid field number, at byte 2"},
        {S("\x07"), "no valid field number, at byte 0"},
        {S("\xf8\xff\xff\xff\x0f\x01"), NULL},
        {S("\x80\x80\x80\x80\x10\x01"), "no valid field number, at byte 0"},
        {S("\x0b\x0c"), "a group, which is not supported, at byte 0"},
        {S("\x0c"), "a group"},
        {S("\x0e"), "unknown wire type"},
        {S("\x0f"), "unknown wire type"},
        {S("\x09\1\2\3\4\5\6\7"), "longer than what is left, at byte 1"},
        {S("\x0d\1\2\3"), "longer than what is left, at byte 1"},
        {S("\x0a\x02x"), "longer than what is left, at byte 2"},
        {S("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "longer than what is left, at byte 11"},
        {S("\x0a\xff\xff\xff\xff\x0f"), "longer than what is left"},
        {S("\xa2\x06\x02\x08\x01"), NULL},
        {S("\xa2\x06\x01\x08\x01"), "a number is cut off, at byte 4"}, /* the inner end is an end */
        {S("\xa2\x06\x03\x08\x01"), "longer than what is left"},
        {S("\xa0\x06\x01"), "wrong wire type"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        /* A copy of the exact size: reading past it shows. */
        char *copy = mem_dup(cases[i].bytes.p, cases[i].bytes.n);
        struct pb_reader r;
        pb_reader_init(&r, str_of(copy, cases[i].bytes.n));
        walk(&r);
        if (cases[i].text)
            CHECK_ERR(SYNTAX, "protobuf: ", pb_check(&r, &e));
        struct err e = ERR_INIT;
        CHECK_EQ(pb_check(&r, &e), cases[i].text ? ERR_SYNTAX : ERR_NONE);
        if (cases[i].text)
            CHECK_CONTAINS(e.msg, cases[i].text);
        mem_free(copy);
    }
}

TEST(protobuf_failure_is_sticky_and_everything_reads_as_zero)
{
    struct pb_reader r;
    pb_reader_init(&r, S("\x08\x05\x12\x03"
                         "abc\x1d\1\2\3\4"));
    CHECK(pb_next(&r));
    CHECK_EQ(pb_fixed32(&r), 0);
    uint64_t v = 7;
    struct pb_mark outer = pb_enter(&r);
    CHECK(!pb_next(&r));
    CHECK(!pb_next_packed(&r, &v));
    pb_leave(&r, outer);
    CHECK(!pb_next(&r));
    CHECK_EQ(pb_varint(&r), 0);
    CHECK_EQ(pb_fixed64(&r), 0);
    CHECK_EQ(pb_bytes(&r).n, 0);
    CHECK_EQ(v, 7);
    pb_fail(&r, "another reason");
    CHECK_ERR(SYNTAX, "wrong wire type, at byte 1", pb_check(&r, &e));
}

TEST(protobuf_leaving_a_message_early_goes_on_behind_it)
{
    struct pb_reader r;
    pb_reader_init(&r, S("\x0a\x04\x08\x01\x10\x02\x18\x03"));
    CHECK(pb_next(&r));
    struct pb_mark outer = pb_enter(&r);
    CHECK(pb_next(&r));
    CHECK_EQ(pb_varint(&r), 1);
    pb_leave(&r, outer);
    CHECK(pb_next(&r) && r.field == 3);
    CHECK_EQ(pb_varint(&r), 3);
    CHECK(!pb_next(&r));
    CHECK_OK(pb_check(&r, &e));
}

TEST(protobuf_packed_numbers_are_read_one_by_one)
{
    struct pb_reader r;
    pb_reader_init(&r, S("\x32\x06\x03\x8e\x02\x9e\xa7\x05\x32\x00\x32\x01\x80"));
    const uint64_t want[] = {3, 270, 86942};
    size_t count = 0;
    while (pb_next(&r)) {
        struct pb_mark outer = pb_enter(&r);
        for (uint64_t v; pb_next_packed(&r, &v); count++)
            CHECK(count < 3 && v == want[count]);
        pb_leave(&r, outer);
    }
    CHECK_EQ(count, 3);
    CHECK_ERR(SYNTAX, "cut off", pb_check(&r, &e));
}

static struct buf nested(size_t depth)
{
    struct buf b = new_buf(100000);
    size_t *marks = NEW_ARRAY(size_t, depth);
    for (size_t i = 0; i < depth; i++)
        marks[i] = pb_begin(&b, 100);
    for (size_t i = depth; i-- > 0;)
        pb_end(&b, marks[i]);
    mem_free(marks);
    return b;
}

TEST(protobuf_nesting_is_bounded)
{
    struct buf side_by_side = new_buf(1000);
    for (size_t i = 0; i < PB_DEPTH_MAX + 1; i++)
        pb_add_bytes(&side_by_side, 100, STR_NONE);
    struct pb_reader many;
    pb_reader_init(&many, buf_str(&side_by_side));
    walk(&many);
    CHECK_OK(pb_check(&many, &e));
    buf_done(&side_by_side);
    for (size_t depth = PB_DEPTH_MAX; depth <= PB_DEPTH_MAX + 1; depth++) {
        struct buf b = nested(depth);
        struct pb_reader r;
        pb_reader_init(&r, buf_str(&b));
        walk(&r);
        if (depth == PB_DEPTH_MAX)
            CHECK_OK(pb_check(&r, &e));
        else
            CHECK_ERR(SYNTAX, "nested too deep", pb_check(&r, &e));
        buf_done(&b);
    }
}

TEST(protobuf_writing_past_the_maximum_is_told_once_at_the_end)
{
    /* Every maximum up to the size needed: each of the additions gets to be the first that fails. */
    size_t needed = 0;
    for (size_t max = 0; max == 0 || max <= needed; max++) {
        struct buf b = new_buf(max ? max : 1000);
        size_t at = pb_envelope_begin(&b, S("v1"), S("Pod")), inner = pb_begin(&b, 1);
        pb_add_bytes(&b, 1,
                     S("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
                       "567890123456789012345678901234567890123456789"));
        pb_add_varint(&b, 2, 12345);
        pb_add_double(&b, 3, 1);
        pb_end(&b, inner);
        pb_add_fixed32(&b, 4, 1);
        pb_envelope_end(&b, at);
        if (max == 0)
            needed = b.n;
        else if (max < needed)
            CHECK_ERR(TOO_LARGE, "larger than", buf_check(&b, &e));
        else
            CHECK_EQ(b.n, needed);
        buf_done(&b);
    }
}

TEST(protobuf_envelope_is_read_and_written_as_the_original_does)
{
    str bytes = S("k8s\0\x0a\x0d\x0a\x02v1\x12\x07"
                  "Binding\x12\x03raw\x1a\x00\x22\x00");
    struct pb_envelope e1;
    CHECK_OK(pb_envelope_decode(bytes, &e1, &e));
    CHECK_STR(e1.api_version, "v1");
    CHECK_STR(e1.kind, "Binding");
    CHECK_STR(e1.raw, "raw");
    CHECK_STR(e1.content_encoding, "");
    struct buf b = new_buf(1000);
    pb_envelope_encode(&b, &e1);
    CHECK_STR(buf_str(&b), bytes);
    buf_clear(&b);
    size_t at = pb_envelope_begin(&b, S("v1"), S("Binding"));
    buf_add_lit(&b, "raw");
    pb_envelope_end(&b, at);
    CHECK_STR(buf_str(&b), bytes);

    CHECK_OK(pb_envelope_decode(S("k8s\0"), &e1, &e));
    CHECK_STR(e1.kind, "");
    CHECK_OK(pb_envelope_decode(S("k8s\0\x28\x01\x0a\x04\x18\x01\x12\x00\x22\x03"
                                  "a/b"),
                                &e1, &e));
    CHECK_STR(e1.content_type, "a/b");
    CHECK_ERR(SYNTAX, "does not begin with", pb_envelope_decode(S("k8s"), &e1, &e));
    CHECK_ERR(SYNTAX, "does not begin with", pb_envelope_decode(S("{\"kind\":1}"), &e1, &e));
    CHECK_ERR(SYNTAX, "envelope: protobuf: a field has the wrong",
              pb_envelope_decode(S("k8s\0\x10\x01"), &e1, &e));
    CHECK_ERR(SYNTAX, "longer than what is left",
              pb_envelope_decode(S("k8s\0\x0a\x03\x0a\x05"
                                   "a"),
                                 &e1, &e));
    buf_done(&b);
}

TEST(protobuf_envelopes_of_all_samples_come_back_byte_for_byte)
{
    size_t count;
    char **stems = test_files(test_reference_path("samples"), ".pb", &count);
    if (!stems)
        test_skip("no reference documents here");
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        str bytes = test_read_file(str_format(&a, "%s.pb", stems[i]).p);
        struct pb_envelope envelope;
        CHECK_OK(pb_envelope_decode(bytes, &envelope, &e));
        /* The name ends in the kind: "core.v1.Pod". Only a watch event names none. */
        str end = str_format(&a, ".%" STR_FMT, STR_ARG(envelope.kind));
        CHECK(!envelope.kind.n || str_ends(str_from_c(stems[i]), end));
        struct buf b = new_buf(1 << 20);
        pb_envelope_encode(&b, &envelope);
        CHECK(str_eq(buf_str(&b), bytes));
        buf_done(&b);
    }
    CHECK_GT(count, 100);
}
