/* columns_test.c - rows of each kind: what is in an object called x that is ten minutes old, and the cells that the original
 * prints for it. */
#include "api/catalog_testing.h"
#include "api/table_priv.h"
#include "base/buf.h"
#include "harness/test.h"

#define NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

struct row_case {
    const char *meta;  /* more members of metadata; all texts with ' for " */
    const char *rest;  /* members behind metadata */
    const char *cells; /* behind the name */
};

static void unquote(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] == '\'')
            b->p[i] = '"';
}

static str content_of(struct arena *a, const struct row_case *c)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    buf_add_f(&b, "{'metadata':{'name':'x','creationTimestamp':'2025-12-31T23:50:00Z'%s%s}%s%s}",
              *c->meta ? "," : "", c->meta, *c->rest ? "," : "", c->rest);
    unquote(&b);
    return buf_str(&b);
}

static str row_of(struct arena *a, const char *api_version, const char *kind, str content)
{
    CATALOG c = catalog_new(NULL, 0, 1);
    const struct served_kind *k = catalog_find_kind(c, str_from_c(api_version), str_from_c(kind));
    CHECK(k && k->table);
    struct buf out;
    buf_init_arena(&out, a, 1 << 20);
    table_print_cells(&out, a, k->table, content, NOW);
    return buf_str(&out);
}

static void rows_are(const char *api_version, const char *kind, const struct row_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        struct buf want;
        buf_init_arena(&want, &a, 1 << 20);
        buf_add_f(&want, "'cells':['x',%s]", cases[i].cells);
        unquote(&want);
        str got = row_of(&a, api_version, kind, content_of(&a, &cases[i]));
        CHECK_STR(str_slice(got, 0, want.n), buf_str(&want));
    }
}
#define ROWS(api_version, kind, ...)                                    \
    rows_are(api_version, kind, (const struct row_case[]){__VA_ARGS__}, \
             sizeof((const struct row_case[]){__VA_ARGS__}) / sizeof(struct row_case))

#define DELETING "'deletionTimestamp':'2025-12-31T23:59:00Z'"

/* --- pods --- */

#define TWO "'spec':{'containers':[{'name':'a'},{'name':'b'}]}"
#define INIT \
    "'spec':{'initContainers':[{'name':'i'},{'name':'s','restartPolicy':'Always'}],'containers':[{'name':'a'}]}"
#define WIDE    ",'10m','<none>','<none>','<none>','<none>'"
#define RUNNING "'ready':true,'state':{'running':{}}"
#define ENDED   "'lastState':{'terminated':{'exitCode':1,'finishedAt':'2025-12-31T23:57:00Z'}}"

TEST(columns_of_pods_sum_up_their_containers)
{
    ROWS(
        "v1", "Pod", {"", "'spec':{},'status':{'phase':'Pending'}", "'0/0','Pending','0'" WIDE},
        {"",
         TWO ",'status':{'phase':'Running','containerStatuses':[{'name':'a'," RUNNING "},{'name':'b'," RUNNING
             "}]}",
         "'2/2','Running','0'" WIDE},
        {"",
         TWO ",'status':{'phase':'Running','containerStatuses':[{'name':'a'," RUNNING
             ",'restartCount':3," ENDED
             "},{'name':'b','restartCount':2,'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}",
         "'1/2','CrashLoopBackOff','5 (3m ago)'" WIDE},
        /* The first container has the last word. */
        {"",
         TWO
         ",'status':{'phase':'Running','containerStatuses':[{'name':'a','state':{'terminated':{'exitCode':3}}},"
         "{'name':'b','state':{'waiting':{'reason':'ErrImagePull'}}}]}",
         "'0/2','ExitCode:3','0'" WIDE},
        {"",
         TWO
         ",'status':{'phase':'Running','containerStatuses':[{'name':'a','state':{'terminated':{'exitCode':137,'signal':9}}}]}",
         "'0/2','Signal:9','0'" WIDE},
        {"", TWO ",'status':{'phase':'Failed','reason':'Evicted'}", "'0/2','Evicted','0'" WIDE},
        {"",
         TWO
         ",'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':'SchedulingGated'}]}",
         "'0/2','SchedulingGated','0'" WIDE},
        /* One has completed, the other runs. */
        {"",
         TWO
         ",'status':{'phase':'Running','containerStatuses':[{'name':'a','state':{'terminated':{'reason':'Completed'}}},"
         "{'name':'b'," RUNNING "}]}",
         "'1/2','NotReady','0'" WIDE},
        {"",
         TWO
         ",'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}],"
         "'containerStatuses':[{'name':'a','state':{'terminated':{'reason':'Completed'}}},{'name':'b'," RUNNING
         "}]}",
         "'1/2','Running','0'" WIDE},
        {DELETING, TWO ",'status':{'phase':'Running'}", "'0/2','Terminating','0'" WIDE},
        {DELETING, TWO ",'status':{'phase':'Succeeded'}", "'0/2','Succeeded','0'" WIDE},
        {DELETING, TWO ",'status':{'phase':'Running','reason':'NodeLost'}", "'0/2','Unknown','0'" WIDE});
}

