#include "api/rules/rules_test.h"
#include "harness/test.h"

#define POD                                \
    "apiVersion: v1\n"                     \
    "kind: Pod\n"                          \
    "metadata: {name: p, namespace: ns}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"
#define C      "spec.containers[0]"
#define S_(s)  C ".securityContext: {" s "}"
#define SC     C ".securityContext"
#define PS_(s) "spec.securityContext: {" s "}"
#define PS     "spec.securityContext"
#define W      ".windowsOptions"
#define ID     "must be between 0 and 2147483647, inclusive"
#define EMPTY_CONTEXT(privileged, capabilities)                                                 \
    "{\"Capabilities\":" capabilities ",\"Privileged\":" privileged ",\"SELinuxOptions\":null," \
    "\"WindowsOptions\":null,\"RunAsUser\":null,\"RunAsGroup\":null,\"RunAsNonRoot\":null,"     \
    "\"ReadOnlyRootFilesystem\":null,\"AllowPrivilegeEscalation\":false,\"ProcMount\":null,"    \
    "\"SeccompProfile\":null,\"AppArmorProfile\":null}"

TEST(contexts_of_containers_are_checked)
{
    RULES_CREATE(
        POD,
        {S_("runAsUser: -1, runAsGroup: 2147483648"),
         SC ".runAsUser: Invalid value: -1: " ID "\n" SC ".runAsGroup: Invalid value: 2147483648: " ID},
        {S_("procMount: Some"),
         SC ".procMount: Unsupported value: \"Some\": supported values: \"Default\", \"Unmasked\""},
        {S_("procMount: Unmasked"),
         SC ".procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`"},
        {S_("procMount: Unmasked") "\nspec.hostUsers: false", ""},
        {S_("allowPrivilegeEscalation: false, privileged: true"),
         SC ": Invalid value: " EMPTY_CONTEXT("true",
                                              "null") ": cannot set `allowPrivilegeEscalation` to false and "
                                                      "`privileged` to true"},
        {S_("allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}"),
         SC ": Invalid value: " EMPTY_CONTEXT(
             "null",
             "{\"Add\":[\"CAP_SYS_ADMIN\"],\"Drop\":null}") ": cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"},
        {S_("allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}"), ""});
}

TEST(profiles_are_checked)
{
    RULES_CREATE(
        POD,
        {S_("seccompProfile: {type: ''}"),
         SC ".seccompProfile.type: Required value: type is required when seccompProfile is set"},
        {S_("seccompProfile: {type: Other}"), SC
         ".seccompProfile.type: Unsupported value: \"Other\": supported values: \"Localhost\", \"RuntimeDefault\", "
         "\"Unconfined\""},
        {S_("seccompProfile: {type: Localhost}"),
         SC ".seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"},
        {S_("seccompProfile: {type: Localhost, localhostProfile: /x}"),
         SC ".seccompProfile.localhostProfile: Invalid value: \"/x\": must be a relative path"},
        {PS_("seccompProfile: {type: Unconfined, localhostProfile: x}"), PS
         ".seccompProfile.localhostProfile: Invalid value: {\"Type\":\"Unconfined\",\"LocalhostProfile\":\"x\"}: can "
         "only be set when seccomp type is Localhost"},
        {S_("appArmorProfile: {type: ''}"),
         SC ".appArmorProfile.type: Required value: type is required when appArmorProfile is set"},
        {S_("appArmorProfile: {type: Other}"), SC
         ".appArmorProfile.type: Unsupported value: \"Other\": supported values: \"Localhost\", \"RuntimeDefault\", "
         "\"Unconfined\""},
        {S_("appArmorProfile: {type: Localhost}"),
         SC ".appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"},
        {S_("appArmorProfile: {type: Localhost, localhostProfile: ''}"),
         SC ".appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"},
        {S_("appArmorProfile: {type: Localhost, localhostProfile: ' x'}"),
         SC ".appArmorProfile.localhostProfile: Invalid value: \" x\": must not be padded with whitespace"},
        {PS_("appArmorProfile: {type: RuntimeDefault, localhostProfile: x}"),
         PS ".appArmorProfile.localhostProfile: Invalid value: \"x\": can only be set when AppArmor type is "
            "Localhost"});
}

