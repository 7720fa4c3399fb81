#include "harness/test.h"
#include "wire/jsonpath.h"

/* What kubectl 1.32 answers for this document, to each template: recorded from it. */
static const char document[] =
    "{\"apiVersion\":\"x.io/v1\","
    "\"kind\":\"Foo\","
    "\"metadata\":{\"name\":\"foo\",\"labels\":{\"app\":\"web\",\"app.kubernetes.io/name\":\"shop\",\"k8s-app\":\"dns\"}},"
    "\"n\":null,"
    "\"f\":1.5,"
    "\"big\":100000000.5,"
    "\"exp\":1e+30,"
    "\"small\":1e-05,"
    "\"mil\":1000000.5,"
    "\"i\":42,"
    "\"neg\":-3,"
    "\"t\":true,"
    "\"e\":{},"
    "\"ea\":[],"
    "\"s\":\"plain \\\"q\\\" <&>\","
    "\"html\":{\"a\":\"<&>\"},"
    "\"list\":[{\"name\":\"a\",\"v\":1,\"w\":1.0,\"tags\":[\"x\",\"y\"]},{\"name\":\"b\",\"v\":2,\"w\":\"2\"},{\"name\":\"c\",\"v\":3,\"ready\":true},{\"name\":\"d's\",\"v\":10}],"
    "\"nested\":[[1,2],[3,4]],"
    "\"mixed\":[1,\"two\",null,{\"name\":\"m\"},true,2.5],"
    "\"uni\":\"héé\","
    "\"fl\":[123456.5,1234567.5,0.0001,0.00001234,1e21,123456,5e-324,100000.5,999999.9]}";

enum answer { PRINTS, FAILS, BAD_TEMPLATE };