TEST(columns_of_pods_show_which_init_container_they_are_at)
{
    ROWS(
        "v1", "Pod",
        {"",
         INIT
         ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'running':{}}},{'name':'s'}]}",
         "'0/2','Init:0/2','0'" WIDE},
        {"",
         INIT ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','restartCount':4," ENDED
              ",'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}",
         "'0/2','Init:CrashLoopBackOff','4 (3m ago)'" WIDE},
        {"",
         INIT
         ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'waiting':{'reason':'PodInitializing'}}}]}",
         "'0/2','Init:0/2','0'" WIDE},
        {"",
         INIT
         ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':2}}}]}",
         "'0/2','Init:ExitCode:2','0'" WIDE},
        {"",
         INIT
         ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':2,'signal':6}}}]}",
         "'0/2','Init:Signal:6','0'" WIDE},
        {"",
         INIT
         ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':2,'reason':'Error'}}}]}",
         "'0/2','Init:Error','0'" WIDE},
        /* The sidecar has not started: it is the one in hand. */
        {"",
         INIT
         ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':0}}},"
         "{'name':'s','started':false,'state':{'running':{}}}]}",
         "'0/2','Init:1/2','0'" WIDE},
        /* Restarts of init containers that are done with do not count any more, those of sidecars do. */
        {"",
         INIT ",'status':{'phase':'Running','initContainerStatuses':["
              "{'name':'i','restartCount':7,'state':{'terminated':{'exitCode':0}}},"
              "{'name':'s','started':true,'restartCount':2," ENDED "," RUNNING "}],"
              "'containerStatuses':[{'name':'a'," RUNNING "}]}",
         "'2/2','Running','2 (3m ago)'" WIDE},
        /* A sidecar that fails after everything was initialized. */
        {"",
         INIT
         ",'status':{'phase':'Running','conditions':[{'type':'Initialized','status':'True'}],'initContainerStatuses':["
         "{'name':'s','restartCount':1,'state':{'waiting':{'reason':'CrashLoopBackOff'}}}],"
         "'containerStatuses':[{'name':'a','restartCount':1," RUNNING "}]}",
         "'1/2','Init:CrashLoopBackOff','2'" WIDE});
}

TEST(columns_of_pods_show_where_they_are_when_asked_for_more)
{
    ROWS(
        "v1", "Pod",
        {"",
         "'spec':{'nodeName':'n1','readinessGates':[{'conditionType':'a.io/x'},{'conditionType':'a.io/y'},{'conditionType':'a.io/z'}]},"
         "'status':{'phase':'Running','nominatedNodeName':'n2','podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}],"
         "'conditions':[{'type':'a.io/x','status':'True'},{'type':'a.io/y','status':'False'},{'type':'Ready','status':'True'}]}",
         "'0/0','Running','0','10m','10.0.0.1','n1','n2','1/3'"});
}