/* `before`, so many letters, `after`. */
static const char *with_letters(char *at, const char *before, size_t count, const char *after)
{
    char *p = stpcpy(at, before);
    memset(p, 'a', count);
    stpcpy(p + count, after);
    return at;
}

TEST(profiles_and_specs_are_of_some_length_at_most)
{
    static char profile[5000], spec[70000];
    with_letters(profile, SC ": {appArmorProfile: {type: Localhost, localhostProfile: ", 4096, "}}");
    with_letters(spec, SC ": {windowsOptions: {gmsaCredentialSpec: ", (64 << 10) + 1, "}}");
    const struct rules_case cases[] = {
        {profile, SC ".appArmorProfile.localhostProfile: Too long: may not be more than 4095 bytes"},
        {spec, SC W ".gmsaCredentialSpec: Invalid value: \"aaa..."}};
    rules_check_create(POD, cases, ARRAY_COUNT(cases));
}

#define A "metadata.annotations"

TEST(annotations_of_pods_are_checked)
{
    RULES_CREATE(
        POD,
        {A ": {kubernetes.io/config.mirror: x}", A
         "[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod annotation is set"},
        {A ": {kubernetes.io/config.mirror: x}\nspec.nodeName: a", ""},
        {A ": {controller.kubernetes.io/pod-deletion-cost: '010'}",
         A "[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"010\": must be a 32bit integer"},
        {A ": {controller.kubernetes.io/pod-deletion-cost: '2147483648'}", A
         "[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"2147483648\": must be a 32bit integer"},
        {A ": {controller.kubernetes.io/pod-deletion-cost: '-2147483648'}", ""},
        {A ": {scheduler.alpha.kubernetes.io/tolerations: '[{\"key\":\"a\",\"operator\":\"Is\"}]'}", A
         ".scheduler.alpha.kubernetes.io/tolerations[0].operator: Unsupported value: \"Is\": supported values: "
         "\"Equal\", \"Exists\""},
        {A ": {scheduler.alpha.kubernetes.io/tolerations: '['}",
         A ": Invalid value: \"scheduler.alpha.kubernetes.io/tolerations\": line 1..."},
        {A
         ": {seccomp.security.alpha.kubernetes.io/pod: x, container.seccomp.security.alpha.kubernetes.io/c: localhost//y}",
         A
         ".seccomp.security.alpha.kubernetes.io/pod: Invalid value: \"x\": must be a valid seccomp profile\n" A
         ".container.seccomp.security.alpha.kubernetes.io/c: Invalid value: \"/y\": must be a relative path"},
        {A ": {container.apparmor.security.beta.kubernetes.io/d: runtime/default,"
           " container.apparmor.security.beta.kubernetes.io/c: x}",
         A
         "[container.apparmor.security.beta.kubernetes.io/c]: Invalid value: \"x\": invalid AppArmor profile name: "
         "\"x\"\n" A
         "[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: \"d\": container not found"});
}

TEST(annotations_and_fields_must_say_the_same)
{
    RULES_CREATE(
        POD,
        {A ": {seccomp.security.alpha.kubernetes.io/pod: unconfined}\n" PS_(
             "seccompProfile: {type: RuntimeDefault}"),
         PS ".seccompProfile.type: Forbidden: seccomp type in annotation and field must match"},
        {A ": {seccomp.security.alpha.kubernetes.io/pod: docker/default}\n" PS_(
             "seccompProfile: {type: RuntimeDefault}"),
         ""},
        {A ": {container.seccomp.security.alpha.kubernetes.io/c: localhost/a}\n" S_(
             "seccompProfile: {type: Localhost, localhostProfile: b}"),
         SC
         ".seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match"},
        {A ": {container.seccomp.security.alpha.kubernetes.io/c: localhost/a}\n" S_(
             "seccompProfile: {type: Localhost, localhostProfile: a}"),
         ""},
        {A ": {container.apparmor.security.beta.kubernetes.io/c: unconfined}\n" PS_(
             "appArmorProfile: {type: Unconfined}"),
         ""},
        {A ": {container.apparmor.security.beta.kubernetes.io/c: unconfined}\n" S_(
             "appArmorProfile: {type: RuntimeDefault}"),
         SC ".appArmorProfile.type: Forbidden: apparmor type in annotation and field must match"},
        {A ": {container.apparmor.security.beta.kubernetes.io/c: localhost/a}\n" S_(
             "appArmorProfile: {type: Localhost, localhostProfile: b}"),
         SC
         ".appArmorProfile.localhostProfile: Forbidden: apparmor profile in annotation and field must match"});
}