static const struct {
    const char *text;
    enum answer answer;
    const char *out;
} cases[] = {
    {"{.n}", PRINTS, "null"},
    {"{.list[*].name}", PRINTS, "a b c d's"},
    {"{.missing}", PRINTS, ""},
    {"{.list[?(@.v>1)].name}", PRINTS, "b c d's"},
    {"{.kind", BAD_TEMPLATE, "unclosed action"},
    {"text only", PRINTS, "text only"},
    {"{", BAD_TEMPLATE, "unclosed action"},
    {"{.list[1].name}{\"\\n\"}{.list[-1].name}", PRINTS, "b\nd's"},
    {"{.list[0:2].name}", PRINTS, "a b"},
    {"{.list[::2].name}", PRINTS, "a c"},
    {"{.list[5].name}", FAILS, "array index out of bounds: index 5, length 4"},
    {"{.list[0:9].name}", FAILS, "array index out of bounds: index 8, length 4"},
    {"{.list[2:1].name}", FAILS, "starting index 2 is greater than ending index 1"},
    {"{.list[-9].name}", FAILS, "array index out of bounds: index -5, length 4"},
    {"{.list[1:1].name}x", PRINTS, "x"},
    {"{.list[:-1].name}", PRINTS, "a b c"},
    {"{.list[-2:].name}", PRINTS, "c d's"},
    {"{.list[0:4:0].name}", FAILS, "step must be > 0"},
    {"{.list[a].name}", BAD_TEMPLATE, "invalid array index a"},
    {"{.list[1}", BAD_TEMPLATE, "unterminated array"},
    {"{.kind[0]}", FAILS, "string is not array or slice"},
    {"{.kind.x}", PRINTS, ""},
    {"{..name}", PRINTS, "foo a b c d's m"},
    {"{.list[*]}", PRINTS,
     "{\"name\":\"a\",\"tags\":[\"x\",\"y\"],\"v\":1,\"w\":1} {\"name\":\"b\",\"v\":2,\"w\":\"2\"} {\"name\":\"c\",\"ready\":true,\"v\":3} {\"name\":\"d's\",\"v\":10}"},
    {"{.metadata.labels.app\\.kubernetes\\.io/name}", PRINTS, "shop"},
    {"{.metadata.labels['app\\.kubernetes\\.io/name']}", PRINTS, "shop"},
    {"{.metadata.labels['app','k8s-app']}", PRINTS, "web dns"},
    {"{['metadata.name','kind']}", PRINTS, "foo Foo"},
    {"{range .list[*]}{.name}={.v};{end}", PRINTS, "a=1;b=2;c=3;d's=10;"},
    {"{range .list[*]}{.name}", PRINTS, "abcd's"},
    {"{end}", FAILS, "not in range, nothing to end"},
    {"{range .list[?(@.v>100)]}{.name}{end}after", PRINTS, "after"},
    {"{foo}", FAILS, "unrecognized identifier foo"},
    {"{true}", PRINTS, "true"},
    {"{1}", PRINTS, "1"},
    {"{1.5}", PRINTS, "1.5"},
    {"{-7}", PRINTS, "-7"},
    {"{'single'}", PRINTS, "single"},
    {"{\"dou\\tble\\u0041\\x41\\101\"}", PRINTS, "dou\tbleAAA"},
    {"{\"a\\\"b\"}", PRINTS, "a\"b"},
    {"{'it\\'s'}", PRINTS, "it's"},
    {"{.list[?(@.name==\"b\")].v}", PRINTS, "2"},
    {"{.list[?(@.name==\"d's\")].v}", PRINTS, "10"},
    {"{.list[?(@.name=='b')].v}", PRINTS, "2"},
    {"{.list[?(@.ready)].name}", PRINTS, "c"},
    {"{.list[?(@.ready==true)].name}", PRINTS, "c"},
    {"{.list[?(@.v>=2 && @.v<3)].name}", BAD_TEMPLATE, "unrecognized character in action: U+0026 '&'"},
    {"{.list[?(@.v==1 || @.v==2)].name}", BAD_TEMPLATE, "unrecognized character in action: U+007C '|'"},
    {"{.kind[*]}", FAILS, "string is not array or slice"},
    {"{.kind.*}", PRINTS, "70 111 111"},
    {"{.uni.*}", PRINTS, "104 195 169 195 169"},
    {"{.metadata..}", PRINTS,
     "{\"labels\":{\"app\":\"web\",\"app.kubernetes.io/name\":\"shop\",\"k8s-app\":\"dns\"},\"name\":\"foo\"} foo {\"app\":\"web\",\"app.kubernetes.io/name\":\"shop\",\"k8s-app\":\"dns\"} web shop dns"},
    {"{.metadata..*}", BAD_TEMPLATE, "unrecognized character in action: U+002A '*'"},
    {"{.list..v}", PRINTS, "1 2 3 10"},
    {"{..[0]}", FAILS, "map[string]interface {} is not array or slice"},
    {"{...name}", PRINTS, "foo a b c d's m"},
    {"{..list..name}", PRINTS, "a b c d's"},
    {"{$.kind}", PRINTS, "Foo"},
    {"{@.kind}", PRINTS, "Foo"},
    {"{.list[0,2].name}", PRINTS, "a c"},
    {"{.list[0, 2].name}", PRINTS, "a c"},
    {"{.list[*,0].name}", PRINTS, "a b c d's a"},
    {"{.metadata.*}", PRINTS,
     "foo {\"app\":\"web\",\"app.kubernetes.io/name\":\"shop\",\"k8s-app\":\"dns\"}"},
    {"{.i[0]}", FAILS, "int64 is not array or slice"},
    {"{.f[0]}", FAILS, "float64 is not array or slice"},
    {"{.t[0]}", FAILS, "bool is not array or slice"},
    {"{.e[0]}", FAILS, "map[string]interface {} is not array or slice"},
    {"{.n[0]}", PRINTS, ""},
    {"{.n.x}", PRINTS, ""},
    {"{.missing[0]}", PRINTS, ""},
    {"{.missing.x[0].y}", PRINTS, ""},
    {"{.kind[?(@.a)]}", FAILS, "Foo is not array or slice and cannot be filtered"},
    {"{.e[?(@.a)]}", FAILS, "map[] is not array or slice and cannot be filtered"},
    {"{.n[?(@.a)]}", FAILS, "<nil> is not array or slice and cannot be filtered"},
    {"{.metadata[?(@.name)]}", FAILS,
     "map[labels:map[app:web app.kubernetes.io/name:shop k8s-app:dns] name:foo] is not array or slice and cannot be filtered"},
    {"{.i[?(@.x)]}", FAILS, "42 is not array or slice and cannot be filtered"},
    {"{.list[?(@.v==\"1\")].name}", FAILS, "incompatible types for comparison"},
    {"{.list[?(@.w==1)].name}", FAILS, "incompatible types for comparison"},
    {"{.list[?(@.v<2.5)].name}", FAILS, "incompatible types for comparison"},
    {"{.list[?(@.name>1)].name}", FAILS, "incompatible types for comparison"},
    {"{.list[?(@.missing==1)].name}", PRINTS, ""},
    {"{.list[?(@.name!=\"a\")].name}", PRINTS, "b c d's"},
    {"{.list[?(@.v<>1)].name}", FAILS, "unrecognized filter operator <>"},
    {"{.list[?(@.v=1)].name}", FAILS, "unrecognized filter operator ="},
    {"{.list[?(@.v=~\"1\")].name}", BAD_TEMPLATE, "unrecognized character in action: U+007E '~'"},
    {"{.list[?(1==1)].name}", PRINTS, "a b c d's"},
    {"{.list[?(\"a\"==@.name)].name}", PRINTS, "a"},
    {"{.list[?(@.tags)].name}", PRINTS, "a"},
    {"{.list[?(@.tags==@.tags)].name}", FAILS, "invalid type for comparison"},
    {"{.list[?(@.tags[0]==\"x\")].name}", PRINTS, "a"},
    {"{.list[?(@.tags[*]==\"x\")].name}", FAILS, "can only compare one element at a time"},
    {"{.list[?(!@.ready)].name}", BAD_TEMPLATE, "unrecognized character in action: U+0021 '!'"},
    {"{.list[?()].name}", PRINTS, "a b c d's"},
    {"{.list[?(@)].name}", PRINTS, "a b c d's"},
    {"{.list[?(@.v > 1 )].name}", PRINTS, "b c d's"},
    {"{.list[?( @.v>1)].name}", PRINTS, "b c d's"},
    {"{.list[?(@.v>1)", BAD_TEMPLATE, "unclosed array expect ]"},
    {"{.list[?(@.v>1)x]}", BAD_TEMPLATE, "unclosed array expect ]"},
    {"{.mixed[?(@==\"two\")]}", FAILS, "incompatible types for comparison"},
    {"{.mixed[?(@==1)]}", FAILS, "incompatible types for comparison"},
    {"{.nested[*][0]}", PRINTS, "1 3"},
    {"{.nested[?(@[0]==3)]}", PRINTS, "[3,4]"},
    {"{.list[?(@.ready==false)].name}", PRINTS, ""},
    {"{.list[?(@.ready>false)].name}", FAILS, "invalid type for comparison"},
    {"{.list[0][\"name\"]}", BAD_TEMPLATE, "invalid array index \"name\""},
    {"{.list[0]['name']}", PRINTS, "a"},
    {"{['kind']}", PRINTS, "Foo"},
    {"{.['kind']}", PRINTS, ""},
    {"{.list[0].name.}", PRINTS, ""},
    {"{.}", PRINTS, ""},
    {"{.list.name}", PRINTS, ""},
    {"{.list[].name}", PRINTS, "a"},
    {"{.list[1:].name}", PRINTS, "b c d's"},
    {"{.list[:].name}", PRINTS, "a b c d's"},
    {"{.list[0:4:2].name}", PRINTS, "a c"},
    {"{.list[3:0:-1].name}", FAILS, "starting index 3 is greater than ending index 0"},
    {"{range .list[*]}{.kind}", PRINTS, "Foo"},
    {"{range .nothing[*]}{.x[?(@.a)]}{end}z", PRINTS, "z"},
    {"{range .list[*]}{.name}{range .tags[*]}<{@}>{end};{end}done", PRINTS, "a<x><y>;b;c;d's;done"},
    {"{range .list}{.name}{end}", PRINTS, ""},
    {"{range}x{end}", PRINTS, "x"},
    {"{range .list[*]}{.name}{end}{end}", FAILS, "not in range, nothing to end"},
    {"{range .list[*]}{range .tags[*]}{@}{end}", PRINTS, "xy"},
    {"{.a b}", FAILS, "unrecognized identifier b"},
    {"{.kind}}", PRINTS, "Foo}"},
    {"}{.kind}", PRINTS, "}Foo"},
    {"{.kind}{", BAD_TEMPLATE, "unclosed action"},
    {"{.kind .i}", PRINTS, ""},
    {"{.kind \"x\"}", PRINTS, "x"},
    {"{\"x\" .kind}", PRINTS, ""},
    {"{.i 5}", PRINTS, "5"},
    {"{.list[*] 5}", PRINTS, "5 5 5 5"},
    {"{\"a\"}{\"b\"}", PRINTS, "ab"},
    {"{'a\"b'}", PRINTS, "a\"b"},
    {"{'a\\qb'}", BAD_TEMPLATE, "unquote string 'a\\qb' error invalid syntax"},
    {"{\"a", BAD_TEMPLATE, "unterminated quoted string"},
    {"{\"\\ud800\"}", BAD_TEMPLATE, "unquote string \"\\ud800\" error invalid syntax"},
    {"{\"\\400\"}", BAD_TEMPLATE, "unquote string \"\\400\" error invalid syntax"},
    {"{\"\\x4\"}", BAD_TEMPLATE, "unquote string \"\\x4\" error invalid syntax"},
    {"{1.2.3}", BAD_TEMPLATE, "cannot parse number 1.2.3"},
    {"{+5}", PRINTS, "5"},
    {"{5.}", PRINTS, "5"},
    {"{-}", BAD_TEMPLATE, "cannot parse number -"},
    {"{99999999999999999999}", PRINTS, "1e+20"},
    {"{.list[?(@.v==+1)].name}", PRINTS, "a"},
    {"{.list[1,2:4].name}", PRINTS, "b c d's"},
    {"{.list[0,'name']}", PRINTS, "{\"name\":\"a\",\"tags\":[\"x\",\"y\"],\"v\":1,\"w\":1}"},
    {"{.list[?(@.n==1)].name}", PRINTS, ""},
    {"{.list[?(@.v)", BAD_TEMPLATE, "unclosed array expect ]"},
    {"{.list[", BAD_TEMPLATE, "unterminated array"},
    {"{.list[0].tags[5]}", FAILS, "array index out of bounds: index 5, length 2"},
    {"{.list[*].tags[0]}", PRINTS, "x"},
    {"{.list[0:-4].name}x", PRINTS, "x"},
    {"{.list[-5:].name}", FAILS, "array index out of bounds: index -1, length 4"},
    {"{.list[4:].name}x", PRINTS, "x"},
    {"{.list[99999999999999999999]}", BAD_TEMPLATE, "array index 99999999999999999999 is not a number"},
    {"{.list[1:2:3:4]}", BAD_TEMPLATE, "invalid array index 1:2:3:4"},
    {"{.list[--1]}", BAD_TEMPLATE, "invalid array index --1"},
    {"{[0]}", FAILS, "map[string]interface {} is not array or slice"},
    {"{[*]}", FAILS, "map[string]interface {} is not array or slice"},
    {"{#}", BAD_TEMPLATE, "unrecognized character in action: U+0023 '#'"},
    {"{.uni}", PRINTS, "héé"},
    {"{é}", FAILS, "unrecognized identifier é"},
    {"{.kind|.i}", PRINTS, ""},
    {"{ .kind }", PRINTS, "Foo"},
    {"{\t.kind}", BAD_TEMPLATE, "unrecognized character in action: U+0009"},
    {"a\\nb", PRINTS, "a\\nb"},
    {"{.list[?(@.name==\"x\\\"y\")].v}", PRINTS, ""},
    {"{.list[?(@.name==\"a)b\")].v}", PRINTS, ""},
    {"{.list[?(@.name==\"a]b\")].v}", PRINTS, ""},
    {"{.list[?(@.name==(1))].v}", BAD_TEMPLATE, "unclosed array expect ]"},
    {"{.list[?(@.a==)].v}", BAD_TEMPLATE, "unrecognized character in action: U+003D '='"},
    {"{.list[?(@.a=)].v}", PRINTS, ""},
    {"{.list[?(==1)].v}", BAD_TEMPLATE, "unrecognized character in action: U+003D '='"},
    {"{@@@.kind}", PRINTS, "Foo"},
    {"{.kind$}", PRINTS, "Foo"},
    {"{.kind@.x}", PRINTS, ""},
    {"{.fl[*]}", PRINTS, "123456.5 1.2345675e+06 0.0001 1.234e-05 1e+21 123456 5e-324 100000.5 999999.9"},
    {"{.list[?(@.tags[5])].name}", PRINTS, "a"},
    {"{.list[?(@.name[0])].name}", PRINTS, "a b c d's"},
    {"{.list[?(@.zz[0])].name}", PRINTS, ""},
    {"{.list[?(foo)].name}", PRINTS, "a b c d's"},
    {"{range .nothing}{[?(@.a)]}{end}", FAILS,
     "<invalid reflect.Value> is not array or slice and cannot be filtered"},
    {"{.list[*].ea[*]}{.nested[*][2:2]}", PRINTS, ""},
    {"{.list[0].*}", PRINTS, "a 1 1 [\"x\",\"y\"]"},
    {"{.mixed[*]}", PRINTS, "1 two null {\"name\":\"m\"} true 2.5"},
    {"{.fl}", PRINTS, "[123456.5,1234567.5,0.0001,0.00001234,1e+21,123456,5e-324,100000.5,999999.9]"},
    {"{.nested[*][*]}", PRINTS, "1 2 3 4"},
    {"{.nested[1,0][0]}", PRINTS, "3 1"},
    {"{..nested..[0]}", PRINTS, "[1,2] 1 3"},
    {"{.nested..[0]}", PRINTS, "[1,2] 1 3"},
    {"{.list[-1:0].name}x", FAILS, "starting index 3 is greater than ending index 0"},
    {"{.list[-].name}", BAD_TEMPLATE, "array index - is not a number"},
    {"{.list[?(@[\"name\"]==\"a\")].v}", BAD_TEMPLATE, "invalid array index \"name\""},
    {"{.list[?(@['name']=='a')].v}", PRINTS, "1"},
    {"{.list[?(@.v==1)]}{.list[?(@.v!=1)].v}", PRINTS,
     "{\"name\":\"a\",\"tags\":[\"x\",\"y\"],\"v\":1,\"w\":1}2 3 10"},
    {"{'}'}{\"{\"}", PRINTS, "}{"},
    {"{\"\\a\\b\\f\\v\\\\\"}", BAD_TEMPLATE, "unterminated quoted string"},
    {"{\"\\U0001F600 \\u00e9\"}", PRINTS, "😀 é"},
    {"{end range .list}", FAILS, "not in range, nothing to end"},
    {"{range .list[*] range .x}{end}{end}", FAILS, "not in range, nothing to end"},
    {"{range range .list[*]}{.name}{end}{.kind}{end}!", FAILS, "not in range, nothing to end"},
    {"{range .list[*]}{end .name}{end}", FAILS, "not in range, nothing to end"},
    {"{['a'b']}", BAD_TEMPLATE, "invalid array index 'a'b'"},
    {"{['']}", PRINTS, ""},
    {"{[' kind']}", FAILS, "unrecognized identifier kind"},
    {"{['kind ']}", PRINTS, "Foo"},
    {"{['kind.x','n']}", PRINTS, "null"},
    {"{.list[0][?(@.a)]}", FAILS,
     "map[name:a tags:[x y] v:1 w:1] is not array or slice and cannot be filtered"},
    {"{.list[1:3:1,0].v}", PRINTS, "2 3 1"},
    {"{truex} ", FAILS, "unrecognized identifier truex"},
    {"{true.x}", PRINTS, ""},
    {"{.true}", PRINTS, ""},
    {"{.1}", PRINTS, ""},
    {"{1.kind}", FAILS, "unrecognized identifier kind"},
    {"{.kind 1}", PRINTS, "1"},
    {"{.list[*] \"a\"}", PRINTS, "a"},
    {"{.list[*].name 1.5}", PRINTS, "1.5 1.5 1.5 1.5"},
    {"{.metadata..name}{..v}", PRINTS, "foo1 2 3 10"},
    {"{..tags[0]}", PRINTS, "x"},
    {"{..tags[*]}", PRINTS, "x y"},
    {"{.x\\.y}", PRINTS, ""},
    {"{.kind\\}}", PRINTS, ""},
    {"{.list[?(@.name==\"a\" )].v}", PRINTS, "1"},
    {"{.list[?(@.name == \"a\")].v}", PRINTS, "1"},
    {"{.list[?(@.name==\"a\"||\"b\")].v}", BAD_TEMPLATE, "unrecognized character in action: U+007C '|'"},
    {"{.list[?(.name==\"a\")].v}", PRINTS, "1"},
    {"{.list[?(name==\"a\")].v}", FAILS, "unrecognized identifier name"},
    {"{.list[?($.name==\"a\")].v}", PRINTS, "1"},
    {"{.list[?(@.v==2.0)].v}", FAILS, "incompatible types for comparison"},
    {"{.fl[?(@>1000.0)]}", FAILS, "incompatible types for comparison"},
    {"{.fl[?(@<=0.0001)]}", FAILS, "incompatible types for comparison"},
    {"{.fl[?(@>=1e21)]}", FAILS, "unrecognized identifier e21"},
    {"{.list[?(@.v<=2)].v} {.list[?(@.v>=2)].v} {.list[?(@.v<2)].v}", PRINTS, "1 2 2 3 10 1"},
    {"{.list[?(@.name<=\"b\")].name} {.list[?(@.name>\"b\")].name}", PRINTS, "a b c d's"},
};

