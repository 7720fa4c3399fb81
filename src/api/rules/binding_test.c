#include "api/rules/rules_test.h"
#include "harness/test.h"

TEST(a_binding_names_a_node)
{
    RULES_CREATE(
        "{apiVersion: v1, kind: Binding, metadata: {name: a, namespace: b}, target: {kind: Node, name: node-1}}",
        {"target.name: node-2", ""}, {"target.kind: null", ""},
        {"target.kind: Minion\ntarget.name: ''",
         "target.kind: Unsupported value: \"Minion\": supported values: \"<empty>\", \"Node\"\n"
         "target.name: Required value"});
}