TEST(contexts_of_pods_are_checked)
{
    RULES_CREATE(
        POD,
        {PS_("fsGroup: -1, runAsUser: -1, runAsGroup: -1, supplementalGroups: [0, -1]"),
         PS ".fsGroup: Invalid value: -1: " ID "\n" PS ".runAsUser: Invalid value: -1: " ID "\n" PS
            ".runAsGroup: Invalid value: -1: " ID "\n" PS ".supplementalGroups[1]: Invalid value: -1: " ID},
        {"spec.shareProcessNamespace: true\nspec.hostPID: true", PS
         ".shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"},
        {PS_("fsGroupChangePolicy: Some, supplementalGroupsPolicy: Some, seLinuxChangePolicy: Some"), PS
         ".fsGroupChangePolicy: Unsupported value: \"Some\": supported values: \"Always\", \"OnRootMismatch\"\n" PS
         ".supplementalGroupsPolicy: Unsupported value: \"Some\": supported values: \"Merge\", \"Strict\"\n" PS
         ".seLinuxChangePolicy: Unsupported value: \"Some\": supported values: \"MountOption\", \"Recursive\""},
        {PS_("sysctls: [{name: '', value: a}, {name: a..b, value: a}, {name: a, value: b}, {name: a, value: b}]"),
         PS ".sysctls[0].name: Required value\n" PS
            ".sysctls[1].name: Invalid value: \"a..b\": must have at most 253 characters and match regex "
            "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$\n" PS
            ".sysctls[3].name: Duplicate value: \"a\""},
        {PS_("sysctls: [{name: net.a, value: b}, {name: net/ipv4/conf/eth0.1/x, value: c}]") "\nspec.hostNetwork: true",
         PS
         ".sysctls[0].name: Invalid value: \"net.a\": may not be specified when 'hostNetwork' is true\n" PS
         ".sysctls[1].name: Invalid value: \"net/ipv4/conf/eth0.1/x\": may not be specified when 'hostNetwork' is "
         "true"},
        {PS_("sysctls: [{name: kernel.shm_rmid_forced, value: b}]") "\nspec.hostIPC: true", PS
         ".sysctls[0].name: Invalid value: \"kernel.shm_rmid_forced\": may not be specified when 'hostIPC' is true"},
        {PS_("sysctls: [{name: kernel.shm_rmid_forced, value: b}, {name: net.a, value: c}]"), ""},
        {"spec.hostUsers: false\nspec.hostNetwork: true\nspec.hostPID: true\nspec.hostIPC: true",
         "spec.hostNetwork: Forbidden: when `hostUsers` is false\nspec.HostPID: Forbidden: when `hostUsers` is false\n"
         "spec.HostIPC: Forbidden: when `hostUsers` is false"},
        {"spec.hostUsers: false\nspec.volumes: [{name: w, persistentVolumeClaim: {claimName: x}}]\n" C
         ".volumeDevices: [{name: w, devicePath: /x}]",
         C ".volumeDevices: Forbidden: when `hostUsers` is false"});
}

TEST(options_of_windows_are_checked)
{
    RULES_CREATE(
        POD,
        {S_("windowsOptions: {gmsaCredentialSpecName: A, gmsaCredentialSpec: '', runAsUserName: ''}"), SC W
         ".gmsaCredentialSpecName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of...\n" SC
             W ".gmsaCredentialSpec: Invalid value: \"\": gmsaCredentialSpec cannot be an empty string\n" SC W
         ".runAsUserName: Invalid value: \"\": runAsUserName cannot be an empty string"},
        {PS_("windowsOptions: {runAsUserName: \"a\\tb\"}"),
         PS W ".runAsUserName: Invalid value: \"a\\tb\": runAsUserName cannot contain control characters"},
        {PS_("windowsOptions: {runAsUserName: 'a\\b\\c'}"), PS W
         ".runAsUserName: Invalid value: \"a\\\\b\\\\c\": runAsUserName cannot contain more than one backslash"},
        {PS_("windowsOptions: {runAsUserName: 'DOMAIN\\user'}"), ""},
        {S_("windowsOptions: {hostProcess: true}") "\n" PS_("windowsOptions: {hostProcess: false}"), C
         ".securityContext.windowsOptions.hostProcess: Invalid value: true: pod hostProcess value must be identical if "
         "both are specified, was false\n"
         "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"},
        {S_("windowsOptions: {hostProcess: true}") "\nspec.hostNetwork: true\nspec.containers[1]: {name: d, image: i}",
         "spec: Invalid value: \"\": If pod contains any hostProcess containers then all containers must be HostProcess "
         "containers"},
        {PS_("windowsOptions: {hostProcess: true}") "\nspec.hostNetwork: true", ""});
}