struct setup {
    struct arena a;
    struct json root;
    struct buf out;
};

static void setup_done(struct setup *s)
{
    buf_done(&s->out);
    arena_done(&s->a);
}

static void setup_init(struct setup *s, const char *text)
{
    arena_init(&s->a, 0);
    buf_init(&s->out, 1 << 20);
    CHECK_OK(json_parse(&s->a, str_from_c(text), NULL, &s->root, &e));
}

static enum answer answer(struct setup *s, str text, unsigned flags, struct err *err)
{
    const struct jsonpath *jp;
    buf_clear(&s->out);
    if (jsonpath_compile(&s->a, text, &jp, err))
        return BAD_TEMPLATE;
    return jsonpath_print(jp, &s->a, &s->root, flags, &s->out, err) ? FAILS : PRINTS;
}

TEST(jsonpath_answers_as_kubectl_does)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err err = ERR_INIT;
        enum answer got = answer(&s, str_from_c(cases[i].text), JSONPATH_ALLOW_MISSING, &err);
        if (got != cases[i].answer)
            FAIL("%s: %s%" STR_FMT, cases[i].text, err.msg, STR_ARG(buf_str(&s.out)));
        if (got == PRINTS)
            CHECK_STR(buf_str(&s.out), cases[i].out);
        else
            CHECK_STR((const char *)err.msg, cases[i].out);
    }
}