TEST(rows_of_finished_pods_say_so)
{
    static const struct {
        const char *phase, *want;
    } cases[] = {
        {"Running", "]"},
        {"Succeeded",
         "],\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Succeeded\","
         "\"message\":\"The pod has completed successfully.\"}]"},
        {"Failed", "],\"conditions\":[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Failed\","
                   "\"message\":\"The pod failed.\"}]"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        str content = str_format(&a, "{\"metadata\":{},\"status\":{\"phase\":\"%s\"}}", cases[i].phase);
        str got = row_of(&a, "v1", "Pod", content);
        CHECK_STR(str_from(got, str_index(got, S("]"))), cases[i].want);
    }
}

#define TEMPLATE \
    "'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'r/c:1'},{'name':'d','image':'r/d:2'}],'nodeSelector':{'disk':'ssd','zone':'z'}}}"

TEST(columns_of_pod_templates_and_controllers)
{
    ROWS("v1", "PodTemplate", {"", TEMPLATE, "'c,d','r/c:1,r/d:2','a=b'"}, {"", "", "'','','<none>'"});
    ROWS("v1", "ReplicationController",
         {"",
          "'spec':{'replicas':3,'selector':{'a':'b','c':'d'}," TEMPLATE
          "},'status':{'replicas':2,'readyReplicas':1}",
          "3,2,1,'10m','c,d','r/c:1,r/d:2','a=b,c=d'"},
         {"", "'spec':{'replicas':0},'status':{'replicas':0}", "0,0,0,'10m','','','<none>'"});
    ROWS("apps/v1", "ReplicaSet",
         {"",
          "'spec':{'replicas':3,'selector':{'matchLabels':{'a':'b'}}," TEMPLATE
          "},'status':{'replicas':2,'readyReplicas':1}",
          "3,2,1,'10m','c,d','r/c:1,r/d:2','a=b'"});
    ROWS(
        "apps/v1", "Deployment",
        {"",
         "'spec':{'replicas':3,'selector':{'matchLabels':{'b':'1','a':'2'},'matchExpressions':["
         "{'key':'z','operator':'In','values':['y','x']},{'key':'m','operator':'NotIn','values':['n']},"
         "{'key':'e','operator':'Exists'},{'key':'f','operator':'DoesNotExist'}]}," TEMPLATE "},"
         "'status':{'replicas':4,'readyReplicas':2,'updatedReplicas':1,'availableReplicas':2}",
         "'2/3',1,2,'10m','c,d','r/c:1,r/d:2','a=2,b=1,e,!f,m notin (n),z in (x,y)'"},
        {"",
         "'spec':{'selector':{'matchExpressions':[{'key':'z','operator':'Near','values':['y']}]}},'status':{}",
         "'0/0',0,0,'10m','','','<error>'"});
    ROWS("apps/v1", "StatefulSet",
         {"", "'spec':{'replicas':3," TEMPLATE "},'status':{'replicas':4,'readyReplicas':2}",
          "'2/3','10m','c,d','r/c:1,r/d:2'"});
    ROWS(
        "apps/v1", "DaemonSet",
        {"",
         "'spec':{'selector':{'matchLabels':{'a':'b'}}," TEMPLATE "},'status':{'desiredNumberScheduled':5,"
         "'currentNumberScheduled':4,'numberReady':3,'updatedNumberScheduled':2,'numberAvailable':1,'numberMisscheduled':0}",
         "5,4,3,2,1,'disk=ssd,zone=z','10m','c,d','r/c:1,r/d:2','a=b'"},
        {"", "'spec':{},'status':{}", "0,0,0,0,0,'<none>','10m','','','<none>'"});
    ROWS(
        "apps/v1", "ControllerRevision",
        {"'ownerReferences':[{'kind':'Node','name':'n','apiVersion':'v1'},{'kind':'DaemonSet','name':'d','apiVersion':'apps/v1','controller':true}]",
         "'revision':4", "'daemonset.apps/d',4,'10m'"},
        {"'ownerReferences':[{'kind':'Thing','name':'n','apiVersion':'v1','controller':true}]",
         "'revision':1", "'thing/n',1,'10m'"},
        {"", "'revision':1", "'<none>',1,'10m'"});
}

#define CONDITION(type) "'status':{'conditions':[{'type':'" type "','status':'True'}]}"

TEST(columns_of_jobs)
{
    ROWS(
        "batch/v1", "Job",
        {"",
         "'spec':{'completions':5,'selector':{'matchLabels':{'j':'1'}}," TEMPLATE "},"
         "'status':{'succeeded':2,'startTime':'2025-12-31T23:55:00Z'}",
         "'Running','2/5','5m','10m','c,d','r/c:1,r/d:2','j=1'"},
        {"",
         "'spec':{'parallelism':3},'status':{'succeeded':2,'startTime':'2025-12-31T23:00:00Z','completionTime':'2025-12-31T23:01:30Z'}",
         "'Running','2/1 of 3','90s','10m','','','<none>'"},
        {"", "'spec':{'parallelism':1},'status':{'conditions':[{'type':'Suspended','status':'False'}]}",
         "'Running','0/1','','10m','','','<none>'"},
        {DELETING, "'spec':{}," CONDITION("Complete"), "'Complete','0/1','','10m','','','<none>'"},
        {DELETING, "'spec':{}," CONDITION("Failed"), "'Failed','0/1','','10m','','','<none>'"},
        {DELETING, "'spec':{}," CONDITION("Suspended"), "'Terminating','0/1','','10m','','','<none>'"},
        {"", "'spec':{}," CONDITION("Suspended"), "'Suspended','0/1','','10m','','','<none>'"},
        {"", "'spec':{}," CONDITION("FailureTarget"), "'FailureTarget','0/1','','10m','','','<none>'"});
    ROWS("batch/v1", "CronJob",
         {"",
          "'spec':{'schedule':'* * * * *','timeZone':'Etc/UTC','suspend':false,'jobTemplate':{'spec':{"
          "'selector':{'matchLabels':{'j':'1'}}," TEMPLATE
          "}}},'status':{'active':[{},{}],'lastScheduleTime':'2025-12-31T23:59:00Z'}",
          "'* * * * *','Etc/UTC','False',2,'60s','10m','c,d','r/c:1,r/d:2','j=1'"},
         {"", "'spec':{'schedule':'@daily','suspend':true,'jobTemplate':{'spec':{}}},'status':{}",
          "'@daily','<none>','True',0,'<none>','10m','','','<none>'"},
         {"", "'spec':{'schedule':'@daily'},'status':{}",
          "'@daily','<none>','<unset>',0,'<none>','10m','','','<none>'"});
}

TEST(columns_of_autoscalers_show_two_targets)
{
    static const struct {
        const char *metrics, *current, *want;
    } cases[] = {
        {"", "", "<none>"},
        {"{'type':'Resource','resource':{'name':'cpu','target':{'averageUtilization':80}}}", "",
         "cpu: <unknown>/80%"},
        {"{'type':'Resource','resource':{'name':'cpu','target':{'averageUtilization':80}}}",
         "{'type':'Resource','resource':{'name':'cpu','current':{'averageUtilization':40,'averageValue':'40m'}}}",
         "cpu: 40%/80%"},
        {"{'type':'Resource','resource':{'name':'cpu','target':{}}}", "", "cpu: <unknown>/<auto>"},
        {"{'type':'Resource','resource':{'name':'memory','target':{'averageValue':'100Mi'}}}",
         "{'type':'Resource','resource':{'name':'memory','current':{'averageValue':'50Mi'}}}",
         "memory: 50Mi/100Mi"},
        {"{'type':'ContainerResource','containerResource':{'name':'cpu','container':'a','target':{'averageUtilization':70}}}",
         "{'type':'ContainerResource','containerResource':{'name':'cpu','container':'a','current':{'averageUtilization':7}}}",
         "cpu: 7%/70%"},
        {"{'type':'Pods','pods':{'target':{'averageValue':'100m'}}}",
         "{'type':'Pods','pods':{'current':{'averageValue':'50m'}}}", "50m/100m"},
        {"{'type':'Pods','pods':{'target':{'averageValue':'100m'}}}", "", "<unknown>/100m"},
        {"{'type':'Object','object':{'target':{'value':'10'}}}",
         "{'type':'Object','object':{'current':{'value':'5'}}}", "5/10"},
        {"{'type':'Object','object':{'target':{'averageValue':'10'}}}",
         "{'type':'Object','object':{'current':{'averageValue':'5'}}}", "5/10 (avg)"},
        {"{'type':'External','external':{'target':{'averageValue':'10'}}}",
         "{'type':'External','external':{'current':{'value':'5'}}}", "<unknown>/10 (avg)"},
        {"{'type':'External','external':{'target':{'value':'10'}}}", "", "<unknown>/10"},
        {"{'type':'Odd'}", "", "<unknown type>"},
        {"{'type':'Pods','pods':{'target':{'averageValue':'1'}}},{'type':'Pods','pods':{'target':{'averageValue':'2'}}},"
         "{'type':'Pods','pods':{'target':{'averageValue':'3'}}},{'type':'Odd'}",
         "", "<unknown>/1, <unknown>/2 + 2 more..."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        str rest = str_format(
            &a,
            "'spec':{'scaleTargetRef':{'kind':'Deployment','name':'d'},'maxReplicas':9,'metrics':[%s]},"
            "'status':{'currentReplicas':3,'currentMetrics':[%s]}",
            cases[i].metrics, cases[i].current);
        str cells = str_format(&a, "'Deployment/d','%s','<unset>',9,3,'10m'", cases[i].want);
        const struct row_case c = {"", str_cstr(&a, rest), str_cstr(&a, cells)};
        rows_are("autoscaling/v2", "HorizontalPodAutoscaler", &c, 1);
        rows_are("autoscaling/v1", "HorizontalPodAutoscaler", &c, 1); /* of content as it is stored */
    }
    ROWS("autoscaling/v2", "HorizontalPodAutoscaler",
         {"", "'spec':{'scaleTargetRef':{'kind':'A','name':'b'},'minReplicas':2,'maxReplicas':9}",
          "'A/b','<none>','2',9,0,'10m'"});
}

/* --- core --- */

TEST(columns_of_nodes)
{
    ROWS(
        "v1", "Node",
        {"'labels':{'kubernetes.io/role':'old','node-role.kubernetes.io/':'','node-role.kubernetes.io/worker':'','node-role.kubernetes.io/control-plane':''}",
         "'spec':{'unschedulable':true},'status':{'conditions':[{'type':'MemoryPressure','status':'False'},{'type':'Ready','status':'True'}],"
         "'addresses':[{'type':'Hostname','address':'h'},{'type':'InternalIP','address':'10.0.0.1'},{'type':'InternalIP','address':'fd00::1'},"
         "{'type':'ExternalIP','address':'1.2.3.4'}],'nodeInfo':{'kubeletVersion':'v1.36.0','osImage':'Debian 12','kernelVersion':'6.1','containerRuntimeVersion':'containerd://2.0'}}",
         "'Ready,SchedulingDisabled','control-plane,old,worker','10m','v1.36.0','10.0.0.1','1.2.3.4','Debian 12','6.1','containerd://2.0'"},
        {"", "'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}",
         "'NotReady','<none>','10m','','<none>','<none>','<unknown>','<unknown>','<unknown>'"},
        {"", "'status':{}",
         "'Unknown','<none>','10m','','<none>','<none>','<unknown>','<unknown>','<unknown>'"});
}

TEST(columns_of_events)
{
    static const struct {
        const char *rest, *want;
    } cases[] = {
        {"'involvedObject':{'kind':'Pod','name':'p','fieldPath':'spec.containers{a}'},'type':'Normal','reason':'Pulled',"
         "'message':' pulled\\n','source':{'component':'kubelet','host':'n1'},'count':3,"
         "'firstTimestamp':'2025-12-31T23:00:00Z','lastTimestamp':'2025-12-31T23:58:00Z'",
         "'2m','Normal','Pulled','pod/p','spec.containers{a}','kubelet, n1','pulled','60m',3,'x'"},
        {"'involvedObject':{'kind':'Node'},'type':'Warning','reason':'R','message':'m','reportingComponent':'c','eventTime':'2025-12-31T23:59:30.000000Z'",
         "'30s','Warning','R','node','','c','m','30s',1,'x'"},
        {"'involvedObject':{'kind':'Node'},'reportingComponent':'c','reportingInstance':'i','series':{'count':0,'lastObservedTime':'2025-12-31T23:59:50.000000Z'},"
         "'eventTime':'2025-12-31T23:59:30.000000Z'",
         "'10s','','','node','','c, i','','30s',0,'x'"},
        {"'involvedObject':{}", "'<unknown>','','','','','','','<unknown>',1,'x'"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (size_t v = 0; v < 2; v++) {
            CLEANUP(arena_done) struct arena a;
            arena_init(&a, 0);
            struct buf want;
            buf_init_arena(&want, &a, 4096);
            buf_add_f(&want, "'cells':[%s]", cases[i].want);
            unquote(&want);
            str content = content_of(&a, &(struct row_case){.meta = "", .rest = cases[i].rest});
            CHECK_STR(row_of(&a, v ? "events.k8s.io/v1" : "v1", "Event", content), buf_str(&want));
        }
}

TEST(columns_of_quotas_and_configuration)
{
    ROWS(
        "v1", "ResourceQuota",
        {"",
         "'status':{'hard':{'limits.cpu':'2','limitsodd':'1','pods':'10','requests.cpu':'1'},'used':{'limits.cpu':'500m','pods':'3'}}",
         "'limitsodd: 0/1, pods: 3/10, requests.cpu: 0/1','limits.cpu: 500m/2','10m'"},
        {"", "", "'','','10m'"});
    ROWS("v1", "ConfigMap", {"", "'data':{'a':'b','c':'d'},'binaryData':{'e':'AA=='}", "3,'10m'"},
         {"", "", "0,'10m'"});
    ROWS("v1", "Secret", {"", "'data':{'a':'','c':''},'type':'Opaque'", "'Opaque',2,'10m'"});
    ROWS("v1", "ServiceAccount", {"", "'secrets':[{'name':'s'}]", "1,'10m'"}, {"", "", "0,'10m'"});
    ROWS("v1", "Namespace", {"", "'status':{'phase':'Active'}", "'Active','10m'"});
    ROWS("v1", "LimitRange", {"", "'spec':{}", "'2025-12-31T23:50:00Z'"});
    ROWS("v1", "ComponentStatus",
         {"", "'conditions':[{'type':'Other'},{'type':'Healthy','status':'True','message':'ok'}]",
          "'Healthy','ok',''"},
         {"", "'conditions':[{'type':'Healthy','status':'False','error':'no'}]", "'Unhealthy','','no'"},
         {"", "", "'Unknown','',''"});
}

/* --- network --- */

#define SERVICE(type, more, status) \
    "'spec':{'type':'" type "','clusterIPs':['10.0.0.1']" more "},'status':{" status "}"
#define INGRESS_POINTS \
    "'loadBalancer':{'ingress':[{'hostname':'lb.example.com'},{'ip':'5.6.7.8'},{'ip':'5.6.7.8'},{'ip':'1.1.1.1','hostname':'h'},{}]}"

TEST(columns_of_services)
{
    ROWS(
        "v1", "Service",
        {"",
         SERVICE(
             "ClusterIP",
             ",'ports':[{'port':80,'protocol':'TCP'},{'port':53,'protocol':'UDP','nodePort':30053}],'selector':{'a':'b'}",
             ""),
         "'ClusterIP','10.0.0.1','<none>','80/TCP,53:30053/UDP','10m','a=b'"},
        {"", SERVICE("NodePort", ",'externalIPs':['1.2.3.4','1.2.3.5']", ""),
         "'NodePort','10.0.0.1','1.2.3.4,1.2.3.5','<none>','10m','<none>'"},
        {"", SERVICE("LoadBalancer", "", ""),
         "'LoadBalancer','10.0.0.1','<pending>','<none>','10m','<none>'"},
        {"", SERVICE("LoadBalancer", ",'externalIPs':['9.9.9.9']", ""),
         "'LoadBalancer','10.0.0.1','9.9.9.9','<none>','10m','<none>'"},
        {"", SERVICE("LoadBalancer", ",'externalIPs':['9.9.9.9']", INGRESS_POINTS),
         "'LoadBalancer','10.0.0.1','1.1.1.1,5.6.7.8,lb.example.com,9.9.9.9','<none>','10m','<none>'"},
        {"", "'spec':{'type':'ExternalName','externalName':'example.com'},'status':{}",
         "'ExternalName','<none>','example.com','<none>','10m','<none>'"},
        {"", "'spec':{'type':'Odd'}", "'Odd','<none>','<unknown>','<none>','10m','<none>'"});
}

TEST(columns_of_endpoints_show_three)
{
    ROWS(
        "v1", "Endpoints", {"", "", "'<none>','10m'"},
        {"", "'subsets':[{'notReadyAddresses':[{'ip':'10.0.0.1'}]}]", "'','10m'"},
        {"", "'subsets':[{'addresses':[{'ip':'10.0.0.1'},{'ip':'fd00::1'}],'ports':[{'port':80}]}]",
         "'10.0.0.1:80,[fd00::1]:80','10m'"},
        {"",
         "'subsets':[{'addresses':[{'ip':'10.0.0.1'},{'ip':'10.0.0.2'}],'ports':[{'port':80},{'port':443}]},{'addresses':[{'ip':'fd00::1'}]}]",
         "'10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 2 more...','10m'"},
        {"", "'subsets':[{'addresses':[{'ip':'10.0.0.1'}]},{'addresses':[{'ip':'fd00::1'}]}]",
         "'10.0.0.1,fd00::1','10m'"});
    ROWS(
        "discovery.k8s.io/v1", "EndpointSlice",
        {"", "'addressType':'IPv4'", "'IPv4','<unset>','<unset>','10m'"},
        {"",
         "'addressType':'IPv4','endpoints':[{'addresses':['1.1.1.1','1.1.1.2']},{'addresses':['1.1.1.3','1.1.1.4']}],"
         "'ports':[{'port':80},{'name':'web'},{},{'port':1}]",
         "'IPv4','80,web,* + 1 more...','1.1.1.1,1.1.1.2,1.1.1.3 + 1 more...','10m'"});
}

TEST(columns_of_ingresses_and_addresses)
{
    ROWS(
        "networking.k8s.io/v1", "Ingress",
        {"",
         "'spec':{'ingressClassName':'nginx','rules':[{'host':'a.io'},{},{'host':'b.io'}],'tls':[{}]},'status':{" INGRESS_POINTS
         "}",
         "'nginx','a.io,b.io','1.1.1.1,5.6.7.8,lb.example.com','80, 443','10m'"},
        {"", "'spec':{'rules':[{'host':'a'},{},{'host':'b'},{'host':'c'},{'host':'d'},{}]}",
         "'<none>','a,b,c + 3 more...','','80','10m'"},
        {"", "'spec':{'rules':[{'host':'a'},{},{'host':'b'},{'host':'c'}]}",
         "'<none>','a,b,c','','80','10m'"},
        {"", "'spec':{'rules':[{}]}", "'<none>','*','','80','10m'"});
    ROWS("networking.k8s.io/v1", "IngressClass",
         {"", "'spec':{'controller':'k8s.io/nginx','parameters':{'apiGroup':'a.io','kind':'P','name':'p'}}",
          "'k8s.io/nginx','P.a.io/p','10m'"},
         {"", "'spec':{'controller':'k8s.io/nginx','parameters':{'kind':'P','name':'p'}}",
          "'k8s.io/nginx','P/p','10m'"},
         {"", "'spec':{'controller':'c'}", "'c','<none>','10m'"});
    ROWS("networking.k8s.io/v1", "NetworkPolicy",
         {"", "'spec':{'podSelector':{'matchLabels':{'a':'b'}}}", "'a=b','10m'"},
         {"", "'spec':{'podSelector':{}}", "'<none>','10m'"});
    ROWS("networking.k8s.io/v1", "ServiceCIDR",
         {"", "'spec':{'cidrs':['10.0.0.0/8','fd00::/8']}", "'10.0.0.0/8,fd00::/8','10m'"});
    ROWS("networking.k8s.io/v1", "IPAddress",
         {"", "'spec':{'parentRef':{'resource':'services','namespace':'default','name':'s'}}",
          "'services/default/s'"},
         {"", "'spec':{'parentRef':{'group':'Gateway.io','resource':'gateways','name':'g'}}",
          "'gateways.gateway.io/g'"},
         {"", "'spec':{}", "'<none>'"});
}

/* --- storage --- */

TEST(columns_of_volumes_and_claims)
{
    ROWS(
        "v1", "PersistentVolume",
        {"",
         "'spec':{'capacity':{'cpu':'1','storage':'10Gi'},'accessModes':['ReadWriteOncePod','ReadWriteMany','ReadOnlyMany','ReadWriteOnce','ReadWriteOnce'],"
         "'claimRef':{'namespace':'n','name':'c'},'persistentVolumeReclaimPolicy':'Retain','storageClassName':'fast','volumeMode':'Block',"
         "'volumeAttributesClassName':'gold'},'status':{'phase':'Bound','reason':'r'}",
         "'10Gi','RWO,ROX,RWX,RWOP','Retain','Bound','n/c','fast','gold','r','10m','Block'"},
        {DELETING ",'annotations':{'volume.beta.kubernetes.io/storage-class':'old'}",
         "'spec':{'storageClassName':'new'},'status':{'phase':'Available'}",
         "'0','','','Terminating','','old','<unset>','','10m','<unset>'"});
    ROWS(
        "v1", "PersistentVolumeClaim",
        {"",
         "'spec':{'volumeName':'v','storageClassName':'fast','volumeMode':'Filesystem','volumeAttributesClassName':'gold','accessModes':['ReadOnlyMany']},"
         "'status':{'phase':'Bound','capacity':{'storage':'1Gi'},'accessModes':['ReadWriteOnce']}",
         "'Bound','v','1Gi','RWO','fast','gold','10m','Filesystem'"},
        {"", "'spec':{'volumeName':'v'},'status':{'phase':'Pending'}",
         "'Pending','v','0','','','<unset>','10m','<unset>'"},
        {DELETING,
         "'spec':{},'status':{'phase':'Pending','capacity':{'storage':'1Gi'},'accessModes':['ReadWriteOnce']}",
         "'Terminating','','','','','<unset>','10m','<unset>'"});
    ROWS(
        "storage.k8s.io/v1", "VolumeAttachment",
        {"",
         "'spec':{'attacher':'a','nodeName':'n','source':{'persistentVolumeName':'v'}},'status':{'attached':true}",
         "'a','v','n',true,'10m'"},
        {"", "'spec':{'attacher':'a','nodeName':'n','source':{}},'status':{}", "'a','','n',false,'10m'"});
}

TEST(columns_of_storage_classes_and_drivers)
{
    ROWS(
        "storage.k8s.io/v1", "StorageClass",
        {"", "'provisioner':'p'", "'p','Delete','Immediate',false,'10m'"},
        {"'annotations':{'storageclass.kubernetes.io/is-default-class':'false'}",
         "'provisioner':'p','reclaimPolicy':'Retain','volumeBindingMode':'WaitForFirstConsumer','allowVolumeExpansion':true",
         "'p','Retain','WaitForFirstConsumer',true,'10m'"});
    ROWS(
        "storage.k8s.io/v1", "CSIDriver",
        {"", "'spec':{}", "true,false,false,'<unset>',false,'<none>','10m'"},
        {"",
         "'spec':{'attachRequired':false,'podInfoOnMount':true,'storageCapacity':true,'requiresRepublish':true,"
         "'tokenRequests':[{'audience':'a'},{'audience':''}],'volumeLifecycleModes':['Persistent','Ephemeral']}",
         "false,true,true,'a,',true,'Persistent,Ephemeral','10m'"});
    ROWS("storage.k8s.io/v1", "CSINode", {"", "'spec':{'drivers':[{},{}]}", "2,'10m'"});
    ROWS("storage.k8s.io/v1", "CSIStorageCapacity",
         {"", "'storageClassName':'s','capacity':'5Gi'", "'s','5Gi'"},
         {"", "'storageClassName':'s'", "'s','<unset>'"});
    ROWS("storage.k8s.io/v1", "VolumeAttributesClass", {"", "'driverName':'d'", "'d','10m'"});
}

TEST(names_of_default_classes_say_so)
{
    static const struct {
        const char *api_version, *kind, *annotation;
    } cases[] = {
        {"storage.k8s.io/v1", "StorageClass", "storageclass.kubernetes.io/is-default-class"},
        {"storage.k8s.io/v1", "StorageClass", "storageclass.beta.kubernetes.io/is-default-class"},
        {"networking.k8s.io/v1", "IngressClass", "ingressclass.kubernetes.io/is-default-class"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        str content = str_format(&a, "{\"metadata\":{\"name\":\"x\",\"annotations\":{\"%s\":\"true\"}}}",
                                 cases[i].annotation);
        CHECK_CONTAINS(row_of(&a, cases[i].api_version, cases[i].kind, content),
                       "\"cells\":[\"x (default)\",");
    }
}

TEST(columns_of_devices)
{
    ROWS("resource.k8s.io/v1", "ResourceClaim", {"", "'spec':{}", "'pending','10m'"},
         {"", "'status':{'allocation':{}}", "'allocated','10m'"},
         {"", "'status':{'allocation':{},'reservedFor':[{}]}", "'allocated,reserved','10m'"},
         {DELETING, "'status':{'allocation':{},'reservedFor':[{}]}", "'deleted,allocated,reserved','10m'"},
         {DELETING, "'status':{}", "'deleted','10m'"});
    ROWS("resource.k8s.io/v1", "ResourceSlice",
         {"", "'spec':{'nodeName':'n','driver':'d','pool':{'name':'p'}}", "'n','d','p','10m'"},
         {"", "'spec':{'driver':'d','pool':{'name':'p'}}", "'','d','p','10m'"});
}

/* --- policy --- */

TEST(columns_of_roles_and_certificates)
{
    ROWS("rbac.authorization.k8s.io/v1", "ClusterRole", {"", "'rules':[]", "'2025-12-31T23:50:00Z'"});
    ROWS(
        "rbac.authorization.k8s.io/v1", "RoleBinding",
        {"",
         "'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'User','name':'u'},{'kind':'Group','name':'g'},"
         "{'kind':'ServiceAccount','namespace':'n','name':'s'},{'kind':'User','name':'v'}]",
         "'Role/r','10m','u, v','g','n/s'"},
        {"", "'roleRef':{'kind':'ClusterRole','name':'r'}", "'ClusterRole/r','10m','','',''"});
    ROWS(
        "certificates.k8s.io/v1", "CertificateSigningRequest",
        {"",
         "'spec':{'signerName':'s','username':'u','expirationSeconds':3600},'status':{'conditions':[{'type':'Approved'}],'certificate':'AAAA'}",
         "'10m','s','u','60m','Approved,Issued'"},
        {"", "'spec':{'signerName':'s','username':'u'},'status':{}", "'10m','s','u','<none>','Pending'"},
        {"",
         "'spec':{'signerName':'s'},'status':{'conditions':[{'type':'Approved'},{'type':'Denied'},{'type':'Failed'}]}",
         "'10m','s','','<none>','Denied,Failed'"});
    ROWS("policy/v1", "PodDisruptionBudget",
         {"", "'spec':{'minAvailable':'50%'},'status':{'disruptionsAllowed':2}", "'50%','N/A',2,'10m'"},
         {"", "'spec':{'maxUnavailable':0},'status':{}", "'N/A','0',0,'10m'"});
}

TEST(columns_of_admission)
{
    static const char *const api = "admissionregistration.k8s.io/v1";
    ROWS(api, "ValidatingWebhookConfiguration", {"", "'webhooks':[{},{}]", "2,'10m'"});
    ROWS(api, "MutatingWebhookConfiguration", {"", "", "0,'10m'"});
    ROWS(api, "ValidatingAdmissionPolicy",
         {"", "'spec':{'validations':[{}],'paramKind':{'apiVersion':'v1','kind':'ConfigMap'}}",
          "1,'v1/ConfigMap','10m'"},
         {"", "'spec':{}", "0,'<unset>','10m'"});
    ROWS(api, "MutatingAdmissionPolicy", {"", "'spec':{'mutations':[{},{}]}", "2,'<unset>','10m'"});
    ROWS(
        api, "ValidatingAdmissionPolicyBinding", {"", "'spec':{'policyName':'p'}", "'p','<unset>','10m'"},
        {"", "'spec':{'policyName':'p','paramRef':{'name':'n'}}", "'p','*/n','10m'"},
        {"", "'spec':{'policyName':'p','paramRef':{'name':'n','namespace':'s'}}", "'p','s/n','10m'"},
        {"",
         "'spec':{'policyName':'p','paramRef':{'selector':{'matchLabels':{'a':'b','c':'d'},"
         "'matchExpressions':[{'key':'k','operator':'In','values':['x','y']}]}}}",
         "'p','&LabelSelector{MatchLabels:map[string]string{a: b,c: d,},MatchExpressions:[]LabelSelectorRequirement{"
         "LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}','10m'"});
    ROWS(
        api, "MutatingAdmissionPolicyBinding",
        {"", "'spec':{'policyName':'p','paramRef':{'selector':{}}}",
         "'p','&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{},}','10m'"});
}

TEST(columns_of_flow_control_and_aggregation)
{
    ROWS(
        "flowcontrol.apiserver.k8s.io/v1", "FlowSchema",
        {"",
         "'spec':{'priorityLevelConfiguration':{'name':'l'},'matchingPrecedence':1000,'distinguisherMethod':{'type':'ByUser'}},"
         "'status':{'conditions':[{'type':'Dangling','status':'False'}]}",
         "'l',1000,'ByUser','10m','False'"},
        {"", "'spec':{}", "'',0,'<none>','10m','?'"});
    ROWS(
        "flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration",
        {"", "'spec':{'type':'Exempt','exempt':{'nominalConcurrencyShares':5}}",
         "'Exempt','<none>','<none>','<none>','<none>','10m'"},
        {"",
         "'spec':{'type':'Limited','limited':{'nominalConcurrencyShares':30,'limitResponse':{'type':'Reject'}}}",
         "'Limited',30,'<none>','<none>','<none>','10m'"},
        {"",
         "'spec':{'type':'Limited','limited':{'nominalConcurrencyShares':30,'limitResponse':{'type':'Queue','queuing':{'queues':64,'handSize':6,'queueLengthLimit':50}}}}",
         "'Limited',30,64,6,50,'10m'"});
    ROWS(
        "apiregistration.k8s.io/v1", "APIService",
        {"",
         "'spec':{'service':{'namespace':'n','name':'s'}},'status':{'conditions':[{'type':'Available','status':'False','reason':'MissingEndpoints'}]}",
         "'n/s','False (MissingEndpoints)','10m'"},
        {"", "'spec':{},'status':{'conditions':[{'type':'Available','status':'True','reason':'Local'}]}",
         "'Local','True','10m'"},
        {"", "'spec':{},'status':{'conditions':[{'type':'Available','status':'False'}]}",
         "'Local','False','10m'"},
        {"", "'spec':{},'status':{}", "'Local','Unknown','10m'"});
}

TEST(columns_by_path_alone)
{
    ROWS("node.k8s.io/v1", "RuntimeClass", {"", "'handler':'h'", "'h','10m'"});
    ROWS("scheduling.k8s.io/v1", "PriorityClass",
         {"", "'value':1000,'globalDefault':true,'preemptionPolicy':'Never'", "1000,true,'10m','Never'"},
         {"", "'value':-5", "-5,false,'10m',''"});
    ROWS("coordination.k8s.io/v1", "Lease", {"", "'spec':{'holderIdentity':'h'}", "'h','10m'"},
         {"", "'spec':{}", "'','10m'"});
    ROWS("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"", "'spec':{}", "'2025-12-31T23:50:00Z'"});
}