TEST(a_pod_for_one_system_has_no_options_of_the_other)
{
    RULES_CREATE(
        POD, {"spec.os: {name: ''}", "spec.os.name: Required value"},
        {"spec.os: {name: plan9}",
         "spec.os: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""},
        {"spec.os: {name: linux}\n" S_("windowsOptions: {}") "\n" PS_("windowsOptions: {}"),
         PS W ": Forbidden: windows options cannot be set for a linux pod\n" SC W
              ": Forbidden: windows options cannot be set for a linux pod"},
        {"spec.os: {name: windows}\nspec.hostUsers: true\nspec.hostPID: true\nspec.hostIPC: true\n"
         "spec.shareProcessNamespace: false\n" PS_(
             "appArmorProfile: {type: Unconfined}, seLinuxOptions: {}, seccompProfile: {type: Unconfined}, fsGroup: 1,"
             " fsGroupChangePolicy: Always, sysctls: [{name: a, value: b}], runAsUser: 1, runAsGroup: 1,"
             " supplementalGroups: [1], supplementalGroupsPolicy: Merge, seLinuxChangePolicy: Recursive"),
         PS ".appArmorProfile: Forbidden: cannot be set for a windows pod\n" PS
            ".seLinuxOptions: Forbidden: cannot be set for a windows pod\n"
            "spec.hostUsers: Forbidden: cannot be set for a windows pod\n"
            "spec.hostPID: Forbidden: cannot be set for a windows pod\n"
            "spec.hostIPC: Forbidden: cannot be set for a windows pod\n" PS
            ".seccompProfile: Forbidden: cannot be set for a windows pod\n" PS
            ".fsGroup: Forbidden: cannot be set for a windows pod\n" PS
            ".fsGroupChangePolicy: Forbidden: cannot be set for a windows pod\n" PS
            ".sysctls: Forbidden: cannot be set for a windows pod\n"
            "spec.shareProcessNamespace: Forbidden: cannot be set for a windows pod\n" PS
            ".runAsUser: Forbidden: cannot be set for a windows pod\n" PS
            ".runAsGroup: Forbidden: cannot be set for a windows pod\n" PS
            ".supplementalGroups: Forbidden: cannot be set for a windows pod\n" PS
            ".supplementalGroupsPolicy: Forbidden: cannot be set for a windows pod\n" PS
            ".seLinuxChangePolicy: Forbidden: cannot be set for a windows pod"},
        {"spec.os: {name: windows}\n" S_(
             "appArmorProfile: {type: Unconfined}, seLinuxOptions: {}, seccompProfile: {type: Unconfined}, capabilities: {},"
             " readOnlyRootFilesystem: true, privileged: false, allowPrivilegeEscalation: true, procMount: Default,"
             " runAsUser: 1, runAsGroup: 1"),
         SC ".appArmorProfile: Forbidden: cannot be set for a windows pod\n" SC
            ".seLinuxOptions: Forbidden: cannot be set for a windows pod\n" SC
            ".seccompProfile: Forbidden: cannot be set for a windows pod\n" SC
            ".capabilities: Forbidden: cannot be set for a windows pod\n" SC
            ".readOnlyRootFilesystem: Forbidden: cannot be set for a windows pod\n" SC
            ".privileged: Forbidden: cannot be set for a windows pod\n" SC
            ".allowPrivilegeEscalation: Forbidden: cannot be set for a windows pod\n" SC
            ".procMount: Forbidden: cannot be set for a windows pod\n" SC
            ".runAsUser: Forbidden: cannot be set for a windows pod\n" SC
            ".runAsGroup: Forbidden: cannot be set for a windows pod"});
}