TEST(jsonpath_without_leave_calls_a_missing_name_an_error)
{
    static const struct {
        const char *text;
        enum answer answer;
        const char *out;
    } strict[] = {
        {"{.missing}", FAILS, "missing is not found"},
        {"{.metadata.nothing.more}", FAILS, "nothing is not found"},
        {"{.kind.x}", FAILS, "x is not found"},
        {"{.list[*].tags[0]}", PRINTS, "x"},
        {"{.list[*].nothing}", FAILS, "nothing is not found"},
        {"{.list[?(@.ready==true)].name}", FAILS, "ready is not found"},
        {"{.list[?(@.ready)].name}", PRINTS, "c"},
        {"{.list[?(@.v>100)].nothing}", PRINTS, ""},
        {"{range .missing}{end}", FAILS, "missing is not found"},
        {"{..ready}", PRINTS, "true"},
    };
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    for (size_t i = 0; i < ARRAY_COUNT(strict); i++) {
        struct err err = ERR_INIT;
        CHECK_EQ(answer(&s, str_from_c(strict[i].text), 0, &err), strict[i].answer);
        if (strict[i].answer == PRINTS)
            CHECK_STR(buf_str(&s.out), strict[i].out);
        else
            CHECK_STR((const char *)err.msg, strict[i].out);
    }
}

TEST(jsonpath_as_json_prints_an_array_for_each_piece)
{
    static const struct {
        const char *text, *out;
    } json[] = {
        {"{.list[0:2].name}", "[\n    \"a\",\n    \"b\"\n]\n"},
        {"{.missing}", "[]\n"},
        {"{.i}<x>{.html}", "[\n    42\n]\n[\n    \"\\u003cx\\u003e\"\n]\n"
                           "[\n    {\n        \"a\": \"\\u003c\\u0026\\u003e\"\n    }\n]\n"},
        {"{\"\\xff a\"}{.n}", "[\n    \"\xef\xbf\xbd a\"\n]\n[\n    null\n]\n"},
        {"", ""},
    };
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    for (size_t i = 0; i < ARRAY_COUNT(json); i++) {
        struct err err = ERR_INIT;
        CHECK_EQ(answer(&s, str_from_c(json[i].text), JSONPATH_ALLOW_MISSING | JSONPATH_AS_JSON, &err),
                 PRINTS);
        CHECK_STR(buf_str(&s.out), json[i].out);
    }
}

TEST(jsonpath_relaxed_takes_a_path_with_or_without_point_and_braces)
{
    static const struct {
        const char *expression, *out; /* NULL: refused */
    } relaxed[] = {
        {"metadata.name", "foo"},
        {".metadata.name", "foo"},
        {"{metadata.name}", "foo"},
        {"{.metadata.name}", "foo"},
        {"list[1].name", "b"},
        {".list[?(@.v>9)].v", "10"},
        {"", ""},
        {"$.kind", ""},
        {"{}", NULL},
        {"{.kind", NULL},
        {"kind}", NULL},
        {"{.kind}{.i}", NULL},
        {"a{b", NULL},
    };
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    for (size_t i = 0; i < ARRAY_COUNT(relaxed); i++) {
        const struct jsonpath *jp;
        if (!relaxed[i].out) {
            CHECK_ERR(
                SYNTAX,
                "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
                "'{.name1.name2}'",
                jsonpath_compile_relaxed(&s.a, str_from_c(relaxed[i].expression), &jp, &e));
            continue;
        }
        CHECK_OK(jsonpath_compile_relaxed(&s.a, str_from_c(relaxed[i].expression), &jp, &e));
        buf_clear(&s.out);
        CHECK_OK(jsonpath_print(jp, &s.a, &s.root, JSONPATH_ALLOW_MISSING, &s.out, &e));
        CHECK_STR(buf_str(&s.out), relaxed[i].out);
    }
}

TEST(jsonpath_find_gives_the_values_of_each_piece)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    const struct jsonpath *jp;
    CHECK_OK(
        jsonpath_compile(&s.a, S("{.list[*].name} and {.missing}{range .nested[*]}{[0]}{end}"), &jp, &e));
    struct jsonpath_found found;
    CHECK_OK(jsonpath_find(jp, &s.a, &s.root, JSONPATH_ALLOW_MISSING, &found, &e));
    CHECK_EQ(found.count, 5);
    CHECK_EQ(found.pieces[0].count, 4);
    CHECK(found.pieces[0].values[1] == json_get(json_at(json_find(&s.root, S("list")), 1), S("name")));
    CHECK_STR(json_str(found.pieces[1].values[0]), " and ");
    CHECK_EQ(found.pieces[2].count, 0);
    CHECK_EQ(found.pieces[3].values[0]->v.i, 1);
    CHECK_EQ(found.pieces[4].values[0]->v.i, 3);
}

TEST(jsonpath_keeps_nothing_of_the_text_it_was_compiled_from)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    char text[] = "x{.list[?(@.name==\"b\")]['v']}{\"y\"}{.nested[1,0][0]}";
    const struct jsonpath *jp;
    CHECK_OK(jsonpath_compile(&s.a, str_from_c(text), &jp, &e));
    memset(text, 'z', sizeof text);
    for (int i = 0; i < 2; i++) {
        buf_clear(&s.out);
        CHECK_OK(jsonpath_print(jp, &s.a, &s.root, 0, &s.out, &e));
        CHECK_STR(buf_str(&s.out), "x2y3 1");
    }
}

TEST(jsonpath_prints_values_as_go_would)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, "{\"b\":[1,\"x y\",null,true,[],{}],\"a\":{\"z\":1e6,\"y\":1.5,\"x\":{\"w\":-2e-7}}}");
    jsonpath_print_go(&s.out, &s.root);
    CHECK_STR(buf_str(&s.out), "map[a:map[x:map[w:-2e-07] y:1.5 z:1e+06] b:[1 x y <nil> true [] map[]]]");
}

TEST(jsonpath_bounds_the_size_of_templates)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, document);
    const struct jsonpath *jp;
    struct buf text;
    buf_init_arena(&text, &s.a, 1 << 20);
    buf_add_n(&text, 'x', JSONPATH_SIZE_MAX);
    CHECK_OK(jsonpath_compile(&s.a, buf_str(&text), &jp, &e));
    buf_add_c(&text, 'x');
    CHECK_ERR(TOO_LARGE, "jsonpath template is longer than 65536 bytes",
              jsonpath_compile(&s.a, buf_str(&text), &jp, &e));
}

static err_code multiply(struct setup *s, struct arena *a, unsigned times, struct err *err)
{
    const struct jsonpath *jp;
    struct buf text;
    buf_init_arena(&text, &s->a, 1 << 16);
    buf_add_lit(&text, "{$");
    for (unsigned i = 0; i < times; i++)
        buf_add_lit(&text, "['a','a','a','a','a','a','a','a','a','a']");
    buf_add_lit(&text, "}");
    CHECK_OK(jsonpath_compile(&s->a, buf_str(&text), &jp, &e));
    struct jsonpath_found found;
    return jsonpath_find(jp, a, &s->root, JSONPATH_ALLOW_MISSING, &found, err);
}

TEST(jsonpath_bounds_the_values_that_unions_and_ranges_multiply)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}");
    CHECK_OK(multiply(&s, &s.a, 4, &e));
    CHECK_ERR(TOO_LARGE, "jsonpath looks at more than 16777216 values", multiply(&s, &s.a, 9, &e));
    CLEANUP(arena_done) struct arena small;
    arena_init(&small, 1 << 20);
    CHECK_ERR(TOO_LARGE, "memory for this request is used up", multiply(&s, &small, 8, &e));
}

TEST(jsonpath_walks_trees_of_any_depth)
{
    CLEANUP(setup_done) struct setup s;
    setup_init(&s, "1");
    for (int i = 0; i < 20000; i++) {
        struct json outer = json_array();
        json_append(&s.a, &outer, s.root);
        s.root = outer;
    }
    const struct jsonpath *jp;
    struct jsonpath_found found;
    CHECK_OK(jsonpath_compile(&s.a, S("{..}"), &jp, &e));
    CHECK_OK(jsonpath_find(jp, &s.a, &s.root, 0, &found, &e));
    CHECK_EQ(found.pieces[0].count, 20000);
}
